"""How long a class takes to judge again: `python -m benchmarks.regrade`. It prints; nothing is asserted.

Ten thousand submissions of homework 5 with answers of `tests/data`, evidence of the size that real ones
have, on SQLite in a temporary folder.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from grader.assignments import Assignment, load_assignment
from grader.checks.judge import judge
from grader.domain.answers import Alignment
from grader.domain.evidence import Evidence
from grader.domain.models import DatasetIdentity, Measurement, ModelReport, WeightsMark
from grader.domain.rubric import Item, PartKind
from grader.domain.run import CellRun, CellState, HarvestedModel, InputStatistics, Layer, NotebookRun, Verdict
from grader.notebooks.alignment.align import align
from grader.notebooks.read import read_notebook
from grader.services.grades.standing import settle_all
from grader.services.migrate import migrate
from grader.services.regrade import preview, regrade
from grader.storage import Database, make_engine
from grader.storage.codec import dump
from grader.storage.grades import describe
from grader.storage.tables.submissions import evidence, grade, submission, work

REPOSITORY = Path(__file__).parents[1]
NOW = datetime(2026, 3, 1, tzinfo=UTC)
_MARKER = "zq000000"  # a word that each submission has its own of
_LAYERS = (("encoder.0", "Linear"), ("encoder.1", "ReLU"), ("encoder.2", "Linear"), ("decoder.0", "Linear"))


def read_answers() -> Mapping[str, list[str]]:
    """The answers of the judged sets, by question."""
    answers: dict[str, list[str]] = {}
    for path in sorted((REPOSITORY / "tests" / "data").glob("answers_*.json")):
        for entry in json.loads(path.read_text("utf-8"))["answers"]:
            answers.setdefault(entry["question"], []).append(entry["answer"])
    return answers


def make_evidence(assignment: Assignment, answers: Mapping[str, Sequence[str]], seed: int) -> Evidence:
    """One submission's evidence: the solution's, with other answers and models."""
    chance = random.Random(seed)
    limits = assignment.rubric.upload_limits
    solution, template = (
        read_notebook((assignment.folder / f"{name}.ipynb").read_bytes(), limits)
        for name in ("solution", "template")
    )
    found = align(solution, template, assignment.rubric.parts)
    given = dict(found.answers)
    for part in assignment.rubric.parts:
        if part.key in answers:
            words = f"{chance.choice(answers[part.key])} {_MARKER}"
            field = "explanation" if part.kind is PartKind.CHOICE else "text"
            given[part.key] = replace(given[part.key], **{field: words})
    shas = [hashlib.sha256(f"{seed}:{width}".encode()).hexdigest() for width in (2, 8, 32, 128)]
    return Evidence("n" * 64, Alignment(given, found.unmapped), _run(shas), _report(shas, chance), "0.1.0")


def _run(shas: Sequence[str]) -> NotebookRun:
    layers = tuple(Layer(*layer) for layer in (*_LAYERS, *_LAYERS[:3]))
    inputs = InputStatistics((128, 784), 0.0, 1.0, 0.13394522666931152)
    return NotebookRun(
        Verdict.OK,
        tuple(CellRun(index, CellState.OK, 3.903 * index, 182_283) for index in (2, 5)),
        tuple(HarvestedModel(sha, 5, "Autoencoder", layers, 403_730, inputs, '{"a": 2}') for sha in shas),
        seconds=31.25,
        start_seconds=0.512,
        executed_sha256="e" * 64,
        peak_memory_bytes=900_000_000,
        versions={"python": "3.11.7", "torch": "2.13.0+cpu", "numpy": "2.4.6", "nbclient": "0.10.2"},
        threads=1,
    )


def _report(shas: Sequence[str], chance: random.Random) -> ModelReport:
    known = zip(shas, (2, 8, 32, 128), (0.19, 0.5, 0.65, 0.68), strict=True)
    measured = []
    for sha, width, middle in known:
        explained = chance.gauss(middle, 0.05)
        by_class = tuple(round(chance.random() / 20, 6) for _ in range(10))
        measured.append(
            Measurement(
                sha,
                5,
                width,
                0.0679 * (1 - explained),
                explained,
                "[0, 1]",
                "[0, 1]",
                class_name="Autoencoder",
                mse_by_class=by_class,
                picture_sha256=sha,
            )
        )
    sketches = [tuple(round(chance.gauss(0, 0.1), 6) for _ in range(128)) for _ in shas]
    return ModelReport(
        tuple(measured),
        (),
        0.067916419,
        {2: 0.0558, 8: 0.0376, 32: 0.0171, 128: 0.0044},
        DatasetIdentity("mnist-embedded", "8" * 64, 1000),
        {"torch": "2.13.0", "numpy": "2.4.6", "python": "3.11.7"},
        6.087,
        marks=tuple(
            WeightsMark(sha, sha, sketch, 403_730) for sha, sketch in zip(shas, sketches, strict=True)
        ),
    )


def fill(folder: Path, assignment: Assignment, count: int, alike: int = 50) -> Database:
    """A database of so many graded submissions, two of each student.

    Answers of ``alike`` ones after each other differ in one word alone.
    """
    engine = make_engine(f"sqlite:///{folder / 'grader.db'}")
    migrate(engine)
    answers = read_answers()
    with engine.begin() as connection:
        for first in range(0, count, alike):
            seen = make_evidence(assignment, answers, first)
            verdict = judge(assignment.rubric, seen)
            _insert(
                connection, first, min(alike, count - first), dump(seen), describe("", 0, seen, verdict, 0)
            )
    database = Database(engine)
    ids = [f"{number:032x}" for number in range(count)]
    for start in range(0, count, 500):
        with database.write() as unit:
            settle_all(unit, ids[start : start + 500])
            unit.commit()
    return database


def _insert(
    connection: sa.Connection, first: int, count: int, document: str, row: Mapping[str, object]
) -> None:
    numbers = range(first, first + count)
    ids = {number: f"{number:032x}" for number in numbers}
    words = {number: f"zq{number:06d}" for number in numbers}
    connection.execute(
        sa.insert(submission),
        [
            {
                "id": ids[n],
                "course": "ml2",
                "assignment": "homework_05",
                "user_id": f"u{n // 2}",
                "attempt": n % 2 + 1,
                "notebook_sha256": hashlib.sha256(ids[n].encode()).hexdigest(),
                "filename": "homework_05.ipynb",
                "submitted_at": NOW,
                "accepted_at": NOW,
            }
            for n in numbers
        ],
    )
    done = {"state": "graded", "stage": "judge", "tries": 1, "generation": 0, "priority": 1, "failure": ""}
    connection.execute(
        sa.insert(work),
        [{"submission_id": ids[n], **done, "started_at": NOW, "changed_at": NOW} for n in numbers],
    )
    connection.execute(
        sa.insert(evidence),
        [
            {
                "id": n + 1,
                "submission_id": ids[n],
                "document": document.replace(_MARKER, words[n]),
                "seconds": "{}",
                "measured_at": NOW,
            }
            for n in numbers
        ],
    )
    connection.execute(
        sa.insert(grade),
        [
            {
                **row,
                "submission_id": ids[n],
                "evidence_id": n + 1,
                "document": str(row["document"]).replace(_MARKER, words[n]),
                "graded_at": NOW,
            }
            for n in numbers
        ],
    )


def change(assignment: Assignment, sha256: str, edit: Callable[[Item], Item]) -> Assignment:
    """Another version of the rubric."""
    items = tuple(edit(item) for item in assignment.rubric.items)
    return replace(assignment, rubric=replace(assignment.rubric, sha256=sha256 * 64, items=items))


def lower_thresholds(item: Item) -> Item:
    """What most regrades are: other thresholds, the questions as they were."""
    if "threshold" not in item.params:
        return item
    return replace(item, params={**item.params, "threshold": 0.9 * item.params["threshold"]})


def reword_q1(item: Item) -> Item:
    """Another statement for one concept of one question, for which its answers are looked at again."""
    return reword(item) if item.key == "q1" else item


def reword(item: Item) -> Item:
    """The same for every question, which is what a new rubric is."""
    if not item.concepts:
        return item
    first, *others = item.concepts
    statements = (*first.statements, f"the narrow layer cannot hold a copy of the whole image of {item.key}")
    return replace(item, concepts=(replace(first, statements=statements), *others))


def measure(count: int) -> dict[str, float]:
    """Print and return the seconds of each kind of regrade."""
    assignment = load_assignment(REPOSITORY, "homework_05")
    lower, reworded = change(assignment, "b", lower_thresholds), change(assignment, "c", reword_q1)
    renewed = change(assignment, "d", reword)
    with tempfile.TemporaryDirectory(prefix="grader-benchmark-") as folder:
        database = fill(Path(folder), assignment, count)
        acts: dict[str, Callable[[], object]] = {
            "preview of other thresholds": lambda: preview(database, lower),
            "other thresholds": lambda: regrade(database, lower, NOW),
            "the same again": lambda: regrade(database, lower, NOW),
            "a reworded question": lambda: regrade(database, reworded, NOW),
            "all questions reworded": lambda: regrade(database, renewed, NOW),
        }
        seconds, processor = {}, {}
        for name, act in acts.items():
            began, used = time.perf_counter(), _used()
            act()
            seconds[name], processor[name] = time.perf_counter() - began, _used() - used
    base = processor["other thresholds"]
    for name, spent in seconds.items():
        print(
            f"{count} submissions, {name}: {spent:6.2f} s, {processor[name]:6.2f} s of processor time, "
            f"{processor[name] / base:5.2f} of other thresholds"
        )
    return seconds


def _used() -> float:
    """Seconds of processor time, with those of children that have ended."""
    return sum(os.times()[:4])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--submissions", type=int, default=10_000)
    measure(parser.parse_args().submissions)
