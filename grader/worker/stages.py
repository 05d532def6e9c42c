"""The stages of one job: run, measure, judge. Each may be entered again after a crash."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import TypeVar

from grader.assignments import Assignment
from grader.domain.models import ModelReport
from grader.domain.run import NotebookRun
from grader.domain.submission import SubmissionState
from grader.errors import GraderError, OurFailure, StorageUnavailable, UploadRefused
from grader.services.autograde import Autograder, time_spent
from grader.services.grades.standing import hash_code, settle
from grader.services.opinions.gather import SecondOpinion, gather_opinions
from grader.services.proposals.calibrations import load_calibrations
from grader.services.similarity.lookalikes import find_lookalikes
from grader.services.similarity.resemblance import note_resemblances, sketch_passages
from grader.storage.blobs import Blobs, note_written
from grader.storage.codec import dump, load
from grader.storage.submissions import Filed
from grader.storage.unit_of_work import Database
from grader.worker.guard import JailGuard, Stopped
from grader.worker.live_progress import LiveProgress

T = TypeVar("T")

MOST_TRIES = 3
PAUSES = (5.0, 30.0)  # seconds before the second and the third try
_MARGIN_SECONDS = 120.0  # a jail that was told to end gets so long before we end it
_EVALUATION_SECONDS = 900.0
_DATABASE_PAUSE = 2.0
_FIRST_STAGE = "run"
_DIED = f"the worker died {MOST_TRIES} times while it graded this notebook."
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Job:
    """One generation of the work on a submission."""

    submission_id: str
    generation: int


class Stages:
    """What a worker does with a job. A stage returns a blob's sha256; None where nothing is left to do."""

    def __init__(
        self,
        database: Database,
        blobs: Blobs,
        autograder: Autograder,
        assignments: Mapping[str, Assignment],
        *,
        clock: Callable[[], datetime],
        pauses: Sequence[float] = PAUSES,
        opinions: Sequence[SecondOpinion] = (),
    ) -> None:
        self._database = database
        self._blobs = blobs
        self._autograder = autograder
        self._assignments = assignments
        self._clock = clock
        self._pauses = pauses
        self._opinions = opinions

    def run(self, job: Job, guard: JailGuard) -> str | None:
        """Run the notebook; the blob is its `NotebookRun`."""

        def work(filed: Filed, assignment: Assignment) -> str:
            data = self._blobs.get(filed.submission.notebook_sha256)
            cells = [cell.index for cell in self._autograder.read(data, assignment).code_cells]
            seconds = assignment.rubric.run_limits.total_seconds + _MARGIN_SECONDS
            with LiveProgress(self._database, job.submission_id, cells) as progress, guard.deadline(seconds):
                run = self._autograder.run(data, assignment, on_cell=progress.note, on_start=guard.watch)
            guard.check()
            return self._blobs.put(dump(run).encode())

        return self._enter(job, _FIRST_STAGE, guard, work)

    def measure(self, job: Job, run_sha256: str, guard: JailGuard) -> str | None:
        """Measure the run's models; the blob is their `ModelReport`."""

        def work(filed: Filed, assignment: Assignment) -> str:
            run = load(NotebookRun, self._blobs.get(run_sha256).decode())
            data = self._blobs.get(filed.submission.notebook_sha256)
            with guard.deadline(_EVALUATION_SECONDS):
                models = self._autograder.measure(data, run, assignment, on_start=guard.watch)
            guard.check()
            return self._blobs.put(dump(models).encode())

        return self._enter(job, "measure", guard, work)

    def judge(self, job: Job, run_sha256: str, models_sha256: str, guard: JailGuard) -> str | None:
        """Judge, and publish evidence and grade in one transaction; the blob is the `Evidence`."""

        def work(filed: Filed, assignment: Assignment) -> str | None:
            run = load(NotebookRun, self._blobs.get(run_sha256).decode())
            models = load(ModelReport, self._blobs.get(models_sha256).decode())
            data = self._blobs.get(filed.submission.notebook_sha256)
            evidence = self._autograder.gather(data, assignment, run, models)
            notebook = self._autograder.read(data, assignment)
            template = self._autograder.read(assignment.template, assignment)
            code = notebook.code_cells
            size = sum(len(cell.source.encode("utf-8", "replace")) for cell in code)
            code_sha256 = hash_code(cell.source for cell in code)
            sketches = sketch_passages(filed.submission, notebook, template, evidence.alignment)
            with self._database.read() as unit:
                alike = find_lookalikes(unit, filed.submission, models, size)
                known = load_calibrations(unit, filed.submission.course, filed.submission.assignment)
            said = gather_opinions(assignment.rubric, evidence, self._opinions, check=guard.check)
            evidence = replace(evidence, lookalikes=alike, opinions=said)
            grade = self._autograder.judge(replace(evidence, calibrations=known), assignment)
            now = self._clock()
            queued = ((filed.started_at or now) - filed.accepted_at).total_seconds()
            seconds = time_spent(
                run, models, queued=queued, total=(now - filed.accepted_at).total_seconds()
            ).as_document()
            with self._database.write() as unit:
                if not unit.work.finish(job.submission_id, job.generation, SubmissionState.GRADED, now):
                    return None
                newest = self._assignment(filed)
                if newest.rubric.sha256 != assignment.rubric.sha256:
                    # Whoever published it since did not see this submission.
                    reference = newest.reference_on(models.dataset.sha256)
                    evidence = replace(evidence, reference=reference)
                    grade = self._autograder.judge(replace(evidence, calibrations=known), newest)
                stored = unit.evidence.add(job.submission_id, evidence, seconds, now)
                unit.grades.add(
                    job.submission_id, stored, grade, now, follows=unit.grades.newest(job.submission_id)
                )
                unit.weights.add(job.submission_id, models.marks)
                settle(unit, job.submission_id, code_sha256=code_sha256)
                note_resemblances(unit, filed.submission, sketches, alike)
                unit.progress.forget(job.submission_id)
                unit.commit()
            return filed.submission.notebook_sha256

        return self._enter(job, "judge", guard, work)

    def _enter(
        self, job: Job, stage: str, guard: JailGuard, work: Callable[[Filed, Assignment], T]
    ) -> T | None:
        """Do the work under the tries that our row counts. Raises `Stopped`; that is no try."""
        while True:
            guard.check()
            tries, filed = self._patiently(guard, lambda: self._take_up(job, stage))
            if filed is None:
                return None
            if tries > MOST_TRIES:
                self._fail(job, guard, filed.submission.failure or _DIED)
                return None
            try:
                with note_written() as written:
                    try:
                        return work(filed, self._patiently(guard, partial(self._assignment, filed)))
                    finally:
                        self._take_back(job, guard, written)
            except Exception as error:
                if guard.is_stopped:
                    self._patiently(guard, lambda: self._give_back(job, stage))
                    raise Stopped from error
                reason = _reason(error)
                _log.warning("%s, %s, try %d: %s", job, stage, tries, reason, exc_info=error)
                if tries >= MOST_TRIES or isinstance(error, UploadRefused):
                    self._fail(job, guard, reason)
                    return None
                self._patiently(guard, partial(self._note_failure, job, reason))
                guard.pause(self._pauses[min(tries, len(self._pauses)) - 1])

    def _take_up(self, job: Job, stage: str) -> tuple[int, Filed | None]:
        with self._database.write() as unit:
            tries = unit.work.take_up(
                job.submission_id, job.generation, stage, first=stage == _FIRST_STAGE, now=self._clock()
            )
            filed = unit.submissions.find(job.submission_id) if tries else None
            unit.commit()
            return tries, filed

    def _give_back(self, job: Job, stage: str) -> None:
        with self._database.write() as unit:
            first = stage == _FIRST_STAGE
            unit.work.give_back(job.submission_id, job.generation, first=first, now=self._clock())
            unit.commit()

    def _take_back(self, job: Job, guard: JailGuard, written: Mapping[str, datetime]) -> None:
        """Remove what a stage wrote whose work was ended meanwhile: an erasure did not find it yet."""

        def is_ours() -> bool:
            with self._database.read() as unit:
                return unit.work.is_unfinished(job.submission_id, job.generation)

        if written and not self._patiently(guard, is_ours):
            for sha256, at in written.items():
                self._blobs.remove(sha256, at)

    def _note_failure(self, job: Job, reason: str) -> None:
        with self._database.write() as unit:
            unit.work.note_failure(job.submission_id, job.generation, reason, self._clock())
            unit.commit()

    def _fail(self, job: Job, guard: JailGuard, reason: str) -> None:
        def finish() -> None:
            with self._database.write() as unit:
                unit.work.finish(
                    job.submission_id, job.generation, SubmissionState.FAILED, self._clock(), reason
                )
                unit.commit()

        self._patiently(guard, finish)

    def _patiently(self, guard: JailGuard, act: Callable[[], T]) -> T:
        """Do it as soon as the database is there again; its absence is nobody's try."""
        while True:
            try:
                return act()
            except StorageUnavailable as error:
                _log.warning("waiting for the database: %s", error)
                guard.pause(_DATABASE_PAUSE)

    def _assignment(self, filed: Filed) -> Assignment:
        wanted = filed.submission.assignment
        if wanted not in self._assignments:
            raise OurFailure(f"assignment {wanted!r} is not installed here: put its rubric back and retry.")
        return self._assignments[wanted]


def _reason(error: Exception) -> str:
    if isinstance(error, GraderError):
        return str(error)
    return f"an error in the grader itself ({type(error).__name__}); the worker's log has the details."
