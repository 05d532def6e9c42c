"""What was promised of proposals, on judged answers: of these the third set was never developed on."""

from __future__ import annotations

import pytest

from grader.services.agreement import measure_agreement
from tests.unit.marked import SETS, compared


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
