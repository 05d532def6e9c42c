"""Comments that are kept, and what students ask about their marks."""

from __future__ import annotations

from dataclasses import replace

import pytest

from grader.domain.offering import Release
from grader.domain.people import Actor, Role
from grader.errors import NotFound, NotPermitted, Overtaken, RequestRefused
from grader.services import review
from grader.services.review import Decision
from grader.storage.review.queue import Order
from tests.integration.review_parts import (
    HALF,
    SCOPE,
    Class,
    list_waiting,
    show_item,
    take_and_decide,
)


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
    assert show_item(room, only)["feedback"] == "Name the bottleneck."
    for text in ("", " ", "x" * 2001):
        with pytest.raises(RequestRefused):
            add(teacher, text)
    with pytest.raises(NotFound):
        review.add_comment(room.desk, teacher, "cs101", "hw", "q99", "Good.")


def test_a_student_asks_and_a_reviewer_answers_with_another_mark(room: Class, teacher: Actor) -> None:
    ada = room.enrol("ada")
    only = room.grade("ada")
    follows = take_and_decide(room, teacher, only, 2.0).follows
    review.ask_regrade(room.desk, ada, only, "q1", "  I named both reasons. ")
    entry = review.list_queue(room.desk, teacher, replace(SCOPE, asked_only=True), Order.DOUBT).entries[0]
    assert (entry.submission_id, entry.why, entry.points) == (only, ("request",), 2.0)
    assert review.read_answer(room.desk, teacher, only, "q1").requests[0].text == "I named both reasons."
    with pytest.raises(RequestRefused, match="already"):
        review.ask_regrade(room.desk, ada, only, "q1", "Again?")
    answered = review.answer_request(room.desk, teacher, only, "q1", "You did.", Decision(3.0), follows)
    assert answered.points == 3.0
    assert list_waiting(room, teacher) == []
    assert [one.answer for one in review.list_requests(room.desk, ada, only)] == ["You did."]
    with pytest.raises(Overtaken, match="No question waits"):
        review.answer_request(room.desk, teacher, only, "q1", "Twice.")


def test_a_question_may_be_answered_without_another_mark(room: Class, teacher: Actor, other: Actor) -> None:
    ada, only = room.enrol("ada"), room.grade("ada")
    review.ask_regrade(room.desk, ada, only, "ex1.runs", "It ran at home.")
    assert (only, "ex1.runs") in list_waiting(room, teacher)
    review.take(room.desk, other, only, "ex1.runs")
    with pytest.raises(Overtaken):
        review.answer_request(room.desk, teacher, only, "ex1.runs", "No.")
    assert review.answer_request(room.desk, other, only, "ex1.runs", "It did not here.").state == "auto"
    assert (only, "ex1.runs") not in list_waiting(room, teacher)
    review.ask_regrade(room.desk, ada, only, "ex1.runs", "Are you sure?")


def test_a_question_about_an_attempt_that_does_not_count_is_in_the_queue(room: Class, teacher: Actor) -> None:
    ada, first = room.enrol("ada"), room.grade("ada", q1=HALF)
    room.grade("ada", attempt=2)
    assert (first, "q1") not in list_waiting(room, teacher)
    review.ask_regrade(room.desk, ada, first, "q1", "Please look.")
    assert (first, "q1") in list_waiting(room, teacher)


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
