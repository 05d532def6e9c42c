"""Decisions on answers: what stands in the end, of one answer and of many."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from grader.domain.people import Actor, Role
from grader.errors import Overtaken, RequestRefused
from grader.services import review
from grader.services.gradebook.overriding import take_back
from grader.services.regrade import regrade
from grader.services.review import Decision
from grader.storage.review.queue import Order
from tests.integration.parts import NOW
from tests.integration.review_parts import (
    GOOD,
    ITEMS,
    OTHER,
    SCOPE,
    Class,
    list_waiting,
    show_item,
    take_and_decide,
)


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
    shown = show_item(room, only)
    assert (shown["state"], shown["points"], shown["feedback"]) == ("reviewed", 2.75, "Nearly.")
    items = (ITEMS[0], replace(ITEMS[1], points=2.0), ITEMS[2])
    rubric = replace(room.assignment.rubric, sha256="b" * 64, items=items)
    changed = replace(room.assignment, rubric=rubric)
    assert regrade(room.parts.database, changed, NOW).confirmed == (only,)
    shown = show_item(room, only)
    assert (shown["state"], shown["points"], shown["maxPoints"]) == ("reviewed", 2.0, 2.0)
    assert regrade(room.parts.database, room.assignment, NOW).confirmed == (only,)
    assert show_item(room, only)["points"] == 2.75


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
    take_and_decide(room, teacher, only, 3.0)
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
    follows = take_and_decide(room, teacher, only, 3.0).follows
    with pytest.raises(Overtaken, match="another reviewer's"):
        review.undo(room.desk, other, only, "q1")
    follows = take_and_decide(room, other, only, 1.0, follows).follows
    assert review.undo(room.desk, other, only, "q1").points == 3.0
    assert review.undo(room.desk, other, only, "q1").points == 3.0
    assert room.parts.count("override") == 3
    review.release(room.desk, other, only, "q1")
    follows = review.read_answer(room.desk, teacher, only, "q1").follows
    take_and_decide(room, teacher, only, 2.0, follows)
    assert review.undo(room.desk, teacher, only, "q1").points == 3.0


def test_what_was_taken_back_waits_again_in_the_same_hands(room: Class, teacher: Actor, other: Actor) -> None:
    only = room.grade("ada")
    take_and_decide(room, teacher, only, 3.0)
    undone = review.undo(room.desk, teacher, only, "q1")
    assert (undone.state, undone.points) == ("needs_review", 0.0)
    assert show_item(room, only)["state"] == "needs_review"
    assert list_waiting(room, teacher) == [(only, "q1")]
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
    take_and_decide(room, other, decided, 0.5)
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
        shown = show_item(room, submission_id)
        assert (shown["points"], shown["feedback"]) == (3.5, "Good.")
    assert show_item(room, decided)["points"] == 0.5
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
    take_and_decide(room, teacher, only, 3.0)
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
    assert list_waiting(room, teacher) == []


def test_a_group_decision_leaves_alone_what_a_student_asks_about(
    room: Class, teacher: Actor, other: Actor
) -> None:
    ben, base, asked = room.enrol("ben"), room.grade("ada"), room.grade("ben")
    take_and_decide(room, other, asked, 4.0)
    review.ask_regrade(room.desk, ben, asked, "q1", "Why?")
    assert review.read_answer(room.desk, teacher, base, "q1").neighbours == ()
    take_and_decide(room, teacher, base, 1.0)
    (told,) = review.decide_group(room.desk, teacher, base, "q1", [asked])
    assert told.outcome == "already_decided"
    assert show_item(room, asked)["points"] == 4.0


@pytest.mark.parametrize("same", [2_100, 4_100])
def test_answers_that_differ_behind_a_long_beginning_are_not_alike(
    room: Class, teacher: Actor, same: int
) -> None:
    beginning = (f"{GOOD} " * 60)[:same]
    base = room.grade("ada", q1=f"{beginning} All of this is right.")
    room.grade("ben", q1=f"{beginning} None of this is right, it cannot ever be so.")
    assert review.read_answer(room.desk, teacher, base, "q1").neighbours == ()


def test_a_decision_whose_reason_is_that_of_an_undo_is_undone_as_any(room: Class, teacher: Actor) -> None:
    only = room.grade("ada")
    review.take(room.desk, teacher, only, "q1")
    decided = review.decide(room.desk, teacher, only, "q1", Decision(1.0, reason="taken back"), 0)
    undone = review.undo(room.desk, teacher, only, "q1")
    assert (undone.state, undone.points) == ("needs_review", 0.0)
    written = review.read_answer(room.desk, teacher, only, "q1").history
    assert [one.override.is_undo for one in written] == [False, True]
    assert decided.points == 1.0


def test_a_mark_that_was_taken_back_in_the_gradebook_comes_back_by_undo(room: Class, teacher: Actor) -> None:
    only = room.grade("ada")
    marked = take_and_decide(room, teacher, only, 3.0)
    cleared = take_back(room.desk, teacher, only, "q1", "taken back", marked.follows)
    assert cleared.points == 0.0
    assert review.undo(room.desk, teacher, only, "q1").points == 3.0


def test_what_an_undo_puts_back_is_no_decision_to_be_offered_to_others(
    room: Class, teacher: Actor, other: Actor
) -> None:
    base, same = room.grade("ada"), room.grade("ben")
    first = take_and_decide(room, other, base, 3.0)
    take_and_decide(room, teacher, base, 1.0, first.follows)
    assert review.undo(room.desk, teacher, base, "q1").points == 3.0
    with pytest.raises(RequestRefused, match="yourself first"):
        review.decide_group(room.desk, teacher, base, "q1", [same])
