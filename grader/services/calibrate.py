"""Measure the reference: run the solution with several seeds and sum up what its models explain."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from grader.assignments import Assignment
from grader.domain.models import ModelReport
from grader.errors import ContentInvalid
from grader.evaluation.calibrate import calibration, reseed
from grader.services.autograde import Autograder


def calibrate(
    grader: Autograder, assignment: Assignment, seeds: Sequence[int], on_seed: Callable[[int], None]
) -> dict[str, Any]:
    """The content of `calibration.json`; ``on_seed`` hears of each seed that is done.

    Raises `ContentInvalid` where the solution does not train a model of every width.
    """
    solution = assignment.folder / "solution.ipynb"
    try:
        return calibration(dict(_measure_each(grader, assignment, solution.read_bytes(), seeds, on_seed)))
    except ValueError as error:
        raise ContentInvalid(f"{solution}: {error}") from None


def _measure_each(
    grader: Autograder,
    assignment: Assignment,
    solution: bytes,
    seeds: Sequence[int],
    on_seed: Callable[[int], None],
) -> Iterator[tuple[int, ModelReport]]:
    for seed in seeds:
        notebook = reseed(solution, seed)
        run = grader.run(notebook, assignment)
        yield seed, grader.measure(notebook, run, assignment)
        on_seed(seed)
