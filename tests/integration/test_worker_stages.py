"""A job's stages on a real database, without the engine: what counts, what is given back, what comes late."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from grader.assignments import Assignment
from grader.domain.evidence import Evidence
from grader.domain.grade import Grade
from grader.domain.run import CellRun, CellState
from grader.errors import OurFailure, StorageUnavailable
from grader.jobs import workflow_id
from grader.storage import Database
from grader.storage.submissions import Filed
from grader.storage.work import Work
from grader.worker.guard import JailGuard, Stopped
from grader.worker.live_progress import LiveProgress
from grader.worker.stages import Job, Stages
from grader.worker.supervisor import Supervisor
from tests.integration.parts import NOW, Parts, WaitingJail, make_assignment, make_parts


@pytest.fixture
def parts(tmp_path: Path) -> Parts:
    return make_parts(tmp_path)


@pytest.fixture
def stages(parts: Parts) -> Stages:
    return _stages(parts)


def _stages(parts: Parts) -> Stages:
    return Stages(
        parts.database, parts.blobs, parts.autograder, parts.assignments, clock=lambda: NOW, pauses=(0.0, 0.0)
    )


def _filed(parts: Parts, job: Job) -> Filed:
    with parts.database.read() as unit:
        filed = unit.submissions.find(job.submission_id)
    assert filed is not None
    return filed


def _standing(parts: Parts, job: Job) -> tuple[str, int, str]:
    submission = _filed(parts, job).submission
    return submission.state, submission.tries, submission.failure


def test_a_zombie_that_comes_back_publishes_nothing(parts: Parts, stages: Stages) -> None:
    job, guard = Job(parts.submit()["id"], 0), JailGuard()
    run = stages.run(job, guard)
    assert run is not None
    models = stages.measure(job, run, guard)
    assert models is not None
    assert stages.judge(job, run, models, guard) is not None
    assert stages.judge(job, run, models, guard) is None
    assert stages.run(job, guard) is None
    assert parts.count("grade") == parts.count("evidence") == 1
    assert _standing(parts, job) == ("graded", 1, "")


def test_what_was_judged_by_a_rubric_that_has_changed_meanwhile_is_judged_again(parts: Parts) -> None:
    stages, job, guard = _stages(parts), Job(parts.submit()["id"], 0), JailGuard()
    run = stages.run(job, guard)
    assert run is not None
    models = stages.measure(job, run, guard)
    assert models is not None
    judged_by = []
    judge = parts.autograder.judge

    def publish_meanwhile(evidence: Evidence, assignment: Assignment) -> Grade:
        judged_by.append(assignment.rubric.sha256)
        parts.assignments["hw"] = make_assignment(sha256="b" * 64)
        return judge(evidence, assignment)

    parts.autograder.judge = publish_meanwhile  # type: ignore[method-assign]
    assert stages.judge(job, run, models, guard) is not None
    assert judged_by == ["a" * 64, "b" * 64]
    with parts.database.read() as unit:
        stored = unit.grades.newest(job.submission_id)
    assert stored is not None
    assert stored.grade.rubric_sha256 == "b" * 64


def test_a_job_that_was_replaced_changes_nothing(parts: Parts, stages: Stages) -> None:
    old, new = Job(parts.submit()["id"], 0), Job(parts.submit()["id"], 1)
    with parts.database.write() as unit:
        unit.work.queue_again(old.submission_id, 0, NOW)
        unit.commit()
    assert stages.run(old, JailGuard()) is None
    assert _standing(parts, old) == ("queued", 0, "")
    assert stages.run(new, JailGuard()) is not None


def test_a_stage_that_is_entered_again_counts_as_a_try(parts: Parts, stages: Stages) -> None:
    job, guard = Job(parts.submit()["id"], 0), JailGuard()
    run = stages.run(job, guard)
    assert run is not None
    stages.measure(job, run, guard)
    assert _standing(parts, job)[1] == 1
    stages.measure(job, run, guard)
    assert _standing(parts, job)[1] == 2


def test_measuring_that_takes_its_worker_down_each_time_fails_too(parts: Parts, stages: Stages) -> None:
    job, guard = Job(parts.submit()["id"], 0), JailGuard()
    run = stages.run(job, guard)
    assert run is not None
    results = [stages.measure(job, run, guard) for _ in range(4)]
    assert results[3] is None
    state, _, failure = _standing(parts, job)
    assert (state, "died 3 times" in failure) == ("failed", True)


def test_an_assignment_that_is_gone_is_our_failure(parts: Parts, stages: Stages) -> None:
    job = Job(parts.submit()["id"], 0)
    parts.assignments.clear()
    assert stages.run(job, JailGuard()) is None
    state, tries, failure = _standing(parts, job)
    assert (state, tries) == ("failed", 3)
    assert "'hw'" in failure


def test_bytes_that_are_gone_are_our_failure(parts: Parts, stages: Stages) -> None:
    document = parts.submit()
    (blob,) = parts.home.rglob(document["sha256"])
    blob.unlink()
    assert stages.run(Job(document["id"], 0), JailGuard()) is None
    assert "backup" in _standing(parts, Job(document["id"], 0))[2]


def test_work_that_is_stopped_is_given_back(parts: Parts, stages: Stages) -> None:
    job, guard = Job(parts.submit("wait 60")["id"], 0), JailGuard()
    stopper = threading.Thread(target=lambda: (_wait_for_run(parts), guard.stop()))
    stopper.start()
    with pytest.raises(Stopped):
        stages.run(job, guard)
    stopper.join()
    assert _standing(parts, job) == ("queued", 0, "")


def _wait_for_run(parts: Parts) -> None:
    while not parts.autograder.times("run wait 60"):
        threading.Event().wait(0.01)


def test_a_database_that_is_away_costs_no_try(
    parts: Parts, stages: Stages, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = Job(parts.submit()["id"], 0)
    real, calls = Database.write, iter([True, True])

    def away_twice(database: Database) -> object:
        if next(calls, False):
            raise StorageUnavailable("locked")
        return real(database)

    monkeypatch.setattr(Database, "write", away_twice)
    monkeypatch.setattr("grader.worker.stages._DATABASE_PAUSE", 0.0)
    assert stages.run(job, JailGuard()) is not None
    assert _standing(parts, job) == ("running", 1, "")


def test_a_jail_that_outlives_its_deadline_is_killed_and_our_failure() -> None:
    guard, jail = JailGuard(), WaitingJail()

    def wait() -> None:
        with guard.deadline(0.05):
            guard.watch(jail)
            jail.wait(60)

    with pytest.raises(OurFailure, match="outlived"):
        wait()


def test_a_jail_that_starts_after_the_stop_is_killed_at_once() -> None:
    guard, jail = JailGuard(), WaitingJail()
    guard.stop()
    guard.watch(jail)
    assert jail.exit().reason == "killed"


def test_progress_that_cannot_be_written_does_not_stop_the_run(
    parts: Parts, stages: Stages, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise StorageUnavailable("locked")

    monkeypatch.setattr("grader.storage.progress.Progress.restart", fail)
    monkeypatch.setattr("grader.storage.progress.Progress.note", fail)
    assert stages.run(Job(parts.submit("wait 0")["id"], 0), JailGuard()) is not None


def test_a_locked_database_does_not_hold_up_the_run(parts: Parts) -> None:
    submission_id = parts.submit()["id"]
    cell = CellRun(0, CellState.OK, 1.0, 3)
    with ExitStack() as closing:
        with parts.database.write():
            progress = closing.enter_context(LiveProgress(parts.database, submission_id, [0]))
            progress.note(cell)  # returns while nothing can be written
        closing.close()
    with parts.database.read() as unit:
        assert unit.progress.of(submission_id) == (cell,)


def test_a_worker_ends_well_although_it_cannot_say_so(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise StorageUnavailable("locked")

    supervisor = Supervisor("w", parts.database, parts.blobs, parts.jobs, lambda: NOW)
    supervisor.start()
    monkeypatch.setattr("grader.storage.workers.Workers.leave", fail)
    supervisor.stop()


def test_a_failure_that_cannot_be_noted_now_does_not_end_the_job(
    parts: Parts, stages: Stages, monkeypatch: pytest.MonkeyPatch
) -> None:
    note, calls = Work.note_failure, iter([True])

    def full_at_first(*given: Any) -> bool:
        if next(calls, False):
            raise StorageUnavailable("database or disk is full")
        return note(*given)

    monkeypatch.setattr(Work, "note_failure", full_at_first)
    monkeypatch.setattr("grader.worker.stages._DATABASE_PAUSE", 0.0)
    assert stages.run(Job(parts.submit("fail once")["id"], 0), JailGuard()) is not None


def test_a_job_that_ended_without_a_trace_is_queued_again(parts: Parts) -> None:
    carried = frozenset({workflow_id(parts.submit("a")["id"], 0)})
    parts.submit("b")
    with parts.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE workflow_status SET status = 'PENDING', executor_id = 'w'")
    supervisor = Supervisor(
        "w", parts.database, parts.blobs, parts.jobs, lambda: NOW, carried=lambda: carried
    )
    assert [supervisor.resume_stranded() for _ in range(3)] == [0, 1, 0]
    assert parts.jobs.pending_on("w") == carried
