"""Exercises with time and memory of their own: the next goes on, and models trained by then are kept."""

from __future__ import annotations

import pytest

from grader.domain.rubric import Budget, Part, PartKind
from grader.domain.run import RanOut, Verdict
from grader.sandbox.bubblewrap import BubblewrapSandbox, open_sandbox
from tests.integration.notebook_runs import AUTOENCODER, Outcome, run_cells

MIB = 1 << 20
HOARD = "hoard = [torch.ones(1 << 22) for _ in range(200)]"  # 16 MiB each


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> BubblewrapSandbox:
    return open_sandbox(scratch=tmp_path_factory.mktemp("scratch"))


def exercise(number: int, seconds: float | None = None, memory_bytes: int | None = None) -> Part:
    budget = Budget(seconds, memory_bytes)
    return Part(f"ex{number}", PartKind.EXERCISE, f"Exercise {number}", "Train", budget=budget)


@pytest.fixture(scope="module")
def out_of_time(sandbox: BubblewrapSandbox) -> Outcome:
    first, second = exercise(1, seconds=8), exercise(2, seconds=60)
    return run_cells(
        sandbox,
        AUTOENCODER,  # common to both
        "for d in (2, 3, 4):\n    fit(AE(d))\nm = AE(5)\nwhile True: fit(m)",
        "fit(AE(6))",
        "fit(AE(7))",
        exercises={1: first, 2: first, 3: second},
    )


def test_an_exercise_out_of_time_keeps_its_models_and_leaves_the_next_its_own_time(
    out_of_time: Outcome,
) -> None:
    assert out_of_time.states == ["ok", "timeout", "not_run", "ok"]
    assert out_of_time.widths == [2, 3, 4, 5, 7]
    assert out_of_time.run.verdict is Verdict.TIMEOUT


def test_what_each_exercise_spent_stands_beside_the_run(out_of_time: Outcome) -> None:
    first, second = out_of_time.run.spent
    assert (first.part, first.ran_out, first.seconds_limit) == ("ex1", RanOut.TIME, 8)
    assert (second.part, second.ran_out) == ("ex2", RanOut.NOTHING)
    cells = out_of_time.run.cells
    assert first.seconds == cells[1].seconds
    assert [cell.exercise_over for cell in cells] == [False, True, True, False]
    assert cells[2].error == "the time of Exercise 1 (8 s) was used up"


@pytest.fixture(scope="module")
def out_of_memory(sandbox: BubblewrapSandbox) -> Outcome:
    first, second = exercise(1, memory_bytes=512 * MIB), exercise(2, memory_bytes=512 * MIB)
    return run_cells(
        sandbox,
        AUTOENCODER,
        f"fit(AE(2))\nm = AE(3)\n{HOARD}\nfit(m)",
        "fit(AE(4))",
        "more = [torch.ones(1 << 22) for _ in range(10)]\nfit(AE(5))",  # beside what is hoarded still
        exercises={1: first, 2: first, 3: second},
    )


def test_an_exercise_out_of_memory_stops_with_an_error_and_keeps_its_models(out_of_memory: Outcome) -> None:
    assert out_of_memory.states == ["ok", "error", "ok", "ok"]
    assert out_of_memory.widths == [2, 3, 4, 5]
    assert out_of_memory.run.verdict is Verdict.CELL_ERROR
    assert "allocate memory" in out_of_memory.run.cells[1].error


def test_only_the_exercise_that_was_out_of_memory_is_told_so(out_of_memory: Outcome) -> None:
    assert [spent.ran_out for spent in out_of_memory.run.spent] == [RanOut.MEMORY, RanOut.NOTHING]


def test_memory_of_cells_that_are_common_to_all_exercises_is_not_limited_by_theirs(
    sandbox: BubblewrapSandbox,
) -> None:
    outcome = run_cells(
        sandbox,
        "import numpy as np\ncommon = np.ones(300 << 17)",
        "own = np.ones(30 << 17)",
        "import numpy as np\nmore = np.ones(300 << 17)",
        exercises={1: exercise(1, memory_bytes=200 * MIB)},
    )
    assert outcome.states == ["ok", "ok", "ok"]


def test_a_model_is_saved_when_the_next_is_made_even_if_python_then_ends(sandbox: BubblewrapSandbox) -> None:
    outcome = run_cells(
        sandbox,
        AUTOENCODER,
        "import os, time\nm, began = AE(2), time.monotonic()\n"
        "while time.monotonic() - began < 1: fit(m)\n"
        "next_one = AE(3)\nos.kill(os.getpid(), 9)",
    )
    assert outcome.run.verdict is Verdict.KERNEL_DIED
    assert outcome.widths == [2]
