"""The database's promises, on real SQLite."""

from __future__ import annotations

import os
import shutil
import threading
import time
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
import sqlalchemy as sa

from grader.domain.run import CellRun, CellState
from grader.domain.submission import Submission, SubmissionState
from grader.errors import SetupIncomplete, StorageUnavailable
from grader.storage import Clash, Database, UnitOfWork, make_engine
from tests.integration.parts import NOW, Parts, make_evidence, make_grade, make_parts


@pytest.fixture
def parts(tmp_path: Path) -> Parts:
    return make_parts(tmp_path)


def _submission(number: int = 1, submitted_at: datetime = NOW) -> Submission:
    return Submission(
        f"{number:032x}", "cs101", "hw", "ada", number, f"{number:064x}", "hw.ipynb", submitted_at,
        SubmissionState.QUEUED, 0,
    )  # fmt: skip


def _file(unit: UnitOfWork, number: int = 1) -> str:
    unit.submissions.add(_submission(number), accepted_at=NOW)
    unit.work.add(_submission(number).id, 1, NOW)
    return _submission(number).id


def _grade(database: Database) -> str:
    with database.write() as unit:
        submission_id = _file(unit)
        stored = unit.evidence.add(submission_id, make_evidence(), {"total": 2.0}, NOW)
        unit.grades.add(submission_id, stored, make_grade(), NOW, follows=None)
        unit.commit()
    return submission_id


def test_what_is_not_committed_is_gone(parts: Parts) -> None:
    with parts.database.write() as unit:
        _file(unit)
    assert parts.count("submission") == 0


def test_an_error_after_the_writes_takes_them_back(parts: Parts) -> None:
    def file_and_fail() -> None:
        with parts.database.write() as unit:
            _file(unit)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        file_and_fail()
    assert parts.count("submission") == 0


def test_what_follows_a_commit_needs_one_of_its_own(parts: Parts) -> None:
    with parts.database.write() as unit:
        _file(unit, 1)
        unit.commit()
        _file(unit, 2)
    assert parts.count("submission") == 1


@pytest.mark.parametrize("table", ["submission", "evidence", "grade"])
@pytest.mark.parametrize("change", ["UPDATE {} SET id = id", "DELETE FROM {}"])
def test_what_was_appended_cannot_be_changed(parts: Parts, table: str, change: str) -> None:
    _grade(parts.database)
    with pytest.raises(Clash, match="append-only"), parts.database.write() as unit:
        unit.connection.exec_driver_sql(change.format(table))
    assert parts.count(table) == 1


def test_a_grade_and_its_evidence_come_back_with_what_replays_them(parts: Parts) -> None:
    submission_id = _grade(parts.database)
    with parts.database.read() as unit:
        grade, evidence = unit.grades.newest(submission_id), unit.evidence.newest(submission_id)
    assert grade is not None
    assert evidence is not None
    assert (grade.grade, grade.graded_at) == (make_grade(), NOW)
    assert (evidence.evidence, evidence.seconds) == (make_evidence(), {"total": 2.0})
    with parts.engine.connect() as connection:
        row = connection.execute(sa.text("SELECT * FROM grade")).mappings().one()
    assert (row["notebook_sha256"], row["rubric_sha256"]) == ("e" * 64, "a" * 64)
    assert (row["dataset"], row["dataset_sha256"], row["seed"], row["threads"]) == ("mnist", "d" * 64, 0, 1)
    assert '"torch": "2.13.0"' in row["versions"]


def test_two_grades_cannot_follow_the_same_one(parts: Parts) -> None:
    submission_id = _grade(parts.database)
    with parts.database.write() as unit:
        evidence, first = unit.evidence.newest(submission_id), unit.grades.newest(submission_id)
        assert evidence is not None
        unit.grades.add(submission_id, evidence, make_grade(4.0, rubric_sha256="f" * 64), NOW, follows=first)
        unit.commit()
    with pytest.raises(Clash), parts.database.write() as unit:
        unit.grades.add(submission_id, evidence, make_grade(2.0, rubric_sha256="f" * 64), NOW, follows=first)
    with parts.database.read() as unit:
        newest = unit.grades.newest(submission_id)
    assert newest is not None
    assert newest.grade.given == 4.0


def test_times_come_back_in_utc(parts: Parts) -> None:
    there = datetime(2026, 3, 1, 14, 30, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    with parts.database.write() as unit:
        unit.submissions.add(_submission(submitted_at=there), accepted_at=NOW)
        unit.work.add(_submission().id, 1, NOW)
        unit.commit()
    with parts.database.read() as unit:
        filed = unit.submissions.find(_submission().id)
    assert filed is not None
    assert filed.submission.submitted_at == there
    assert filed.submission.submitted_at.tzinfo is UTC


def test_a_time_without_a_zone_is_refused(parts: Parts) -> None:
    with pytest.raises(sa.exc.StatementError, match="zone"), parts.database.write() as unit:
        unit.submissions.add(_submission(submitted_at=datetime(2026, 3, 1)), accepted_at=NOW)


def test_writers_wait_for_each_other(parts: Parts) -> None:
    def file_ten(first: int) -> None:
        for number in range(first, first + 10):
            with parts.database.write() as unit:
                _file(unit, number)
                unit.commit()

    threads = [threading.Thread(target=file_ten, args=(n * 10 + 1,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert parts.count("submission") == 40


def test_a_reader_sees_no_half_of_a_transaction(parts: Parts) -> None:
    with parts.database.write() as writing:
        _file(writing)
        with parts.database.read() as reading:
            assert reading.submissions.find(_submission().id) is None
        writing.commit()


def test_progress_is_replaced_cell_by_cell(parts: Parts) -> None:
    with parts.database.write() as unit:
        submission_id = _file(unit)
        unit.progress.restart(submission_id, [0, 2, 5])
        unit.progress.note(submission_id, [CellRun(2, CellState.ERROR, 1.5, 10, "ValueError: \x00\ud800")])
        assert [(c.index, c.state, c.error) for c in unit.progress.of(submission_id)] == [
            (0, "not_run", ""),
            (2, "error", "ValueError: �?"),
            (5, "not_run", ""),
        ]
        unit.progress.restart(submission_id, [0])
        assert [c.index for c in unit.progress.of(submission_id)] == [0]


def test_a_silent_worker_is_no_longer_among_the_living(parts: Parts) -> None:
    with parts.database.write() as unit:
        unit.workers.beat("b", "host", 2)
        unit.workers.beat("a", "host", 1)
        assert unit.workers.live() == ["a", "b"]
        assert unit.workers.live(silent_seconds=-1) == []
        unit.workers.leave("a", process=99)
        assert unit.workers.live() == ["a", "b"]
        unit.workers.leave("a", process=1)
        assert unit.workers.live() == ["b"]


def test_a_beat_from_before_the_clock_was_set_back_is_no_sign_of_life(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time()
    with parts.database.write() as unit:
        unit.workers.beat("dead", "host", 1)
        monkeypatch.setattr("grader.storage.workers.time.time", lambda: now - 3600)
        unit.workers.beat("alive", "host", 2)
        assert unit.workers.live() == ["alive"]


@pytest.mark.parametrize(
    ("pragma", "value"),
    [
        ("journal_mode", "wal"),
        ("busy_timeout", 30000),
        ("synchronous", 2),
        ("foreign_keys", 1),
        ("secure_delete", 1),
    ],
)
def test_every_connection_is_set_up_for_safety(parts: Parts, pragma: str, value: object) -> None:
    with parts.engine.connect() as connection:
        assert connection.exec_driver_sql(f"PRAGMA {pragma}").scalar_one() == value


def test_the_job_engine_gets_the_time_from_old_sqlite_too(parts: Parts) -> None:
    with parts.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT unixepoch('subsec')").scalar_one() > 1.7e9


def test_postgresql_is_reached_through_psycopg(tmp_path: Path) -> None:
    engine = make_engine("postgresql://grader@db.example/grader")
    assert engine.dialect.driver == "psycopg"


@pytest.mark.parametrize("url", ["", "nonsense", "mysql://x/y", "sqlite://", "sqlite:///:memory:"])
def test_other_databases_are_refused_with_what_to_write_instead(url: str) -> None:
    with pytest.raises(SetupIncomplete, match="GRADER_DATABASE"):
        make_engine(url)


def test_a_database_out_of_reach_is_our_failure(tmp_path: Path) -> None:
    database = Database(make_engine(f"sqlite:///{tmp_path / 'folder' / 'grader.db'}"))
    shutil.rmtree(tmp_path / "folder")
    with pytest.raises(StorageUnavailable), database.read() as unit:
        unit.submissions.find("x")


def test_a_damaged_database_is_our_failure_and_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "grader.db").write_bytes(os.urandom(8192))
    database = Database(make_engine(f"sqlite:///{tmp_path / 'grader.db'}"))
    with pytest.raises(StorageUnavailable, match="backup"), database.read() as unit:
        unit.submissions.find("x")


def test_nobody_else_can_read_a_new_database(tmp_path: Path) -> None:
    engine = make_engine(f"sqlite:///{tmp_path / 'grader.db'}")
    with engine.connect() as connection:
        connection.exec_driver_sql("CREATE TABLE t (x)")
        connection.commit()
        assert {file.stat().st_mode & 0o777 for file in tmp_path.iterdir()} == {0o600}


def test_a_place_that_takes_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(SetupIncomplete, match="cannot be made"):
        make_engine(f"sqlite:///{tmp_path / 'file' / 'grader.db'}")
