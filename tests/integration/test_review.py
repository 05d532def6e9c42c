"""Review through its services: who gets what, who may decide, and what stands in the end."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from grader.domain.offering import Release
from grader.domain.people import Actor, Role
from grader.errors import NotFound, NotPermitted, Overtaken, RequestRefused
from grader.services import review
from grader.services.regrade import regrade
from grader.services.report import read_report, submission_document
from grader.services.review import Decision
from grader.services.standing import settle
from grader.storage.review_queue import Order, Scope
from tests.integration.parts import NOW
from tests.integration.review_parts import GOOD, HALF, ITEMS, OTHER, SCOPE, Class, make_class


@pytest.fixture
def room(tmp_path: Path) -> Class:
    return make_class(tmp_path)


@pytest.fixture
def teacher(room: Class) -> Actor:
    return room.enrol("tess", Role.INSTRUCTOR)


@pytest.fixture
def other(room: Class) -> Actor:
    return room.enrol("otto", Role.INSTRUCTOR)


def _listed(room: Class, actor: Actor, order: Order = Order.DOUBT, **scope: Any) -> list[tuple[str, str]]:
    page = review.list_queue(room.desk, actor, replace(SCOPE, **scope), order)
    return [(entry.submission_id, entry.item) for entry in page.entries]


def _item(room: Class, submission_id: str, item: str = "q1") -> dict[str, Any]:
    document = submission_document(read_report(room.parts.database, submission_id))
    return next(one for one in document["items"] if one["key"] == item)


def _decide(room: Class, actor: Actor, submission_id: str, points: float, follows: int = 0) -> review.Decided:
    review.take(room.desk, actor, submission_id, "q1")
    return review.decide(room.desk, actor, submission_id, "q1", Decision(points), follows)


def test_what_waits_is_listed_and_what_is_decided_is_not(room: Class, teacher: Actor) -> None:
    first, blank = room.grade("ada"), room.grade("ben", q1="")
    assert _listed(room, teacher) == [(first, "q1")]
    _decide(room, teacher, first, 3.0)
    assert _listed(room, teacher) == []
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
    assert len(_listed(room, teacher, item="q2")) == 6
    assert len(_listed(room, teacher, words_sha256=groups[0])) == 2


def test_a_cursor_of_another_order_is_refused(room: Class, teacher: Actor) -> None:
    room.grade("ada")
    cursor = review.list_queue(room.desk, teacher, SCOPE, Order.DOUBT).entries[0].cursor
    for wrong in (cursor, "x", "e30=", "", "☃"):
        with pytest.raises(RequestRefused, match="cursor"):
            review.list_queue(room.desk, teacher, SCOPE, Order.ITEM, wrong)


def test_only_the_attempt_that_counts_is_listed(room: Class, teacher: Actor) -> None:
    room.grade("ada", q1=HALF)
    second = room.grade("ada", q1=GOOD, attempt=2)
    assert _listed(room, teacher) == [(second, "q1")]
    assert len(_listed(room, teacher, every_attempt=True)) == 2


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


def test_a_claim_that_is_over_still_decides_while_nobody_else_came(room: Class) -> None:
    room.enrol("ada", Role.STUDENT, "A")
    assistant = room.enrol("tim", Role.TA, "A")
    only = room.grade("ada")
    review.take(room.desk, assistant, only, "q1")
    room.wait(hours=1)
    assert review.decide(room.desk, assistant, only, "q1", Decision(1.0), 0).points == 1.0
    with pytest.raises(Overtaken, match="take it again"):
        review.decide(room.desk, assistant, only, "q1", Decision(2.0), 1)


def test_a_decision_shows_in_the_submission_and_survives_a_regrade(room: Class, teacher: Actor) -> None:
    only = room.grade("ada")
    review.take(room.desk, teacher, only, "q1")
    given = Decision(concepts={"features": 2.5, "capacity": 0.25}, comment="Nearly.", reason="terse")
    decided = review.decide(room.desk, teacher, only, "q1", given, 0)
    assert (decided.state, decided.points, decided.max_points) == ("reviewed", 2.75, 4.0)
    shown = _item(room, only)
    assert (shown["state"], shown["points"], shown["feedback"]) == ("reviewed", 2.75, "Nearly.")
    items = (ITEMS[0], replace(ITEMS[1], points=2.0), ITEMS[2])
    rubric = replace(room.assignment.rubric, sha256="b" * 64, items=items)
    changed = replace(room.assignment, rubric=rubric)
    assert regrade(room.parts.database, changed, NOW).confirmed == (only,)
    shown = _item(room, only)
    assert (shown["state"], shown["points"], shown["maxPoints"]) == ("reviewed", 2.0, 2.0)
    assert regrade(room.parts.database, room.assignment, NOW).confirmed == (only,)
    assert _item(room, only)["points"] == 2.75


def test_what_is_proposed_is_accepted_in_one_act(room: Class, teacher: Actor) -> None:
    only = room.grade("ada")
    review.take(room.desk, teacher, only, "q1")
    proposed = review.read_answer(room.desk, teacher, only, "q1").proposed
    assert review.accept(room.desk, teacher, only, "q1", 0).points == proposed
    without = room.grade("ben", q2=OTHER)
    review.take(room.desk, teacher, without, "q2")
    with pytest.raises(RequestRefused, match="Nothing is proposed"):
        review.accept(room.desk, teacher, without, "q2", 0)


def test_a_decision_on_what_has_changed_meanwhile_is_refused(
    room: Class, teacher: Actor, other: Actor
) -> None:
    only = room.grade("ada")
    _decide(room, teacher, only, 3.0)
    review.take(room.desk, other, only, "q1")
    with pytest.raises(Overtaken, match="Reload"):
        review.decide(room.desk, other, only, "q1", Decision(1.0), 0)
    follows = review.read_answer(room.desk, other, only, "q1").follows
    assert review.decide(room.desk, other, only, "q1", Decision(1.0), follows).points == 1.0
    assert room.parts.count("override") == 2


def test_two_identical_clicks_at_once_are_one_decision(room: Class, teacher: Actor) -> None:
    only = room.grade("ada")
    review.take(room.desk, teacher, only, "q1")
    start, results = threading.Barrier(4), list[review.Decided]()

    def click() -> None:
        start.wait()
        results.append(review.decide(room.desk, teacher, only, "q1", Decision(3.0, comment="Good."), 0))

    threads = [threading.Thread(target=click) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 4
    assert len(set(map(repr, results))) == 1
    assert room.parts.count("override") == 1
    assert room.audited().count(("tess", "review.decide")) == 1


def test_an_instructor_changes_a_mark_outside_the_queue_only_with_a_reason(
    room: Class, teacher: Actor, other: Actor
) -> None:
    only = room.grade("ada")
    with pytest.raises(Overtaken, match="reason"):
        review.decide(room.desk, teacher, only, "ex1.runs", Decision(5.0), 0)
    late = Decision(5.0, reason="its data was missing on our side")
    assert review.decide(room.desk, teacher, only, "ex1.runs", late, 0).points == 5.0
    review.take(room.desk, other, only, "q1")
    with pytest.raises(Overtaken, match="Another reviewer"):
        review.decide(room.desk, teacher, only, "q1", Decision(4.0, reason="late"), 0)


def test_ones_last_decision_is_taken_back(room: Class, teacher: Actor, other: Actor) -> None:
    only = room.grade("ada")
    with pytest.raises(RequestRefused, match="nothing to take back"):
        review.undo(room.desk, teacher, only, "q1")
    follows = _decide(room, teacher, only, 3.0).follows
    with pytest.raises(Overtaken, match="another reviewer's"):
        review.undo(room.desk, other, only, "q1")
    follows = _decide(room, other, only, 1.0, follows).follows
    assert review.undo(room.desk, other, only, "q1").points == 3.0
    assert review.undo(room.desk, other, only, "q1").points == 3.0
    assert room.parts.count("override") == 3
    review.release(room.desk, other, only, "q1")
    follows = review.read_answer(room.desk, teacher, only, "q1").follows
    _decide(room, teacher, only, 2.0, follows)
    assert review.undo(room.desk, teacher, only, "q1").points == 3.0


def test_what_was_taken_back_waits_again_in_the_same_hands(room: Class, teacher: Actor, other: Actor) -> None:
    only = room.grade("ada")
    _decide(room, teacher, only, 3.0)
    undone = review.undo(room.desk, teacher, only, "q1")
    assert (undone.state, undone.points) == ("needs_review", 0.0)
    assert _item(room, only)["state"] == "needs_review"
    assert _listed(room, teacher) == [(only, "q1")]
    assert review.take_next(room.desk, other, SCOPE, Order.DOUBT) is None
    assert review.decide(room.desk, teacher, only, "q1", Decision(1.0), undone.follows).points == 1.0


def test_a_decision_goes_to_those_who_say_the_same_and_to_no_one_else(
    room: Class, teacher: Actor, other: Actor
) -> None:
    base = room.grade("ada", q1=GOOD)
    same, near = room.grade("ben", q1=GOOD.upper()), room.grade("cem", q1=GOOD.replace("digits", "images"))
    denied = room.grade("dora", q1=GOOD.replace("forces", "does not force"))
    unlike, held = room.grade("eli", q1=OTHER), room.grade("fay", q1=GOOD)
    decided = room.grade("gus", q1=GOOD)
    _decide(room, other, decided, 0.5)
    review.take(room.desk, other, held, "q1")
    with pytest.raises(RequestRefused, match="yourself first"):
        review.decide_group(room.desk, teacher, base, "q1", [same])
    review.take(room.desk, teacher, base, "q1")
    view = review.read_answer(room.desk, teacher, base, "q1")
    assert {(one.submission_id, one.held) for one in view.neighbours} == {
        (same, ""),
        (near, ""),
        (held, "another"),
    }
    review.decide(room.desk, teacher, base, "q1", Decision(3.5, comment="Good."), 0)
    ticked = [base, same, near, denied, unlike, held, decided, "f" * 32]
    outcomes = {
        one.submission_id: one.outcome for one in review.decide_group(room.desk, teacher, base, "q1", ticked)
    }
    assert outcomes == {
        same: "decided", near: "decided", denied: "not_alike", unlike: "not_alike", held: "held",
        decided: "already_decided", "f" * 32: "not_found",
    }  # fmt: skip
    for submission_id in (same, near):
        shown = _item(room, submission_id)
        assert (shown["points"], shown["feedback"]) == (3.5, "Good.")
    assert _item(room, decided)["points"] == 0.5
    again = review.decide_group(room.desk, teacher, base, "q1", [same])
    assert again[0].outcome == "already_decided"
    with pytest.raises(RequestRefused, match="at most"):
        review.decide_group(room.desk, teacher, base, "q1", [str(number) for number in range(201)])


def test_answers_proposed_for_other_points_are_no_neighbours(room: Class, teacher: Actor) -> None:
    base = room.grade("ada", q1=GOOD)
    far = room.grade("ben", q1=GOOD)
    with room.parts.engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE mark SET proposed = proposed - 1.01 WHERE submission_id = ?", (far,)
        )
    assert review.read_answer(room.desk, teacher, base, "q1").neighbours == ()
    with room.parts.engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE mark SET proposed = proposed + 0.01 WHERE submission_id = ?", (far,)
        )
    assert [one.submission_id for one in review.read_answer(room.desk, teacher, base, "q1").neighbours] == [
        far
    ]


def test_a_reviewer_sees_question_words_proposal_and_history(room: Class, teacher: Actor) -> None:
    long = GOOD + " And so on, and so on." * 300
    only = room.grade("ada", q1=long)
    _decide(room, teacher, only, 3.0)
    view = review.read_answer(room.desk, teacher, only, "q1")
    assert (view.prompt, view.title, view.text) == ("Why does a bottleneck help?", "Bottleneck", long)
    assert [concept.name for concept in view.concepts] == ["Important features", "Limited capacity"]
    first = view.concepts[0]
    assert first.span is not None
    assert "bottleneck" in view.text[first.span[0] : first.span[1]]
    assert first.matched in first.statements
    assert [(one.override.points, one.override.actor) for one in view.history] == [(3.0, "tess")]
    assert view.follows == view.history[-1].id


def test_an_answer_drawn_for_the_audit_is_looked_at_once(room: Class, teacher: Actor) -> None:
    only = room.grade("ada")
    with room.parts.engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE mark SET state = 'auto', is_audited = 1, in_queue = 1 WHERE item = 'q1'"
        )
    page = review.list_queue(room.desk, teacher, SCOPE, Order.DOUBT)
    assert [entry.why for entry in page.entries] == [("audit",)]
    review.take(room.desk, teacher, only, "q1")
    review.accept(room.desk, teacher, only, "q1", 0)
    assert _listed(room, teacher) == []


_VERBS: dict[str, Callable[[Class, Actor, str], Any]] = {
    "take": lambda room, actor, one: review.take(room.desk, actor, one, "q1"),
    "release": lambda room, actor, one: review.release(room.desk, actor, one, "q1"),
    "read": lambda room, actor, one: review.read_answer(room.desk, actor, one, "q1"),
    "decide": lambda room, actor, one: review.decide(
        room.desk, actor, one, "q1", Decision(1.0, reason="x"), 0
    ),
    "accept": lambda room, actor, one: review.accept(room.desk, actor, one, "q1", 0, reason="x"),
    "undo": lambda room, actor, one: review.undo(room.desk, actor, one, "q1"),
    "group": lambda room, actor, one: review.decide_group(room.desk, actor, one, "q1", [one]),
    "reveal": lambda room, actor, one: review.reveal(room.desk, actor, one, "q1"),
    "answer": lambda room, actor, one: review.answer_request(room.desk, actor, one, "q1", "no"),
}


@pytest.mark.parametrize("verb", _VERBS)
def test_an_assistant_reaches_no_answer_of_another_section(room: Class, verb: str) -> None:
    room.enrol("ada", Role.STUDENT, "A")
    room.enrol("ben", Role.STUDENT, "B")
    theirs = room.grade("ben")
    for assistant in (room.enrol("tim", Role.TA, "A"), room.enrol("nora", Role.TA)):
        with pytest.raises(NotFound):
            _VERBS[verb](room, assistant, theirs)
    assert room.parts.count("override") == room.parts.count("claim") == room.parts.count("audit") == 0


@pytest.mark.parametrize("verb", _VERBS)
def test_a_student_or_a_stranger_reaches_no_answer(room: Class, verb: str) -> None:
    student, stranger = room.enrol("ada", Role.STUDENT, "A"), Actor("eve", "Eve")
    own = room.grade("ada")
    for actor in (student, stranger):
        with pytest.raises(NotFound):
            _VERBS[verb](room, actor, own)
    assert room.parts.count("override") == room.parts.count("claim") == room.parts.count("audit") == 0


def test_an_assistant_sees_the_queue_of_their_sections_only(room: Class) -> None:
    for user, section in (("ada", "A"), ("ben", "B"), ("cem", "B")):
        room.enrol(user, Role.STUDENT, section)
    assistant = room.enrol("tim", Role.TA, "A")
    hers, his = room.grade("ada"), room.grade("ben")
    room.grade("cem", q1=GOOD.replace("digits", "images"))
    own = room.grade("tim")
    assert _listed(room, assistant) == [(hers, "q1")]
    assert _listed(room, assistant, Order.ITEM, sections=frozenset({"B"})) == []
    assert review.list_queue(room.desk, assistant, SCOPE, Order.DOUBT).entries[0].same_words == 1
    assert review.count_queue(room.desk, assistant, SCOPE) == {"q1": 1}
    assert review.read_answer(room.desk, assistant, hers, "q1").neighbours == ()
    review.take(room.desk, assistant, hers, "q1")
    review.decide(room.desk, assistant, hers, "q1", Decision(1.0), 0)
    assert review.decide_group(room.desk, assistant, hers, "q1", [his, own])[0].outcome == "not_found"
    assert review.take_next(room.desk, assistant, SCOPE, Order.DOUBT) is None


def test_who_does_not_teach_sees_neither_queue_nor_comments(room: Class) -> None:
    room.grade("ada")
    for actor in (room.enrol("ada"), Actor("eve", "Eve")):
        for ask in (review.list_queue, review.take_next):
            with pytest.raises(NotPermitted):
                ask(room.desk, actor, SCOPE, Order.DOUBT)
        with pytest.raises(NotPermitted):
            review.count_queue(room.desk, actor, SCOPE)
        with pytest.raises(NotPermitted):
            review.list_comments(room.desk, actor, "cs101", "hw", "q1")
        with pytest.raises(NotPermitted):
            review.add_comment(room.desk, actor, "cs101", "hw", "q1", "Good.")
        with pytest.raises(NotPermitted):
            review.delete_comment(room.desk, actor, "cs101", "hw", 1)


def test_names_are_hidden_until_they_are_asked_for_and_that_is_written_down(
    room: Class, teacher: Actor
) -> None:
    room.enrol("ada", name="Ada Lovelace")
    only, ours = room.grade("ada"), room.grade("ben")
    first, second = review.list_queue(room.desk, teacher, SCOPE, Order.DOUBT).entries
    assert first.student != second.student
    assert first.student == review.read_answer(room.desk, teacher, first.submission_id, "q1").student
    told = review.reveal(room.desk, teacher, only, "q1")
    assert (told.user_id, told.name) == ("ada", "Ada Lovelace")
    assert ("tess", "review.reveal") in room.audited()
    room.offer(is_anonymous=False)
    names = {
        entry.submission_id: entry.student
        for entry in review.list_queue(room.desk, teacher, SCOPE, Order.DOUBT).entries
    }
    assert names == {only: "Ada Lovelace", ours: "ben"}


def test_comments_are_kept_counted_and_deleted(room: Class, teacher: Actor) -> None:
    assistant = room.enrol("tim", Role.TA, "A")
    add = lambda actor, text: review.add_comment(room.desk, actor, "cs101", "hw", "q1", text)  # noqa: E731
    rare, often = add(teacher, "Rare."), add(assistant, " Name the bottleneck. ")
    assert add(teacher, "Rare.").id == rare.id
    only = room.grade("ada")
    review.take(room.desk, teacher, only, "q1")
    review.decide(room.desk, teacher, only, "q1", Decision(1.0, comment="Name the bottleneck."), 0)
    listed = review.list_comments(room.desk, teacher, "cs101", "hw", "q1")
    assert [(one.text, one.uses) for one in listed] == [("Name the bottleneck.", 1), ("Rare.", 0)]
    with pytest.raises(NotPermitted):
        review.delete_comment(room.desk, assistant, "cs101", "hw", rare.id)
    review.delete_comment(room.desk, assistant, "cs101", "hw", often.id)
    review.delete_comment(room.desk, teacher, "cs101", "hw", rare.id)
    assert review.list_comments(room.desk, teacher, "cs101", "hw", "q1") == []
    assert _item(room, only)["feedback"] == "Name the bottleneck."
    for text in ("", " ", "x" * 2001):
        with pytest.raises(RequestRefused):
            add(teacher, text)
    with pytest.raises(NotFound):
        review.add_comment(room.desk, teacher, "cs101", "hw", "q99", "Good.")


def test_a_student_asks_and_a_reviewer_answers_with_another_mark(room: Class, teacher: Actor) -> None:
    ada = room.enrol("ada")
    only = room.grade("ada")
    follows = _decide(room, teacher, only, 2.0).follows
    review.ask_regrade(room.desk, ada, only, "q1", "  I named both reasons. ")
    entry = review.list_queue(room.desk, teacher, replace(SCOPE, asked_only=True), Order.DOUBT).entries[0]
    assert (entry.submission_id, entry.why, entry.points) == (only, ("request",), 2.0)
    assert review.read_answer(room.desk, teacher, only, "q1").requests[0].text == "I named both reasons."
    with pytest.raises(RequestRefused, match="already"):
        review.ask_regrade(room.desk, ada, only, "q1", "Again?")
    answered = review.answer_request(room.desk, teacher, only, "q1", "You did.", Decision(3.0), follows)
    assert answered.points == 3.0
    assert _listed(room, teacher) == []
    assert [one.answer for one in review.list_requests(room.desk, ada, only)] == ["You did."]
    with pytest.raises(Overtaken, match="No question waits"):
        review.answer_request(room.desk, teacher, only, "q1", "Twice.")


def test_a_question_may_be_answered_without_another_mark(room: Class, teacher: Actor, other: Actor) -> None:
    ada, only = room.enrol("ada"), room.grade("ada")
    review.ask_regrade(room.desk, ada, only, "ex1.runs", "It ran at home.")
    assert (only, "ex1.runs") in _listed(room, teacher)
    review.take(room.desk, other, only, "ex1.runs")
    with pytest.raises(Overtaken):
        review.answer_request(room.desk, teacher, only, "ex1.runs", "No.")
    assert review.answer_request(room.desk, other, only, "ex1.runs", "It did not here.").state == "auto"
    assert (only, "ex1.runs") not in _listed(room, teacher)
    review.ask_regrade(room.desk, ada, only, "ex1.runs", "Are you sure?")


def test_a_question_about_an_attempt_that_does_not_count_is_in_the_queue(room: Class, teacher: Actor) -> None:
    ada, first = room.enrol("ada"), room.grade("ada", q1=HALF)
    room.grade("ada", attempt=2)
    assert (first, "q1") not in _listed(room, teacher)
    review.ask_regrade(room.desk, ada, first, "q1", "Please look.")
    assert (first, "q1") in _listed(room, teacher)


def test_a_student_asks_only_about_what_is_their_own_graded_and_released(room: Class) -> None:
    ada, ben = room.enrol("ada"), room.enrol("ben")
    only = room.grade("ada")
    ask = lambda actor, item, text="why?": review.ask_regrade(room.desk, actor, only, item, text)  # noqa: E731
    with pytest.raises(NotFound):
        ask(ben, "q1")
    with pytest.raises(NotFound):
        review.list_requests(room.desk, ben, only)
    with pytest.raises(NotFound):
        ask(ada, "q99")
    for text in ("", "  ", "x" * 2001):
        with pytest.raises(RequestRefused):
            ask(ada, "q1", text)
    room.offer(release=Release.WHEN_PUBLISHED, releases={"ex1": Release.AT_ONCE})
    with pytest.raises(NotFound, match="released"):
        ask(ada, "q1")
    ask(ada, "ex1.runs")
    queued = room.parts.submit(user="ada")["id"]
    with pytest.raises(NotFound):
        review.ask_regrade(room.desk, ada, queued, "q1", "why?")


def test_every_act_is_in_the_log_and_no_students_words(room: Class, teacher: Actor) -> None:
    ada, only, same = room.enrol("ada"), room.grade("ada"), room.grade("ben")
    kept = review.add_comment(room.desk, teacher, "cs101", "hw", "q1", "Good.")
    review.read_answer(room.desk, teacher, only, "q1")
    review.take(room.desk, teacher, only, "q1")
    review.take(room.desk, teacher, only, "q1")
    review.read_answer(room.desk, teacher, only, "q1")
    review.release(room.desk, teacher, only, "q1")
    review.take(room.desk, teacher, only, "q1")
    follows = review.accept(room.desk, teacher, only, "q1", 0).follows
    follows = review.undo(room.desk, teacher, only, "q1").follows
    review.decide(room.desk, teacher, only, "q1", Decision(2.0), follows)
    review.decide_group(room.desk, teacher, only, "q1", [same])
    review.reveal(room.desk, teacher, only, "q1")
    review.ask_regrade(room.desk, ada, only, "q1", "A secret question")
    review.answer_request(room.desk, teacher, only, "q1", "A secret answer")
    review.delete_comment(room.desk, teacher, "cs101", "hw", kept.id)
    acts = "comment.add review.read review.take review.release review.take review.accept review.undo " \
        "review.decide review.decide_group review.reveal"  # fmt: skip
    assert room.audited() == [
        *(("tess", act) for act in acts.split()),
        ("ada", "regrade.ask"),
        ("tess", "regrade.answer"),
        ("tess", "comment.delete"),
    ]
    with room.parts.database.read() as unit:
        details = str([entry.details for entry in unit.audit.page()])
    assert "secret" not in details
    assert "bottleneck" not in details


def test_settling_again_changes_nothing_in_the_queue(room: Class, teacher: Actor) -> None:
    ada, only = room.enrol("ada"), room.grade("ada", q2=OTHER)
    _decide(room, teacher, only, 2.0)
    review.ask_regrade(room.desk, ada, only, "q1", "why?")
    before = _listed(room, teacher)
    with room.parts.database.write() as unit:
        settle(unit, only)
        unit.commit()
    assert _listed(room, teacher) == before
    assert sorted(before) == [(only, "q1"), (only, "q2")]


def test_an_unknown_assignment_is_not_found(room: Class, teacher: Actor) -> None:
    with pytest.raises(NotFound):
        review.list_queue(room.desk, teacher, Scope("cs101", "other"), Order.DOUBT)
