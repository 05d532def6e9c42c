"""Grade one notebook: run it, measure its models, gather the evidence, judge. No database, no queue."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from grader.assignments import Assignment
from grader.checks.judge import judge
from grader.domain.answers import Alignment
from grader.domain.evidence import Evidence
from grader.domain.grade import Grade
from grader.domain.models import ModelReport
from grader.domain.notebook import Notebook
from grader.domain.run import CellRun, CellState, NotebookRun
from grader.evaluation.datasets import Dataset
from grader.evaluation.measure import measure, shape_of_measuring
from grader.notebooks.alignment.align import align
from grader.notebooks.execution.budgets import budgeted_cells
from grader.notebooks.execution.execute import execute, shape_of_runs
from grader.notebooks.read import read_notebook
from grader.sandbox.arguments import HASH_SEED
from grader.sandbox.jail import Jail, JailRequest, Sandbox
from grader.storage.blobs import Blobs


@dataclass(frozen=True, slots=True)
class Timing:
    """Where the time went, in seconds."""

    queued: float  # until a worker first took it up
    jail: float  # until the first cell began
    cells: float
    evaluation: float
    total: float

    def as_document(self) -> dict[str, float]:
        """Rounded to milliseconds."""
        return {name: round(seconds, 3) for name, seconds in asdict(self).items()}


def time_spent(run: NotebookRun, report: ModelReport, *, queued: float, total: float) -> Timing:
    """Sum up where the time went."""
    return Timing(
        queued=queued,
        jail=run.start_seconds,
        cells=max(0.0, run.seconds - run.start_seconds),
        evaluation=report.seconds,
        total=total,
    )


def _ignore(_: Any) -> None:
    """What nobody wants to hear of."""


class Autograder:
    """The stations between an upload's bytes and its grade, one method each.

    Methods raise `OurFailure` where we fail; what the student's code does is a value in what they
    return. ``on_start`` gets each jail as it starts, so that another thread can kill it.
    """

    def __init__(
        self,
        sandbox: Sandbox,
        blobs: Blobs,
        open_dataset: Callable[[str], Dataset],
        version: str,
    ) -> None:
        self._sandbox = sandbox
        self._blobs = blobs
        self._open_dataset = open_dataset
        self._version = version

    def read(self, data: bytes, assignment: Assignment) -> Notebook:
        """The notebook in these bytes. Raises `UploadRefused`."""
        return read_notebook(data, assignment.rubric.upload_limits)

    def shapes(self, assignment: Assignment) -> list[JailRequest]:
        """The jails that every submission of this assignment needs, so that they can be made before it."""
        rubric, dataset = assignment.rubric, self._open_dataset(assignment.rubric.dataset)
        return [
            shape_of_runs(rubric.run_limits, dataset.student_mounts, rubric.policy.seed),
            shape_of_measuring(assignment.model_path, dataset),
        ]

    def run(
        self,
        data: bytes,
        assignment: Assignment,
        *,
        on_cell: Callable[[CellRun], None] = _ignore,
        on_start: Callable[[Jail], None] = _ignore,
    ) -> NotebookRun:
        """Run the notebook in a jail; ``on_cell`` hears of each cell as it ends."""
        rubric = assignment.rubric
        notebook = self.read(data, assignment)
        return execute(
            notebook,
            rubric.run_limits,
            self._sandbox,
            mounts=self._open_dataset(rubric.dataset).student_mounts,
            store=self._blobs.put,
            on_cell=on_cell,
            on_start=on_start,
            seed=rubric.policy.seed,
            exercises=budgeted_cells(self._align(notebook, assignment), rubric.parts),
        )

    def _align(self, notebook: Notebook, assignment: Assignment) -> Alignment:
        template = read_notebook(assignment.template, assignment.rubric.upload_limits)
        return align(notebook, template, assignment.rubric.parts)

    def measure(
        self,
        data: bytes,
        run: NotebookRun,
        assignment: Assignment,
        *,
        on_start: Callable[[Jail], None] = _ignore,
    ) -> ModelReport:
        """Measure the models harvested from this notebook's run on images that it never saw."""
        rubric = assignment.rubric
        began = {cell.index for cell in run.cells if cell.state is not CellState.NOT_RUN}
        code = self.read(data, assignment).code_cells
        return measure(
            run.models,
            self._blobs.get,
            model_path=assignment.model_path,
            latent_dims=rubric.latent_dims,
            dataset=self._open_dataset(rubric.dataset),
            sandbox=self._sandbox,
            on_start=on_start,
            cells=[(cell.index, cell.source) for cell in code if cell.index in began],
            store=self._blobs.put,
        )

    def gather(self, data: bytes, assignment: Assignment, run: NotebookRun, models: ModelReport) -> Evidence:
        """Put everything together that a check may see."""
        return Evidence(
            notebook_sha256=hashlib.sha256(data).hexdigest(),
            alignment=self._align(self.read(data, assignment), assignment),
            run=run,
            models=models,
            grader_version=self._version,
            seed=assignment.rubric.policy.seed,
            hash_seed=HASH_SEED,
            reference=assignment.reference_on(models.dataset.sha256),
        )

    def missing_calibration(self, assignment: Assignment) -> str:
        """What an instructor must know where the reference was not measured on the data set in use; or "".

        Opens the data set: `SetupIncomplete` where it is damaged or cannot be written.
        """
        dataset = self._open_dataset(assignment.rubric.dataset)
        if assignment.reference_on(dataset.sha256):
            return ""
        name = assignment.rubric.id
        meaning = (
            "the models of its submissions all go to review"
            if assignment.needs_calibration
            else "the rubric's own thresholds count, and whether they are within reach is not known"
        )
        return (
            f"{name} is not calibrated on the data set in use ({dataset.name}, {dataset.sha256[:12]}): "
            f"{meaning}. Run `grader calibrate {name}`."
        )

    def judge(self, evidence: Evidence, assignment: Assignment) -> Grade:
        """Judge the evidence under the assignment's rubric."""
        return judge(assignment.rubric, evidence)


@dataclass(frozen=True, slots=True)
class Autograded:
    """What `autograde` yields."""

    evidence: Evidence
    grade: Grade
    seconds: Mapping[str, float]


def autograde(
    grader: Autograder,
    data: bytes,
    assignment: Assignment,
    *,
    clock: Callable[[], float],
    on_cell: Callable[[CellRun], None] = _ignore,
    on_start: Callable[[Jail], None] = _ignore,
) -> Autograded:
    """Walk the whole path at once, as `grader grade` does. ``clock`` counts seconds from anywhere.

    Raises `UploadRefused` for a notebook that cannot be graded, `OurFailure` where we fail.
    """
    began = clock()
    run = grader.run(data, assignment, on_cell=on_cell, on_start=on_start)
    models = grader.measure(data, run, assignment, on_start=on_start)
    evidence = grader.gather(data, assignment, run, models)
    grade = grader.judge(evidence, assignment)
    timing = time_spent(run, models, queued=0.0, total=clock() - began)
    return Autograded(evidence, grade, timing.as_document())
