"""Workers in processes of their own: started, killed, drained."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from grader.services.grades.report import read_report, submission_document
from grader.services.intervene import cancel_submission, retry_failed
from grader.worker.slots import hold_slot
from tests.integration.parts import NOW, Parts, make_parts, wait_until

REPOSITORY = Path(__file__).parents[2]
Start = Callable[[], "subprocess.Popen[bytes]"]


@contextmanager
def starting(home: Path) -> Iterator[Start]:
    """Start workers on this home; all are killed at the end."""
    started: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "tests.integration.worker_process", str(home)]
        started.append(subprocess.Popen(command, cwd=REPOSITORY))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


@pytest.fixture
def parts(tmp_path: Path) -> Parts:
    return make_parts(tmp_path)


@pytest.fixture
def start(parts: Parts) -> Iterator[Start]:
    """Start a worker on these parts."""
    with starting(parts.home) as start:
        yield start


@pytest.fixture(scope="module")
def at_work(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Parts]:
    """Parts with a worker that several tests share: its notebooks do it no harm."""
    parts = make_parts(tmp_path_factory.mktemp("at-work"))
    with starting(parts.home) as start:
        start()
        yield parts


def _document(parts: Parts, submission: dict[str, Any]) -> dict[str, Any]:
    return submission_document(read_report(parts.database, submission["id"]), None, NOW)


def _wait(parts: Parts, submission: dict[str, Any], *standings: str) -> dict[str, Any]:
    wanted = standings or ("FullyGraded", "Failed")

    def final() -> dict[str, Any] | None:
        document = _document(parts, submission)
        return document if document["gradingProgress"] in wanted else None

    document: dict[str, Any] = wait_until(final, f"submission {submission['id']}")
    return document


def _wait_for_diary(parts: Parts, entry: str, times: int = 1) -> None:
    wait_until(lambda: parts.autograder.times(entry) >= times, f"{times} times {entry!r} in the diary")


def test_submissions_are_graded_once_each(at_work: Parts) -> None:
    submissions = [at_work.submit(f"print({n})") for n in range(3)]
    for submission in submissions:
        document = _wait(at_work, submission)
        assert (document["gradingProgress"], document["scoreGiven"]) == ("FullyGraded", 8.0)
        assert document["tries"] == 1
        assert set(document["seconds"]) == {"queued", "jail", "cells", "evaluation", "total"}
        with at_work.database.read() as unit:
            assert unit.progress.of(submission["id"]) == ()


def test_progress_shows_while_a_notebook_runs(at_work: Parts) -> None:
    submission = at_work.submit("wait 4")

    def done() -> tuple[object, ...]:
        with at_work.database.read() as unit:
            return tuple(c for c in unit.progress.of(submission["id"]) if c.state == "ok")

    wait_until(done, "a finished cell")
    assert _document(at_work, submission)["status"] == "running"


def test_a_killed_worker_loses_nothing_and_repeats_nothing(parts: Parts, start: Start) -> None:
    submission = parts.submit("wait 2")
    first = start()
    _wait_for_diary(parts, "run wait 2")
    first.kill()
    first.wait()
    start()
    document = _wait(parts, submission)
    assert document["gradingProgress"] == "FullyGraded"
    assert document["tries"] == 2
    assert parts.autograder.times("run wait 2") == 2
    assert parts.count("grade") == 1


def test_a_notebook_that_kills_its_worker_fails_after_three_tries(parts: Parts, start: Start) -> None:
    poison, harmless = parts.submit("kill the worker"), parts.submit("print(1)", user="bob")
    for _ in range(3):
        worker = start()
        assert worker.wait(40) == -signal.SIGKILL
    start()
    document = _wait(parts, poison)
    assert document["gradingProgress"] == "Failed"
    assert document["scoreGiven"] is None
    assert "died 3 times" in document["failure"]
    assert parts.autograder.times("run kill the worker") == 3
    assert _wait(parts, harmless)["gradingProgress"] == "FullyGraded"


def test_our_failure_is_tried_three_times_and_then_shown(at_work: Parts) -> None:
    submission = at_work.submit("fail always")
    document = _wait(at_work, submission)
    assert (document["gradingProgress"], document["failure"]) == ("Failed", "no jail could be started")
    assert at_work.autograder.times("run fail always") == 3


def test_a_failure_that_passes_is_forgotten(at_work: Parts) -> None:
    submission = at_work.submit("fail once")
    document = _wait(at_work, submission)
    assert (document["gradingProgress"], document["failure"]) == ("FullyGraded", None)


def test_a_failed_submission_that_is_tried_again_can_be_graded(at_work: Parts) -> None:
    submission = at_work.submit("fail three times")
    _wait(at_work, submission)
    assert submission["id"] in retry_failed(at_work.database, at_work.jobs, NOW)
    assert _wait(at_work, submission)["gradingProgress"] == "FullyGraded"


def test_cancelling_kills_the_notebook_and_frees_the_worker(at_work: Parts) -> None:
    endless = at_work.submit("wait 600")
    _wait_for_diary(at_work, "run wait 600")
    cancel_submission(at_work.database, at_work.jobs, endless["id"], "wrong file", NOW)
    assert _wait(at_work, at_work.submit("print(2)"))["gradingProgress"] == "FullyGraded"
    assert _document(at_work, endless)["failure"] == "Cancelled: wrong file"


def test_a_drained_worker_gives_back_what_it_runs(parts: Parts, start: Start) -> None:
    submission = parts.submit("wait 600")
    worker = start()
    _wait_for_diary(parts, "run wait 600")
    worker.terminate()
    assert worker.wait(20) == 0
    document = _document(parts, submission)
    assert (document["status"], document["tries"]) == ("queued", 0)
    assert _live(parts) == []
    start()
    _wait_for_diary(parts, "run wait 600", times=2)
    assert _document(parts, submission)["tries"] == 1


def test_a_dead_workers_job_is_taken_over_by_a_living_one(parts: Parts, start: Start) -> None:
    submission = parts.submit("wait 8")
    first = start()
    _wait_for_diary(parts, "run wait 8")
    start()
    wait_until(lambda: len(_live(parts)) == 2, "two workers")
    first.kill()
    document = _wait(parts, submission)
    assert (document["gradingProgress"], document["tries"]) == ("FullyGraded", 2)
    assert parts.count("grade") == 1


def _live(parts: Parts) -> list[str]:
    with parts.database.read() as unit:
        return unit.workers.live(silent_seconds=3.0)


def test_a_restarted_worker_is_the_one_that_died(tmp_path: Path) -> None:
    with hold_slot(tmp_path) as first:
        pass
    with hold_slot(tmp_path) as second:
        assert second == first


def test_two_workers_never_share_a_name(tmp_path: Path) -> None:
    with hold_slot(tmp_path) as first, hold_slot(tmp_path) as second:
        assert first != second


def test_workers_of_two_machines_never_share_a_name(tmp_path: Path) -> None:
    with hold_slot(tmp_path / "a") as first, hold_slot(tmp_path / "b") as second:
        assert first != second


def test_a_submission_without_a_job_gets_one(parts: Parts, start: Start) -> None:
    submission = parts.submit()
    with parts.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM workflow_status")
    start()
    assert _wait(parts, submission)["gradingProgress"] == "FullyGraded"
