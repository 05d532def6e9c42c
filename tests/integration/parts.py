"""Parts that tests of storage, services, web and worker are put together from: real, but for the jail."""

from __future__ import annotations

import functools
import json
import os
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from grader.assignments import Assignment, Problem, RubricInvalid
from grader.domain.answers import Alignment, Answer, AnswerState
from grader.domain.evidence import Evidence
from grader.domain.grade import Grade, ItemGrade, ItemState
from grader.domain.models import DatasetIdentity, Measurement, ModelReport
from grader.domain.rubric import Item, Part, PartKind, Rubric, RunLimits, UploadLimits
from grader.domain.run import CellRun, CellState, HarvestedModel, NotebookRun, Verdict
from grader.errors import SandboxUnavailable
from grader.jobs import Jobs
from grader.sandbox.jail import ExitReason, Frame, Jail, JailExit, JailRequest
from grader.services.autograde import Autograder
from grader.services.catalog import Catalog
from grader.services.migrate import migrate
from grader.services.submitting.submit import Submitter, Upload
from grader.storage import Blobs, Database, make_engine
from grader.storage.unit_of_work import UnitOfWork

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

RUBRIC = Rubric(
    id="hw",
    title="A homework",
    sha256="a" * 64,
    parts=(Part("ex1", PartKind.EXERCISE, "Exercise 1", "Run"),),
    items=(Item("ex1.runs", "ex1", "The code runs", 8.0, "runs"),),
    upload_limits=UploadLimits(bytes=200_000, cells=100, nesting=50),
    run_limits=RunLimits(5, 10, 1 << 30, 64, 10_000, 100_000, 8, 1 << 20),
    latent_dims=(2,),
    dataset="mnist",
)


def make_assignment(folder: Path = Path(), **changes: Any) -> Assignment:
    """An assignment of one item."""
    return Assignment(
        rubric=replace(RUBRIC, **changes),
        template=make_notebook(""),
        model_path=folder / "model.py",
        calibration={},
        folder=folder,
    )


class FixedCatalog(Catalog):
    """A catalog of assignments that no file says."""

    def __init__(self, assignments: Mapping[str, Assignment]) -> None:
        self._assignments = assignments

    def __getitem__(self, assignment_id: str) -> Assignment:
        return self._assignments[assignment_id]

    def __contains__(self, assignment_id: object) -> bool:
        return assignment_id in self._assignments

    def __iter__(self) -> Iterator[str]:
        return iter(self._assignments)

    def __len__(self) -> int:
        return len(self._assignments)

    def find(self, unit: UnitOfWork, assignment_id: str) -> Assignment:
        return self._assignments[assignment_id]

    def parse(self, assignment_id: str, text: str) -> Assignment:
        raise RubricInvalid(assignment_id, [Problem(1, "no text says this rubric")])

    def file(self, assignment_id: str) -> tuple[str, str]:
        return f"id: {assignment_id}\n", "0" * 64


def make_notebook(code: str = "print(1)") -> bytes:
    """A notebook of one code cell."""
    cell = {"cell_type": "code", "source": code, "metadata": {}, "outputs": [], "execution_count": None}
    return json.dumps({"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": [cell]}).encode()


def make_run(cells: tuple[CellRun, ...] = (CellRun(0, CellState.OK, 1.5, 20),)) -> NotebookRun:
    """A run that went well."""
    return NotebookRun(
        Verdict.OK,
        cells,
        (HarvestedModel("b" * 64, 0, "Autoencoder", (), 10),),
        seconds=2.0,
        start_seconds=0.5,
        executed_sha256="c" * 64,
        peak_memory_bytes=1000,
        versions={"python": "3.11"},
        threads=1,
    )


def make_models() -> ModelReport:
    """A report of one model."""
    return ModelReport(
        (Measurement("b" * 64, 0, 2, 0.05, 0.26, "[0, 1]", "[0, 1]"),),
        (),
        mean_image_mse=0.0676,
        pca_mse={2: 0.056},
        dataset=DatasetIdentity("mnist", "d" * 64, 500),
        versions={"torch": "2.13.0"},
        seconds=0.25,
    )


def make_evidence(notebook_sha256: str = "e" * 64) -> Evidence:
    """Evidence of a run that went well."""
    answers = {"ex1": Answer("ex1", AnswerState.ANSWERED, "fine")}
    return Evidence(notebook_sha256, Alignment(answers), make_run(), make_models(), "0.1.0")


def make_grade(
    points: float = 8.0, state: ItemState = ItemState.AUTO, rubric_sha256: str = RUBRIC.sha256
) -> Grade:
    """A grade of one item."""
    item = ItemGrade("ex1.runs", "The code runs", points, 8.0, state, 1.0, "All cells ran.", {"share": 1.0})
    return Grade((item,), rubric_sha256)


class WaitingJail(Jail):
    """A jail in which nothing happens until it is killed or its time is over."""

    def __init__(self) -> None:
        self._killed = threading.Event()

    def wait(self, seconds: float) -> None:
        self._killed.wait(seconds)

    def frames(self) -> Iterator[Frame]:
        return iter(())

    def exit(self) -> JailExit:
        return JailExit(ExitReason.KILLED if self._killed.is_set() else ExitReason.COMPLETED, "", 0.0)

    def kill(self) -> None:
        self._killed.set()

    def __enter__(self) -> Jail:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()


class NoSandbox:
    """Starts nothing."""

    def start(self, request: JailRequest) -> Jail:
        raise SandboxUnavailable("no jail in this test")


class ScriptedAutograder(Autograder):
    """Does what the notebook's only cell says, and writes down each time it is asked to run one."""

    def __init__(self, blobs: Blobs, diary: Path) -> None:
        super().__init__(NoSandbox(), blobs, open_dataset=_no_dataset, version="0.1.0")
        self._diary = diary

    def run(
        self,
        data: bytes,
        assignment: Assignment,
        *,
        on_cell: Callable[[CellRun], None] = lambda _: None,
        on_start: Callable[[Jail], None] = lambda _: None,
    ) -> NotebookRun:
        code = self.read(data, assignment).code_cells[0].source
        self._write(f"run {code}")
        match code.split():
            case ["wait", seconds]:
                on_cell(CellRun(0, CellState.OK, 0.1, 3))
                with WaitingJail() as jail:
                    on_start(jail)
                    jail.wait(float(seconds))
            case ["kill", "the", "worker"]:
                os.kill(os.getpid(), signal.SIGKILL)
            case ["fail", "always"]:
                raise SandboxUnavailable("no jail could be started")
            case ["fail", "three", "times"] if self.times(f"run {code}") <= 3:
                raise SandboxUnavailable("no jail could be started")
            case ["fail", "once"] if self.times(f"run {code}") == 1:
                raise SandboxUnavailable("no jail could be started")
        return make_run()

    def measure(
        self,
        data: bytes,
        run: NotebookRun,
        assignment: Assignment,
        *,
        on_start: Callable[[Jail], None] = lambda _: None,
    ) -> ModelReport:
        self._write("measure")
        return make_models()

    def gather(self, data: bytes, assignment: Assignment, run: NotebookRun, models: ModelReport) -> Evidence:
        return replace(make_evidence(), run=run, models=models)

    def judge(self, evidence: Evidence, assignment: Assignment) -> Grade:
        return make_grade(rubric_sha256=assignment.rubric.sha256)

    def times(self, entry: str) -> int:
        """How often this stands in the diary."""
        return self._diary.read_text().splitlines().count(entry) if self._diary.exists() else 0

    def _write(self, entry: str) -> None:
        with self._diary.open("a") as diary:
            diary.write(entry + "\n")


def _no_dataset(name: str) -> Any:
    raise AssertionError(f"nobody should open {name}")


@functools.cache
def _migrated() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="grader-tests-"))
    engine = make_engine(f"sqlite:///{folder / 'empty.db'}")
    migrate(engine)
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()
    return folder / "empty.db"


def make_database(folder: Path) -> sa.Engine:
    """An engine on an empty, migrated database in this folder."""
    target = folder / "grader.db"
    if not target.exists():
        shutil.copyfile(_migrated(), target)
    return make_engine(f"sqlite:///{target}")


@dataclass
class Parts:
    """One service's parts on real SQLite."""

    home: Path
    engine: sa.Engine
    database: Database
    blobs: Blobs
    jobs: Jobs
    assignments: dict[str, Assignment]
    submitter: Submitter
    autograder: ScriptedAutograder

    def submit(self, code: str = "print(1)", user: str = "ada", **more: Any) -> dict[str, Any]:
        """Hand in a notebook with this code."""
        upload = Upload("cs101", "hw", user, "hw.ipynb", make_notebook(code), **more)
        return self.submitter.submit(upload)

    def count(self, table: str) -> int:
        """How many rows a table has."""
        with self.engine.connect() as connection:
            return int(connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one())


def make_parts(home: Path) -> Parts:
    """Put a service together in this folder; calling it again opens the same one."""
    engine = make_database(home)
    database, blobs, jobs = Database(engine), Blobs(home / "blobs"), Jobs(engine)
    assignments = {"hw": make_assignment()}
    return Parts(
        home,
        engine,
        database,
        blobs,
        jobs,
        assignments,
        Submitter(database, blobs, jobs, assignments),
        ScriptedAutograder(blobs, home / "diary"),
    )


def wait_until(question: Callable[[], Any], what: str, seconds: float = 40) -> Any:
    """Ask until the answer is true; fail by name where it never is."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if answer := question():
            return answer
        time.sleep(0.05)
    raise AssertionError(f"waited in vain for {what}")
