"""The share of code cells that ran."""

from __future__ import annotations

from dataclasses import replace

import pytest

from grader.checks.runs import describe_ending
from grader.domain.grade import ItemState
from grader.domain.run import CellRun, CellState, RanOut, Spent, Verdict
from tests.unit.judging import make_evidence, run_check

OK = CellRun(1, CellState.OK)


@pytest.mark.parametrize(
    ("cells", "share"),
    [
        ((), 0.0),
        ((OK,), 1.0),
        ((OK, CellRun(2, CellState.ERROR, error="ValueError: no")), 0.5),
        ((OK, CellRun(2, CellState.TIMEOUT), CellRun(3, CellState.NOT_RUN), OK), 0.5),
        ((CellRun(2, CellState.NOT_RUN),), 0.0),
    ],
)
def test_points_are_in_proportion_to_the_cells_that_ran(cells: tuple[CellRun, ...], share: float) -> None:
    result = run_check("runs", make_evidence(cells=cells))
    assert (result.share, result.state) == (share, ItemState.AUTO)


def test_the_first_failing_cell_is_named_as_people_count_with_its_error() -> None:
    cells = (
        OK,
        CellRun(4, CellState.ERROR, error="ValueError: bad\nshape"),
        CellRun(6, CellState.ERROR, error="Later"),
    )
    feedback = run_check("runs", make_evidence(cells=cells)).feedback
    assert "1 of 3" in feedback
    assert "cell 5 of the notebook" in feedback
    assert "ValueError: bad shape" in feedback
    assert "Later" not in feedback


@pytest.mark.parametrize(
    ("verdict", "words"),
    [
        (Verdict.DEADLINE, "took longer"),
        (Verdict.MEMORY_LIMIT, "more memory"),
        (Verdict.OUTPUT_LIMIT, "printed more"),
        (Verdict.KERNEL_DIED, "Python itself ended"),
    ],
)
def test_an_early_end_is_told(verdict: Verdict, words: str) -> None:
    result = run_check("runs", make_evidence(cells=(OK, CellRun(2, CellState.NOT_RUN)), verdict=verdict))
    assert words in result.feedback
    assert result.state is ItemState.AUTO


@pytest.mark.parametrize("verdict", [Verdict.PROTOCOL_ERROR, Verdict.FORBIDDEN_CALL])
def test_a_run_that_cannot_be_believed_is_looked_at_by_a_human(verdict: Verdict) -> None:
    result = run_check("runs", make_evidence(verdict=verdict))
    assert (result.share, result.state) == (1.0, ItemState.NEEDS_REVIEW)


@pytest.mark.parametrize(
    ("ran_out", "words"),
    [
        (RanOut.TIME, "The cells of Exercise 1 may take 600 s together, which were used up"),
        (RanOut.MEMORY, "The cells of Exercise 1 may take 1024 MiB of memory, and needed more"),
        (RanOut.NOTHING, ""),
    ],
)
def test_an_exercise_that_ran_out_of_its_budget_is_told(ran_out: RanOut, words: str) -> None:
    evidence = make_evidence()
    spent = Spent("ex1", "Exercise 1", 600.0, 600.0, 1 << 30, ran_out)
    told = describe_ending(replace(evidence.run, spent=(spent,)))
    assert told.startswith(words)
    assert bool(told) is bool(words)


def test_a_cell_that_was_left_out_says_so() -> None:
    cell = CellRun(4, CellState.NOT_RUN, error="the time of Exercise 1 (3 s) was used up", exercise_over=True)
    feedback = run_check("runs", make_evidence(cells=[cell])).feedback
    assert "cell 5 of the notebook (counting text cells too): the time of Exercise 1 (3 s)" in feedback
