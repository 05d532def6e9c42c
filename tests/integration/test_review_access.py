"""Who reaches which answers, what they see of students, and what is written down of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from grader.domain.people import Actor, Role
from grader.errors import NotFound, NotPermitted
from grader.services import review
from grader.services.review import Decision
from grader.storage.review.queue import Order
from tests.integration.parts import NOW
from tests.integration.review_parts import (
    GOOD,
    SCOPE,
    Class,
    list_waiting,
    show_item,
    take_and_decide,
)

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
def test_an_assistant_has_nothing_to_do_with_their_own_work_or_a_colleagues(room: Class, verb: str) -> None:
    assistant, _ = room.enrol("tim", Role.TA, "A"), room.enrol("tom", Role.TA, "A")
    for work in (room.grade("tim"), room.grade("tom")):
        with pytest.raises(NotFound):
            _VERBS[verb](room, assistant, work)
    assert room.parts.count("override") == room.parts.count("claim") == room.parts.count("audit") == 0


@pytest.mark.parametrize("item", ["q1", "ex1.runs"])
def test_after_grades_are_published_an_assistant_changes_only_what_is_in_the_queue(
    room: Class, teacher: Actor, item: str
) -> None:
    assistant, ada = room.enrol("tim", Role.TA, "A"), room.enrol("ada", Role.STUDENT, "A")
    only = room.grade("ada")
    if item == "q1":
        review.take(room.desk, assistant, only, item)
        follows = review.decide(room.desk, assistant, only, item, Decision(4.0), 0).follows
    else:
        follows = 0
    room.offer(published_at=NOW)
    stood = show_item(room, only, item)["points"]
    review.take(room.desk, assistant, only, item)
    for act in (
        lambda: review.decide(room.desk, assistant, only, item, Decision(0.0, reason="x"), follows),
        lambda: review.undo(room.desk, assistant, only, item),
    ):
        with pytest.raises(NotPermitted, match="published"):
            act()
    assert not review.read_answer(room.desk, assistant, only, item).may_change
    assert show_item(room, only, item)["points"] == stood
    review.release(room.desk, assistant, only, item)
    review.ask_regrade(room.desk, ada, only, item, "Please look again.")
    review.take(room.desk, assistant, only, item)
    review.answer_request(room.desk, assistant, only, item, "Yes.", Decision(1.0), follows)
    assert show_item(room, only, item)["points"] == 1.0


def test_what_waits_for_nobody_an_assistant_changes_in_the_gradebook_alone(
    room: Class, teacher: Actor
) -> None:
    room.enrol("ada", Role.STUDENT, "A")
    assistant, only = room.enrol("tim", Role.TA, "A"), room.grade("ada")
    take_and_decide(room, teacher, only, 3.0)
    review.take(room.desk, assistant, only, "q1")
    with pytest.raises(NotPermitted, match="gradebook"):
        review.decide(room.desk, assistant, only, "q1", Decision(0.0, reason="x"), 1)


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
    room.enrol("tom", Role.TA, "A")
    room.grade("tom")
    assert list_waiting(room, assistant) == [(hers, "q1")]
    assert list_waiting(room, assistant, Order.ITEM, sections=frozenset({"B"})) == []
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
