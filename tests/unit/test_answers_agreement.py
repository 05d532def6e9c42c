"""What was promised of proposals, on judged answers: of these the third set was never developed on."""

from __future__ import annotations

import pytest

from grader.services.proposals.agreement import measure_agreement
from tests.unit.marked import SETS, calibrated, compared


@pytest.mark.parametrize("name", SETS)
def test_proposals_agree_with_humans(name: str) -> None:
    found = measure_agreement(compared(name))
    assert found.rmse <= 1.1  # of 4, what was not read counted as nothing
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
def test_calibrated_proposals_are_no_worse_and_nothing_accepted_is_far_off(names: tuple[str, ...]) -> None:
    before = measure_agreement([entry for name in names for entry in compared(name)])
    after = measure_agreement(calibrated(*names))
    assert after.rmse <= before.rmse
    assert after.false_credit <= 0.05 * after.undeserving
    assert after.accepted_off == 0
    assert after.accepted_worst < 2  # of 4


def test_a_class_with_marks_enough_has_answers_accepted() -> None:
    accepted = [entry for entry in calibrated(*SETS) if entry.is_accepted]
    assert {entry.item for entry in accepted} == {"q1", "q7"}  # of which there are 30 answers
    assert any(entry.human > 0 for entry in accepted)
