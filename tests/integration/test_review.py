"""The review queue: what is in it, and who is given what."""

from __future__ import annotations

import threading
from collections import Counter

import pytest

from grader.domain.people import Actor, Role
from grader.errors import NotFound, Overtaken, RequestRefused
from grader.services import review
from grader.services.grades.standing import settle
from grader.services.review import Decision
from grader.storage.review.queue import Order, Scope
from tests.integration.review_parts import (
    GOOD,
    HALF,
    OTHER,
    SCOPE,
    Class,
    list_waiting,
    take_and_decide,
)


def test_what_waits_is_listed_and_what_is_decided_is_not(room: Class, teacher: Actor) -> None:
    first, blank = room.grade("ada"), room.grade("ben", q1="")
    assert list_waiting(room, teacher) == [(first, "q1")]
    take_and_decide(room, teacher, first, 3.0)
    assert list_waiting(room, teacher) == []
    assert blank


def test_the_most_doubtful_come_first_and_pages_add_up(room: Class, teacher: Actor) -> None:
    texts = [GOOD, HALF, OTHER, "no idea", "bottleneck features", "Es ist wichtig und die Merkmale sind gut."]
    for number in range(12):
        room.grade(f"u{number}", q1=texts[number % len(texts)], q2=OTHER if number % 2 else "")
    for order in Order:
        whole = review.list_queue(room.desk, teacher, SCOPE, order).entries
        assert len(whole) == 18
        paged: list[review.Listed] = []
        cursor = None
        while True:
            page = review.list_queue(room.desk, teacher, SCOPE, order, cursor, limit=5)
            paged += page.entries
            cursor = page.cursor
            if cursor is None:
                break
        assert tuple(paged) == whole
    doubts = [entry.doubt for entry in review.list_queue(room.desk, teacher, SCOPE, Order.DOUBT).entries]
    assert doubts == sorted(doubts, reverse=True)
    by_item = review.list_queue(room.desk, teacher, SCOPE, Order.ITEM).entries
    assert [entry.item for entry in by_item] == ["q1"] * 12 + ["q2"] * 6
    groups = [entry.group for entry in by_item[:12]]
    assert [len(set(groups[at : at + 2])) for at in range(0, 12, 2)] == [1] * 6, "the same words together"
    assert {entry.same_words for entry in by_item[:12]} == {2}
    assert review.count_queue(room.desk, teacher, SCOPE) == {"q1": 12, "q2": 6}
    assert len(list_waiting(room, teacher, item="q2")) == 6
    assert len(list_waiting(room, teacher, words_sha256=groups[0])) == 2


def test_a_cursor_of_another_order_is_refused(room: Class, teacher: Actor) -> None:
    room.grade("ada")
    cursor = review.list_queue(room.desk, teacher, SCOPE, Order.DOUBT).entries[0].cursor
    for wrong in (cursor, "x", "e30=", "", "☃"):
        with pytest.raises(RequestRefused, match="cursor"):
            review.list_queue(room.desk, teacher, SCOPE, Order.ITEM, wrong)


def test_only_the_attempt_that_counts_islist_waiting(room: Class, teacher: Actor) -> None:
    room.grade("ada", q1=HALF)
    second = room.grade("ada", q1=GOOD, attempt=2)
    assert list_waiting(room, teacher) == [(second, "q1")]
    assert len(list_waiting(room, teacher, every_attempt=True)) == 2


def test_two_reviewers_at_once_never_get_the_same_answer(room: Class, teacher: Actor, other: Actor) -> None:
    count = 24
    for number in range(count):
        room.grade(f"u{number}", q1=f"{GOOD} {number}")
    taken: dict[str, list[str]] = {"tess": [], "otto": [], "mia": []}
    reviewers = [teacher, other, room.enrol("mia", Role.INSTRUCTOR)]
    start = threading.Barrier(len(reviewers))
    failures: list[BaseException] = []

    def work(actor: Actor) -> None:
        try:
            start.wait()
            while (entry := review.take_next(room.desk, actor, SCOPE, Order.DOUBT)) is not None:
                taken[actor.id].append(entry.submission_id)
                review.decide(room.desk, actor, entry.submission_id, entry.item, Decision(2.0), 0)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(actor,)) for actor in reviewers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    got = Counter(one for ids in taken.values() for one in ids)
    assert len(got) == count
    assert set(got.values()) == {1}
    assert room.parts.count("override") == count


def test_reviewers_who_ask_at_the_same_moment_hold_different_answers(room: Class) -> None:
    for number in range(4):
        room.grade(f"u{number}", q1=f"{GOOD} {number}")
    reviewers = [room.enrol(f"r{number}", Role.INSTRUCTOR) for number in range(4)]
    for _ in range(10):
        start, got = threading.Barrier(4), list[str]()

        def ask(actor: Actor, start: threading.Barrier = start, got: list[str] = got) -> None:
            start.wait()
            entry = review.take_next(room.desk, actor, SCOPE, Order.DOUBT)
            assert entry is not None
            got.append(entry.submission_id)

        threads = [threading.Thread(target=ask, args=(actor,)) for actor in reviewers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(set(got)) == 4
        room.wait(minutes=11)


def test_who_asks_again_gets_back_what_they_hold(room: Class, teacher: Actor, other: Actor) -> None:
    for number in range(3):
        room.grade(f"u{number}")
    first = review.take_next(room.desk, teacher, SCOPE, Order.DOUBT)
    room.wait(minutes=9)
    again = review.take_next(room.desk, teacher, SCOPE, Order.DOUBT)
    assert first is not None
    assert again is not None
    assert (again.submission_id, again.held) == (first.submission_id, "you")
    room.wait(minutes=9)  # renewed: it is not over yet
    theirs = review.take_next(room.desk, other, SCOPE, Order.DOUBT)
    assert theirs is not None
    assert theirs.submission_id != first.submission_id
    passed = review.take_next(room.desk, teacher, SCOPE, Order.DOUBT, after=first.cursor)
    assert passed is not None
    assert passed.submission_id not in (first.submission_id, theirs.submission_id)


def test_an_answer_is_given_out_again_when_its_claim_is_over_or_let_go(
    room: Class, teacher: Actor, other: Actor
) -> None:
    only = room.grade("ada")
    assert review.take_next(room.desk, teacher, SCOPE, Order.DOUBT) is not None
    assert review.take_next(room.desk, other, SCOPE, Order.DOUBT) is None
    with pytest.raises(Overtaken, match="Another reviewer"):
        review.take(room.desk, other, only, "q1")
    room.wait(minutes=10)
    assert review.take_next(room.desk, other, SCOPE, Order.DOUBT) is not None
    with pytest.raises(Overtaken, match="Another reviewer"):
        review.decide(room.desk, teacher, only, "q1", Decision(1.0), 0)
    review.release(room.desk, other, only, "q1")
    assert review.take_next(room.desk, teacher, SCOPE, Order.DOUBT) is not None


def test_settling_again_changes_nothing_in_the_queue(room: Class, teacher: Actor) -> None:
    ada, only = room.enrol("ada"), room.grade("ada", q2=OTHER)
    take_and_decide(room, teacher, only, 2.0)
    review.ask_regrade(room.desk, ada, only, "q1", "why?")
    before = list_waiting(room, teacher)
    with room.parts.database.write() as unit:
        settle(unit, only)
        unit.commit()
    assert list_waiting(room, teacher) == before
    assert sorted(before) == [(only, "q1"), (only, "q2")]


def test_an_unknown_assignment_is_not_found(room: Class, teacher: Actor) -> None:
    with pytest.raises(NotFound):
        review.list_queue(room.desk, teacher, Scope("cs101", "other"), Order.DOUBT)
