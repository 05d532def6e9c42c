"""A course of ten thousand submissions, put into a database at once: for `benchmarks.pages`.

Marks, sections, sizes of documents and who waits for what are as in a real course. Documents are few and
shared: what pages show of a single submission is true to its kind, not to its marks.
"""

from __future__ import annotations

import json
import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from grader.assignments import Assignment
from grader.checks.judge import judge
from grader.domain.evidence import Evidence
from grader.domain.grade import Grade, ItemGrade, ItemState
from grader.domain.models import DatasetIdentity, Measurement, ModelReport, WeightsMark
from grader.domain.people import Membership, Person, Role
from grader.domain.run import CellRun, CellState, HarvestedModel, Layer, NotebookRun, Verdict
from grader.notebooks.alignment.align import align
from grader.notebooks.read import read_notebook
from grader.services.grades.counted import list_measured, to_counted
from grader.services.people.accounts import set_password
from grader.storage import Blobs, Database
from grader.storage.codec import dump
from grader.storage.standings import Mark, Standing
from grader.storage.tables.figures import counted_attempt, fingerprint, measured, resemblance
from grader.storage.tables.people import course, member, member_section, person
from grader.storage.tables.review import mark, override, standing
from grader.storage.tables.submissions import evidence, grade, submission, work

COURSE, ASSIGNMENT = "ml2", "homework_05"
PASSWORD = "a long password"
INSTRUCTOR, ASSISTANT = "instructor", "assistant"
_BEGAN = datetime(2026, 3, 1, tzinfo=UTC)
_VARIANTS = 24
_SECTIONS = 20
_LETTERS = "ABCD"
_EXPLAINED = {2: 0.28, 8: 0.62, 32: 0.80, 128: 0.84}
_PCA_MSE = {2: 0.056, 8: 0.038, 32: 0.017, 128: 0.0044}
_MEAN_MSE = 0.0679
_NAMES = ("Ada", "Ben", "Chloé", "Dmitri", "Emeka", "Fatima", "Grace", "Hiro", "Ines", "Jonas", "Kaja", "Lin")


_Rows = dict[sa.Table, list[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class BigClass:
    """What was made."""

    course: str
    assignment: str
    submissions: Sequence[str]  # ids of graded ones
    sections: Sequence[str]


@dataclass(frozen=True, slots=True)
class _Variant:
    """One notebook with its evidence and grade, shared by many submissions."""

    notebook_sha256: str
    models: ModelReport
    evidence: str
    verdict: Grade
    grade: str


def make_big_class(
    database: Database, blobs: Blobs, assignment: Assignment, students: int = 2500, attempts: int = 4
) -> BigClass:
    """Fill an empty, migrated database. The same every time."""
    chance = random.Random(5)
    variants = [_make_variant(assignment, blobs, number, chance) for number in range(_VARIANTS)]
    people = [f"{chance.getrandbits(64):016x}" for _ in range(students)]
    sections = [f"section {number + 1:02d}" for number in range(_SECTIONS)]
    with database.write() as unit:
        _add_people(unit.connection, people, sections, chance)
        for person_id, role in ((INSTRUCTOR, Role.INSTRUCTOR), (ASSISTANT, Role.TA)):
            new = Person(person_id, person_id, f"The {person_id}", f"{person_id}@example.org")
            unit.people.add(new, _BEGAN)
            set_password(unit, new, PASSWORD)
            theirs = frozenset(sections[:2]) if role is Role.TA else frozenset()
            unit.people.enrol(person_id, Membership(COURSE, role, theirs), _BEGAN)
        rows: _Rows = {}
        for number, user in enumerate(people):
            _hand_in(rows, user, number, attempts, variants, chance)
            if number % 200 == 199 or number == students - 1:
                _write(unit.connection, rows)
        graded = list(unit.connection.execute(sa.select(standing.c.submission_id)).scalars())
        _resemble(unit.connection, graded, chance)
        unit.commit()
    return BigClass(COURSE, ASSIGNMENT, graded, sections)


def _make_variant(assignment: Assignment, blobs: Blobs, number: int, chance: random.Random) -> _Variant:
    document = json.loads((assignment.folder / "solution.ipynb").read_bytes())
    for cell in document["cells"]:
        if cell["cell_type"] == "code":
            cell["source"] = ["".join(cell["source"]).replace("batch", f"batch{number}")]
    data = json.dumps(document).encode()
    limits = assignment.rubric.upload_limits
    notebook = read_notebook(data, limits)
    known = align(notebook, read_notebook(assignment.template, limits), assignment.rubric.parts)
    sha256 = blobs.put(data)
    quality = chance.uniform(0.8, 1.05)
    measurements, marks = [], []
    for width, explained in _EXPLAINED.items():
        weights = f"{number:032x}{width:032x}"
        share = explained * quality
        by_class = tuple((1 - share) * _MEAN_MSE * chance.uniform(0.8, 1.2) for _ in range(10))
        error = (1 - share) * _MEAN_MSE
        measurements.append(
            Measurement(weights, 5, width, error, share, "[0, 1]", "[0, 1]", mse_by_class=by_class)
        )
        sketch = tuple(round(chance.gauss(0, 0.125), 6) for _ in range(64))
        marks.append(WeightsMark(weights, weights, sketch, 403_000 + 513 * width))
    models = ModelReport(
        tuple(measurements),
        (),
        _MEAN_MSE,
        _PCA_MSE,
        DatasetIdentity("mnist-embedded", next(iter(assignment.calibration), "d" * 64), 1000),
        {"torch": "2.13.0"},
        0.5,
        marks=tuple(marks),
    )
    layers = tuple(Layer(f"encoder.{index}", "Linear") for index in range(6))
    run = NotebookRun(
        Verdict.OK,
        tuple(
            CellRun(cell.index, CellState.OK, chance.uniform(0.1, 40), 900) for cell in notebook.code_cells
        ),
        tuple(HarvestedModel(m.weights_sha256, 5, "Autoencoder", layers, 403_000) for m in marks),
        seconds=60.0,
        start_seconds=0.5,
        executed_sha256=sha256,
        peak_memory_bytes=1 << 30,
        versions={"python": "3.11"},
        threads=1,
    )
    reference = assignment.reference_on(models.dataset.sha256)
    found = Evidence(sha256, known, run, models, "0.1.0", reference=reference)
    verdict = judge(assignment.rubric, found)
    return _Variant(sha256, models, dump(found), verdict, dump(verdict))


def _add_people(
    connection: sa.Connection, people: Sequence[str], sections: Sequence[str], chance: random.Random
) -> None:
    connection.execute(
        sa.insert(course).values(id=COURSE, title="Machine Learning 2 (large)", created_at=_BEGAN)
    )
    _insert(
        connection,
        person,
        [
            {
                "id": user,
                "login": f"{user}@example.org",
                "name": f"{chance.choice(_NAMES)} {chance.choice(_NAMES)}son {number}",
                "email": f"{user}@example.org",
                "is_admin": False,
                "created_at": _BEGAN,
            }
            for number, user in enumerate(people)
        ],
    )
    membership = {"course": COURSE, "role": Role.STUDENT.value, "joined_at": _BEGAN}
    _insert(connection, member, [{"person_id": user, **membership} for user in people])
    sat = [
        {"course": COURSE, "person_id": user, "section": sections[number % len(sections)]}
        for number, user in enumerate(people)
    ]
    _insert(connection, member_section, sat)


def _hand_in(
    rows: _Rows,
    user: str,
    number: int,
    attempts: int,
    variants: Sequence[_Variant],
    chance: random.Random,
) -> None:
    ability, best = chance.gauss(0, 1), None
    own = [chance.getrandbits(62) for _ in range(30)]
    for attempt in range(1, attempts + 1):
        submission_id = f"{chance.getrandbits(128):032x}"
        variant = variants[(number + attempt) % len(variants)]
        moment = _BEGAN + timedelta(minutes=chance.uniform(0, 20_000))
        fate = chance.random()
        state = "failed" if fate < 0.005 else "queued" if fate < 0.01 else "graded"
        handed = {"id": submission_id, "course": COURSE, "assignment": ASSIGNMENT, "user_id": user}
        handed |= {"attempt": attempt, "notebook_sha256": variant.notebook_sha256, "filename": "hw5.ipynb"}
        _add(rows, submission, handed | {"submitted_at": moment, "accepted_at": moment})
        _add(rows, work, _work(submission_id, state, moment))
        if state != "graded":
            continue
        at, marks = _mark(rows, submission_id, user, variant.verdict, ability + 0.2 * attempt, chance)
        _document(rows, submission_id, variant, at, moment, attempts * number + attempt)
        models = [
            replace(
                model, explained_variance=model.explained_variance * (1 + 0.04 * ability * chance.random())
            )
            for model in list_measured(variant.models)
        ]
        for model in models:
            _add(rows, measured, {"submission_id": submission_id, **asdict(model)})
        usual = [chance.randrange(300) for _ in range(50)]
        for print_ in {*own, *usual}:
            place = {"hash": print_, "submission_id": submission_id, "user_id": user, "kind": "code"}
            _add(rows, fingerprint, place)
        if best is None or at.expected >= best[0].expected:
            best = at, marks, models
    if best is not None:
        _add(rows, counted_attempt, asdict(to_counted(*best)))
        for row in rows[standing][-attempts:]:
            row["is_counted"] = row["submission_id"] == best[0].submission_id


def _work(submission_id: str, state: str, moment: datetime) -> dict[str, Any]:
    failure = "no jail could be started: bubblewrap failed" if state == "failed" else ""
    begun = None if state == "queued" else moment + timedelta(seconds=4)
    return {
        "submission_id": submission_id,
        "state": state,
        "stage": "judge",
        "tries": 3 if failure else 1,
        "generation": 0,
        "priority": 0,
        "failure": failure,
        "started_at": begun,
        "changed_at": moment + timedelta(seconds=90),
    }


def _mark(
    rows: _Rows,
    submission_id: str,
    user: str,
    verdict: Grade,
    ability: float,
    chance: random.Random,
) -> tuple[Standing, list[Mark]]:
    marks = [_judge_item(submission_id, item, ability, chance) for item in verdict.items]
    waiting = sum(entry.state == ItemState.NEEDS_REVIEW.value for entry in marks)
    given = round(sum(entry.points for entry in marks), 2)
    expected = round(sum(max(entry.points, entry.proposed or 0) for entry in marks), 2)
    late = 0.9 if chance.random() < 0.05 else 1.0
    text = f"{chance.getrandbits(256):064x}" if chance.random() > 0.004 else "f" * 64
    at = Standing(
        submission_id=submission_id,
        course=COURSE,
        assignment=ASSIGNMENT,
        user_id=user,
        grade_id=1,
        given=given,
        final=round(given * late, 2),
        expected=round(expected * late, 2),
        maximum=verdict.maximum,
        waiting=waiting,
        is_counted=False,
        crashed=chance.random() < 0.02,
        seconds=round(math.exp(chance.gauss(4, 0.6)), 3),
        text_sha256=text,
        code_sha256=f"{chance.getrandbits(256):064x}",
    )
    _add(rows, standing, asdict(at))
    for entry in marks:
        _add(rows, mark, asdict(entry))
        if entry.state == ItemState.REVIEWED.value and chance.random() < 0.1:
            _add(rows, override, _override(entry))
    return at, marks


def _judge_item(submission_id: str, item: ItemGrade, ability: float, chance: random.Random) -> Mark:
    written = item.evidence.get("proposal") is not None
    share = 1 / (1 + math.exp(-(ability + chance.gauss(0.8, 1))))
    share = float(share > 0.45) if item.key.endswith("choice") else round(4 * share) / 4
    points, choice = round(share * item.max_points, 2), ""
    if item.key.endswith("choice"):
        choice = "B" if share else chance.choice("AACD")
    waits = written and chance.random() < 0.15
    state = ItemState.NEEDS_REVIEW if waits else ItemState.REVIEWED if written else ItemState.AUTO
    return Mark(
        submission_id=submission_id,
        item=item.key,
        course=COURSE,
        assignment=ASSIGNMENT,
        points=0.0 if waits else points,
        max_points=item.max_points,
        state=state.value,
        proposed=points if written else None,
        doubt=round(chance.random(), 3),
        is_audited=False,
        words_sha256=f"{chance.getrandbits(256):064x}" if written else "",
        choice=choice,
    )


def _override(entry: Mark) -> dict[str, Any]:
    return {
        "submission_id": entry.submission_id,
        "item": entry.item,
        "points": entry.points,
        "concepts": "{}",
        "comment": "",
        "reason": "",
        "actor": ASSISTANT,
        "made_at": _BEGAN + timedelta(days=20),
        "follows": 0,
    }


def _document(
    rows: _Rows,
    submission_id: str,
    variant: _Variant,
    at: Standing,
    when: datetime,
    number: int,
) -> None:
    found = {"id": number, "submission_id": submission_id, "document": variant.evidence, "seconds": "{}"}
    _add(rows, evidence, found | {"measured_at": when})
    _add(
        rows,
        grade,
        {
            "submission_id": submission_id,
            "evidence_id": number,
            "rubric_sha256": variant.verdict.rubric_sha256,
            "document": variant.grade,
            "given": at.given,
            "maximum": at.maximum,
            "needs_review": at.waiting > 0,
            "notebook_sha256": variant.notebook_sha256,
            "dataset": "mnist-embedded",
            "dataset_sha256": variant.models.dataset.sha256,
            "versions": "{}",
            "seed": 0,
            "threads": 1,
            "graded_at": when + timedelta(seconds=90),
            "follows": 0,
        },
    )


def _resemble(connection: sa.Connection, graded: Sequence[str], chance: random.Random) -> None:
    pairs = {tuple(sorted(chance.sample(list(graded), 2))) for _ in range(min(60, len(graded) // 4))}
    rows = [
        {
            "submission_id": one,
            "other_id": other,
            "kind": chance.choice(("text", "code")),
            "course": COURSE,
            "assignment": ASSIGNMENT,
            "share": round(chance.uniform(0.6, 1), 3),
            "passages": chance.randrange(6, 40),
        }
        for one, other in sorted(pairs)
    ]
    _insert(connection, resemblance, rows)


def _add(rows: _Rows, table: sa.Table, row: dict[str, Any]) -> None:
    rows.setdefault(table, []).append(row)


def _write(connection: sa.Connection, rows: _Rows) -> None:
    for table in (submission, work, evidence, grade, standing, mark, override):
        _insert(connection, table, rows.pop(table, []))
    for table in (counted_attempt, measured, fingerprint):
        _insert(connection, table, rows.pop(table, []))


def _insert(connection: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        connection.execute(sa.insert(table), list(rows))
