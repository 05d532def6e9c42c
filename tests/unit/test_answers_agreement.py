"""What was promised of proposals, on judged answers; on some of the sets the scorer was developed."""

from __future__ import annotations

import pytest

from grader.services.proposals.agreement import Agreement, measure_agreement
from tests.unit.marked import SETS, UNTUNED, calibrated, compared, written_items


def _of_four(points: float, found: Agreement) -> float:
    return points * 4 / found.max_points


@pytest.mark.parametrize("name", SETS)
def test_proposals_agree_with_humans(name: str) -> None:
    found = measure_agreement(compared(name))
    assert _of_four(found.rmse, found) <= 1.1  # what was not read counted as nothing
    assert found.r is not None
    assert found.r >= 0.75


@pytest.mark.parametrize("name", SETS)
def test_hardly_an_answer_that_deserves_nothing_is_proposed_for_half(name: str) -> None:
    found = measure_agreement(compared(name))
    assert found.undeserving >= 15
    assert found.false_credit <= 0.05 * found.undeserving


@pytest.mark.parametrize("name", SETS)
def test_nothing_is_accepted_alone_that_is_far_off(name: str) -> None:
    found = measure_agreement(compared(name))
    assert found.accepted_off == 0
    assert found.accepted < 0.1 * found.answers  # blank ones


@pytest.mark.parametrize(
    ("name", "rmse", "false_credit"), [(UNTUNED[0], 1.1, 0.06), (UNTUNED[1], 1.15, 0.13)]
)
def test_on_wording_that_nobody_tuned_on_proposals_are_what_the_guide_says(
    name: str, rmse: float, false_credit: float
) -> None:
    found = measure_agreement(compared(name))
    assert {entry.item for entry in compared(name)} == {item.key for item in written_items()}
    assert _of_four(found.rmse, found) <= rmse
    assert found.false_credit <= false_credit * found.undeserving


def test_over_all_sets_hardly_an_answer_that_deserves_nothing_is_proposed_for_half() -> None:
    found = measure_agreement([entry for name in (*SETS, *UNTUNED) for entry in compared(name)])
    assert found.false_credit <= 0.05 * found.undeserving
    assert _of_four(found.rmse, found) <= 1.1


def test_of_all_sets_as_one_class_nothing_far_off_is_accepted_alone() -> None:
    found = measure_agreement(calibrated(*SETS, *UNTUNED))
    assert found.accepted >= 0.1 * found.answers
    assert _of_four(found.accepted_worst, found) < 2


def test_nothing_right_is_zeroed_without_a_human() -> None:
    for name in SETS:
        for entry in compared(name):
            assert not (entry.is_accepted and entry.human > 0)


def test_the_held_out_set_has_other_words_for_all_eight_questions() -> None:
    assert {entry.item for entry in compared("answers_held_out")} == {
        "q1", "q2", "q4", "q5", "q7", "q8", "q9", "q10",
    }  # fmt: skip
    assert len(compared("answers_held_out")) >= 60


@pytest.mark.parametrize("names", [*((name,) for name in SETS), tuple(SETS)])
def test_calibrated_proposals_are_hardly_worse_and_nothing_accepted_is_far_off(
    names: tuple[str, ...],
) -> None:
    before = measure_agreement([entry for name in names for entry in compared(name)])
    after = measure_agreement(calibrated(*names))
    assert (
        _of_four(after.rmse, after) <= _of_four(before.rmse, before) + 0.05
    )  # of few marks, little is learned
    assert after.false_credit <= 0.1 * after.undeserving  # what markers give generously is learned too
    assert after.accepted_off == 0
    assert _of_four(after.accepted_worst, after) < 2


def test_a_class_with_marks_enough_has_answers_accepted() -> None:
    accepted = [entry for entry in calibrated(*SETS) if entry.is_accepted]
    assert {entry.item for entry in accepted} >= {"q1", "q7"}  # of which there are 40 answers
    assert any(entry.human > 0 for entry in accepted)


def test_the_fresh_set_has_everyday_words_for_all_items() -> None:
    assert {entry.item for entry in compared("answers_fresh")} == {item.key for item in written_items()}
