"""Measure the reference: run the solution with several seeds and sum up what its models explain."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from typing import Any

from grader.assignments import Assignment, join_calibration
from grader.domain.models import ModelReport
from grader.domain.run import CellRun
from grader.errors import ContentInvalid
from grader.evaluation.calibrate import calibration, reseed
from grader.sandbox.arguments import HASH_SEED
from grader.services.autograde import Autograder


def calibrate(
    grader: Autograder,
    assignment: Assignment,
    seeds: Sequence[int],
    *,
    on_cell: Callable[[CellRun], None],
    on_seed: Callable[[int, ModelReport], None],
) -> dict[str, Any]:
    """The content of `calibration.json`, with an entry for the data set in use; others' entries stay.

    ``on_cell`` hears of each cell that ran, ``on_seed`` of each seed that is done. Raises `ContentInvalid`
    where the solution does not train a model of every width.
    """
    path = assignment.folder / "solution.ipynb"
    solution = path.read_bytes()
    reports: dict[int, ModelReport] = {}
    try:
        for seed in seeds:
            notebook = reseed(solution, seed)
            run = grader.run(notebook, assignment, on_cell=on_cell)
            reports[seed] = grader.measure(notebook, run, assignment)
            on_seed(seed, reports[seed])
        entry = calibration(reports, hash_seed=HASH_SEED)
    except ValueError as error:
        raise ContentInvalid(f"{path}: {error}") from None
    for name, file in (("solution", path), ("model", assignment.model_path)):
        entry[f"{name}_sha256"] = hashlib.sha256(file.read_bytes()).hexdigest()
    before = assignment.folder / "calibration.json"
    known = json.loads(before.read_bytes()) if before.exists() else {}
    return join_calibration(known, next(iter(reports.values())).dataset.sha256, entry)
