"""The job engine behind its four verbs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from grader.jobs import Jobs, workflow_id
from grader.services.migrate import migrate
from tests.integration.parts import Parts, make_parts


@pytest.fixture
def parts(tmp_path: Path) -> Parts:
    return make_parts(tmp_path)


def _enqueue(parts: Parts, name: str, generation: int = 0, *, commit: bool = True) -> str:
    with parts.database.write() as unit:
        parts.jobs.enqueue(unit.connection, name, generation, 5)
        if commit:
            unit.commit()
    return workflow_id(name, generation)


def _set(parts: Parts, job: str, status: str, worker: str | None = None) -> None:
    with parts.engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE workflow_status SET status = ?, executor_id = ?, completed_at = 1 "
            "WHERE workflow_uuid = ?",
            (status, worker, job),
        )


def test_a_job_is_there_when_its_transaction_commits(parts: Parts) -> None:
    lost, kept = _enqueue(parts, "a", commit=False), _enqueue(parts, "b")
    assert parts.jobs.active([lost, kept]) == {kept}


def test_enqueueing_twice_is_enqueueing_once(parts: Parts) -> None:
    _enqueue(parts, "a")
    _enqueue(parts, "a")
    assert parts.count("workflow_status") == 1


def test_a_later_generation_is_another_job(parts: Parts) -> None:
    jobs = {_enqueue(parts, "a", 0), _enqueue(parts, "a", 1)}
    assert parts.jobs.active(jobs) == jobs


def test_a_cancelled_job_is_not_active(parts: Parts) -> None:
    job = _enqueue(parts, "a")
    parts.jobs.cancel("a", 0)
    parts.jobs.cancel("never heard of", 0)
    assert parts.jobs.active([job]) == frozenset()


@pytest.mark.parametrize(("live", "requeued"), [(["w1"], 1), (["w1", "w2"], 0), ([], 2)])
def test_jobs_of_dead_workers_are_queued_again(parts: Parts, live: list[str], requeued: int) -> None:
    for name, worker in [("a", "w1"), ("b", "w2")]:
        _set(parts, _enqueue(parts, name), "PENDING", worker)
    assert parts.jobs.requeue_dead(live) == requeued
    with parts.engine.connect() as connection:
        queued = connection.exec_driver_sql(
            "SELECT count(*) FROM workflow_status WHERE status = 'ENQUEUED' AND queue_name = 'grade'"
        ).scalar_one()
    assert queued == requeued


def test_finished_jobs_are_forgotten_and_others_kept(parts: Parts) -> None:
    _set(parts, _enqueue(parts, "a"), "SUCCESS")
    waiting = _enqueue(parts, "b")
    assert parts.jobs.forget_finished(datetime.now(UTC) - timedelta(days=1)) == 1
    assert parts.count("workflow_status") == 1
    assert parts.jobs.active([waiting]) == {waiting}


def test_two_clients_share_one_queue(parts: Parts) -> None:
    job = _enqueue(parts, "a")
    migrate(parts.engine)
    assert Jobs(parts.engine).active([job]) == {job}
