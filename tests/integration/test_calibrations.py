"""Learning from decisions on a real database: what is learned, when, from what, and how well it did."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from grader.checks.judge import judge
from grader.domain.answer_calibration import AnswerCalibration
from grader.domain.answers import Answer, AnswerState
from grader.domain.grade import ItemGrade, ItemState
from grader.domain.offering import Offering
from grader.domain.override import Override
from grader.domain.people import Actor, Membership, Role
from grader.domain.rubric import Alone, Item, Policy
from grader.services.grades.standing import settle
from grader.services.proposals.calibrations import correct_record, learn, load_calibrations
from grader.services.proposals.reliability import measure_reliability
from grader.services.regrade import regrade
from grader.services.review.access import Desk
from grader.services.review.reading import read_answer
from grader.storage.standings import Mark
from tests.integration.parts import NOW, Parts, make_parts
from tests.unit.judging import make_evidence
from tests.unit.marked import DATA, homework

ANSWERS = [
    (entry["answer"], entry["points"])
    for name in ("answers_dev", "answers_held_out")
    for entry in json.loads((DATA / f"{name}.json").read_text("utf-8"))["answers"]
    if entry["question"] == "q1"
]
WRONG = "The network memorises every image, because a bottleneck makes it remember the pixels better."


@pytest.fixture
def parts(tmp_path: Path) -> Parts:
    made = make_parts(tmp_path)
    use_policy(made, Alone.BLANK)
    return made


def use_policy(parts: Parts, alone: Alone) -> None:
    rubric = replace(homework().rubric, id="hw", policy=Policy(written_answers=alone))
    parts.assignments["hw"] = replace(homework(), rubric=replace(rubric, sha256=rubric.sha256 + alone))


def hand_in(parts: Parts, text: str, user: str) -> str:
    """Submit, measure and judge as the worker does."""
    submission_id: str = parts.submit(f"print({user!r})", user)["id"]
    evidence = make_evidence(Answer("q1", AnswerState.ANSWERED, text, cells=(7,)))
    with parts.database.write() as unit:
        stored = unit.evidence.add(submission_id, evidence, {}, NOW)
        known = load_calibrations(unit, "cs101", "hw")
        grade = judge(parts.assignments["hw"].rubric, replace(evidence, calibrations=known))
        unit.grades.add(submission_id, stored, grade, NOW, follows=None)
        settle(unit, submission_id)
        unit.commit()
    return submission_id


def decide(parts: Parts, submission_id: str, points: float | None) -> AnswerCalibration | None:
    """A teacher gives points for q1, or takes back what stood."""
    with parts.database.write() as unit:
        before = unit.overrides.newest(submission_id).get("q1")
        override = Override("q1", points, "key:ta")
        unit.overrides.add(submission_id, override, NOW, follows=before.id if before else 0)
        settle(unit, submission_id)
        learned = learn(unit, "cs101", "hw", "q1", NOW)
        unit.commit()
    return learned


def review_class(parts: Parts, count: int) -> list[str]:
    """So many students hand in and are marked as the file says."""
    submissions = []
    for at, (text, points) in enumerate(ANSWERS[:count]):
        submissions.append(hand_in(parts, text, f"student{at}"))
        decide(parts, submissions[-1], points)
    return submissions


def teach(parts: Parts, rounds: int = 4) -> AnswerCalibration:
    """A class so large, of answers on which teacher and proposal agree, that clear answers are certain."""
    for at in range(10 * rounds):
        text = ANSWERS[0][0] if at % 2 else WRONG
        padding = "This is what I think. " * at  # equal answers would count once
        submission_id = hand_in(parts, f"{text} {padding}", f"taught{at}")
        decide(parts, submission_id, 4.0 if at % 2 else 0.0)
    with parts.database.read() as unit:
        return load_calibrations(unit, "cs101", "hw")["q1"]


def item_of(parts: Parts, submission_id: str) -> ItemGrade:
    with parts.database.read() as unit:
        stored = unit.grades.newest(submission_id)
    assert stored is not None
    return next(item for item in stored.grade.items if item.key == "q1")


def mark_of(parts: Parts, submission_id: str) -> Mark:
    with parts.database.read() as unit:
        return next(
            mark for mark in unit.standings.marks_of([submission_id])[submission_id] if mark.item == "q1"
        )


def test_five_decisions_calibrate_a_question_and_four_do_not(parts: Parts) -> None:
    readable = [at for at, (text, _) in enumerate(ANSWERS) if len(text.split()) > 12][:5]
    learned = [decide(parts, hand_in(parts, ANSWERS[at][0], f"s{at}"), ANSWERS[at][1]) for at in readable]
    assert learned[:4] == [None] * 4
    assert learned[4] is not None
    assert learned[4].marks == 5
    waiting = item_of(parts, hand_in(parts, ANSWERS[0][0], "ada"))
    assert (waiting.state, waiting.points) == (ItemState.NEEDS_REVIEW, 0.0)
    assert waiting.confidence is not None
    assert waiting.confidence <= 0.834  # five of six


def test_learning_again_without_a_new_decision_changes_nothing(parts: Parts) -> None:
    review_class(parts, 12)
    rows = parts.count("answer_calibration")
    with parts.database.write() as unit:
        learned = learn(unit, "cs101", "hw", "q1", NOW)
        assert learned == load_calibrations(unit, "cs101", "hw")["q1"]
        unit.commit()
    assert parts.count("answer_calibration") == rows


def test_a_mark_that_is_changed_or_taken_back_no_longer_teaches(parts: Parts) -> None:
    submissions = review_class(parts, 14)
    with parts.database.read() as unit:
        before = load_calibrations(unit, "cs101", "hw")["q1"]
    changed = decide(parts, submissions[0], 0.0)
    assert changed is not None
    assert changed.id != before.id
    restored = decide(parts, submissions[0], ANSWERS[0][1])
    assert restored is not None
    assert restored.id == before.id
    taken_back = decide(parts, submissions[0], None)
    assert taken_back is not None
    assert taken_back.marks == before.marks - 1


def test_learning_is_safe_where_there_is_nothing_to_learn_from(parts: Parts) -> None:
    blank = hand_in(parts, "   ", "ada")
    assert decide(parts, blank, 1.0) is None
    with parts.database.write() as unit:
        assert learn(unit, "cs101", "hw", "no such item", NOW) is None
        assert learn(unit, "cs102", "hw", "q1", NOW) is None
        assert measure_reliability(unit, "cs101", "hw")[0] == {}


def test_what_one_course_teaches_is_not_another_courses(parts: Parts) -> None:
    review_class(parts, 10)
    with parts.database.read() as unit:
        assert load_calibrations(unit, "cs102", "hw") == {}


def test_a_proposal_that_was_stored_before_is_shown_as_todays_calibration_sees_it(parts: Parts) -> None:
    early = hand_in(parts, ANSWERS[1][0], "early")
    assert item_of(parts, early).confidence is None
    review_class(parts, 12)
    proposal = item_of(parts, early).evidence["proposal"]
    with parts.database.read() as unit:
        seen = correct_record(proposal, load_calibrations(unit, "cs101", "hw"), "q1")
    assert seen["confidence"] is not None
    assert seen["points"] == proposal["points"]


def test_certain_answers_are_accepted_and_doubtful_ones_wait(parts: Parts) -> None:
    use_policy(parts, Alone.CERTAIN)
    teach(parts)
    accepted = hand_in(parts, ANSWERS[0][0], "ada")
    assert (mark_of(parts, accepted).state, mark_of(parts, accepted).points) == ("auto", 4.0)
    assert mark_of(parts, hand_in(parts, "I don't know.", "ben")).state == "needs_review"


def test_a_tenth_of_what_is_accepted_is_drawn_for_the_audit_and_no_more(parts: Parts) -> None:
    use_policy(parts, Alone.CERTAIN)
    teach(parts)
    accepted = [hand_in(parts, f"{ANSWERS[0][0]} {at}", f"class{at}") for at in range(80)]
    drawn = [submission_id for submission_id in accepted if mark_of(parts, submission_id).is_audited]
    assert {mark_of(parts, submission_id).state for submission_id in accepted} == {"auto"}
    assert 0 < len(drawn) < 24  # beyond, chance would have to be one in a million
    decide(parts, drawn[0], 4.0)
    assert not mark_of(parts, drawn[0]).is_audited  # it has been looked at


def test_blank_answers_and_waiting_ones_are_never_audited(parts: Parts) -> None:
    use_policy(parts, Alone.CERTAIN)
    with parts.database.write() as unit:
        unit.offerings.put("cs101", "hw", Offering(audited_share=1.0), NOW)
        unit.commit()
    assert not mark_of(parts, hand_in(parts, "  ", "ada")).is_audited
    assert not mark_of(parts, hand_in(parts, ANSWERS[0][0], "ben")).is_audited
    teach(parts)
    assert mark_of(parts, hand_in(parts, ANSWERS[0][0], "cyd")).is_audited


def test_reliability_counts_predictions_made_before_the_mark_was_known(parts: Parts) -> None:
    review_class(parts, len(ANSWERS))
    with parts.database.read() as unit:
        by_item, total = measure_reliability(unit, "cs101", "hw")
    assert by_item == {"q1": total}
    assert total.marks == len([text for text, _ in ANSWERS if text.strip()])
    assert 0 < total.predictions < total.marks - 4  # the first five were predicted by nobody
    assert total.marks // 2 < total.confirmed_proposals < total.marks
    assert sum(one.predictions for one in total.bins) == total.predictions
    assert sum(one.confirmed for one in total.bins) == total.confirmed
    assert 0.6 < total.confirmed / total.predictions <= 1
    assert (total.accepted, total.audited) == (0, 0)


def test_an_audit_that_contradicts_is_counted_against_what_was_accepted(parts: Parts) -> None:
    use_policy(parts, Alone.CERTAIN)
    with parts.database.write() as unit:
        unit.offerings.put("cs101", "hw", Offering(audited_share=1.0), NOW)
        unit.commit()
    teach(parts)
    before = reliability_of(parts)
    late = [hand_in(parts, f"{ANSWERS[0][0]} again {at}", f"late{at}") for at in range(2)]
    decide(parts, late[0], 4.0)
    decide(parts, late[1], 1.0)
    assert added_since(parts, before) == [2, 1, 1, 2, 1]
    decide(parts, late[1], 4.0)  # on second thoughts: what stood before any human looked is what counts
    assert added_since(parts, before) == [2, 2, 0, 2, 2]


def added_since(parts: Parts, before: tuple[int, ...]) -> list[int]:
    return [new - old for new, old in zip(reliability_of(parts), before, strict=True)]


def reliability_of(parts: Parts) -> tuple[int, ...]:
    with parts.database.read() as unit:
        total = measure_reliability(unit, "cs101", "hw")[1]
    return (
        total.accepted,
        total.accepted_confirmed,
        total.accepted_far_off,
        total.audited,
        total.audited_confirmed,
    )


def test_a_regrade_takes_a_new_calibration_in_where_it_decides_and_nowhere_else(parts: Parts) -> None:
    early = hand_in(parts, ANSWERS[0][0], "early")
    teach(parts)
    assert regrade(parts.database, parts.assignments["hw"], NOW).changed == ()
    assert item_of(parts, early).confidence is None  # it waits anyway; whoever reviews it sees today's
    use_policy(parts, Alone.CERTAIN)
    assert early in regrade(parts.database, parts.assignments["hw"], NOW).changed
    assert item_of(parts, early).state is ItemState.AUTO
    assert regrade(parts.database, parts.assignments["hw"], NOW).changed == ()


def test_a_new_scorer_judges_anew_with_the_next_regrade(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    early = hand_in(parts, ANSWERS[0][0], "early")
    assert regrade(parts.database, parts.assignments["hw"], NOW).untouched == (early,)
    monkeypatch.setattr("grader.checks.judge.SCORER", 10_000)
    assert regrade(parts.database, parts.assignments["hw"], NOW).untouched == ()


def test_marks_that_stand_teach_a_changed_question_after_a_regrade(parts: Parts) -> None:
    review_class(parts, 14)
    with parts.database.read() as unit:
        before = load_calibrations(unit, "cs101", "hw")["q1"]
    rubric = parts.assignments["hw"].rubric
    items = tuple(reworded(item) if item.key == "q1" else item for item in rubric.items)
    parts.assignments["hw"] = replace(
        parts.assignments["hw"], rubric=replace(rubric, items=items, sha256="f" * 64)
    )
    regrade(parts.database, parts.assignments["hw"], NOW)
    with parts.database.read() as unit:
        after = load_calibrations(unit, "cs101", "hw")["q1"]
    assert after.question_sha256 != before.question_sha256
    assert after.marks == before.marks


def reworded(item: Item) -> Item:
    first, *others = item.concepts
    more = replace(first, statements=(*first.statements, "There are too few numbers for all the pixels."))
    return replace(item, concepts=(more, *others))


def test_marks_teach_the_share_that_was_given_when_a_question_gets_more_points(parts: Parts) -> None:
    submissions = review_class(parts, 12)
    with parts.database.read() as unit:
        before = {one.submission_id: one.given for one in unit.calibrations.newest_marks("cs101", "hw")}
    rubric = parts.assignments["hw"].rubric
    items = tuple(_double_and_reword(item) for item in rubric.items)
    parts.assignments["hw"] = replace(
        parts.assignments["hw"], rubric=replace(rubric, items=items, sha256="2" * 64)
    )
    assert regrade(parts.database, parts.assignments["hw"], NOW).failed == ()
    with parts.database.read() as unit:
        after = {one.submission_id: one.given for one in unit.calibrations.newest_marks("cs101", "hw")}
    assert len(after) == len(submissions)
    assert after == before


def _double_and_reword(item: Item) -> Item:
    if item.key != "q1":
        return item
    concepts = tuple(
        replace(one, points=2 * one.points, statements=(*one.statements, "It cannot copy."))
        for one in item.concepts
    )
    return replace(item, points=2 * item.points, concepts=concepts)


def test_an_erased_submission_takes_its_mark_along(parts: Parts) -> None:
    with parts.engine.connect() as connection:
        (rule,) = [
            row
            for row in connection.exec_driver_sql("PRAGMA foreign_key_list(answer_mark)").mappings()
            if row["table"] == "submission"
        ]
    assert rule["on_delete"] == "CASCADE"


def test_a_reviewer_sees_how_certain_todays_marks_are_of_an_answer_judged_before(parts: Parts) -> None:
    early = hand_in(parts, ANSWERS[1][0], "early")
    desk = Desk(parts.database, parts.assignments, clock=lambda: NOW)
    teacher = Actor("key:t", "A teacher", {"cs101": Membership("cs101", Role.INSTRUCTOR)})
    before = read_answer(desk, teacher, early, "q1")
    assert (before.confidence, before.corrected, before.taught_by) == (None, None, 0)
    assert before.suggested == before.proposed
    assert "uncalibrated" in before.holds
    review_class(parts, 12)
    after = read_answer(desk, teacher, early, "q1")
    assert after.confidence is not None
    assert 0 < after.confidence < 1
    assert after.corrected is not None
    assert after.proposed == before.proposed  # what is stored does not move under the reviewer
    assert (after.suggested, after.taught_by) == (after.corrected, 10)  # two of twelve were not read
