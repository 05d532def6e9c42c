"""The migrations build exactly what the code expects, beside the job engine's own tables."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from grader.services.migrate import migrate
from grader.storage import Database, make_engine
from grader.storage.classes.figures import name_shape
from grader.storage.migrations import _configure, missing, upgrade
from grader.storage.tables.schema import APPEND_ONLY, metadata


@pytest.fixture
def engine(tmp_path: Path) -> sa.Engine:
    return make_engine(f"sqlite:///{tmp_path / 'grader.db'}")


def test_migrations_add_up_to_the_tables(engine: sa.Engine) -> None:
    upgrade(engine)
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={"version_table": "schema_version", "compare_type": True, "compare_server_default": True},
        )
        assert compare_metadata(context, metadata) == []


def test_postgresql_takes_all_names() -> None:
    named = [each for table in metadata.tables.values() for each in (*table.indexes, *table.constraints)]
    assert [each.name for each in named if len(str(each.name)) > 63] == []


def test_an_index_of_earlier_releases_has_its_new_name_after_the_upgrade(engine: sa.Engine) -> None:
    old = "ix_answer_mark_course_assignment_item_question_sha256_override_id"
    with engine.connect() as connection:
        config = _configure(connection)
        command.upgrade(config, "0010")
        connection.exec_driver_sql("DROP INDEX ix_answer_mark_question")
        connection.exec_driver_sql(f"CREATE INDEX {old} ON answer_mark (course, assignment)")
        connection.commit()
    upgrade(engine)
    indexes = {index["name"] for index in sa.inspect(engine).get_indexes("answer_mark")}
    assert "ix_answer_mark_question" in indexes
    assert old not in indexes


def test_every_append_only_table_has_its_triggers(engine: sa.Engine) -> None:
    upgrade(engine)
    with engine.connect() as connection:
        names = set(
            connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'").scalars()
        )
    assert names == {
        f"{table}_no_{change}" for table in APPEND_ONLY for change in ("update", "delete", "replace")
    }


def test_migrating_twice_is_migrating_once(engine: sa.Engine) -> None:
    assert missing(engine)
    migrate(engine)
    assert not missing(engine)
    before = set(sa.inspect(engine).get_table_names())
    migrate(engine)
    assert set(sa.inspect(engine).get_table_names()) == before
    assert before > {"submission", "workflow_status"}


def test_two_processes_may_migrate_at_once(engine: sa.Engine) -> None:
    failures: list[BaseException] = []

    def try_it() -> None:
        try:
            upgrade(engine)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=try_it) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert not missing(engine)


def test_courses_of_earlier_releases_are_there_after_the_upgrade(engine: sa.Engine) -> None:
    with Database(engine).write() as unit:
        command.upgrade(_configure(unit.connection), "0002")
        for number in (1, 2):
            unit.connection.exec_driver_sql(
                "INSERT INTO submission VALUES (?, 'ml2', 'hw', 'ada', ?, ?, 'x', ?, ?)",
                (str(number), number, str(number), *["2025-01-01 00:00:00.000000"] * 2),
            )
        unit.commit()
    upgrade(engine)
    with Database(engine).read() as unit:
        assert unit.people.courses() == {"ml2": "ml2"}


def test_what_was_handed_in_before_stands_after_the_upgrade_with_all_that_refers_to_it(
    engine: sa.Engine,
) -> None:
    with Database(engine).write() as unit:
        command.upgrade(_configure(unit.connection), "0007")
        unit.connection.exec_driver_sql(
            "INSERT INTO submission VALUES ('1', 'ml2', 'hw', 'ada', 1, 'same', 'x', ?, ?)",
            tuple(["2025-01-01 00:00:00.000000"] * 2),
        )
        unit.connection.exec_driver_sql("INSERT INTO progress VALUES ('1', 3, 'ok', 1.5, 0, '')")
        unit.commit()
    upgrade(engine)
    with Database(engine).write() as unit:
        assert unit.connection.exec_driver_sql("PRAGMA foreign_key_check").all() == []
        assert unit.connection.exec_driver_sql("SELECT id, user_id FROM submission").all() == [("1", "ada")]
        unit.connection.exec_driver_sql(
            "INSERT INTO submission SELECT '2', course, assignment, user_id, 2, notebook_sha256, filename, "
            "submitted_at, accepted_at FROM submission"
        )
        unit.commit()
    for refused in (
        "DELETE FROM submission",
        "UPDATE submission SET attempt = 9",
        "REPLACE INTO submission SELECT * FROM submission",
    ):
        with Database(engine).write() as unit, pytest.raises(sa.exc.IntegrityError, match="append-only"):
            unit.connection.exec_driver_sql(refused)


def test_shapes_of_earlier_releases_tell_most_points_after_the_upgrade(engine: sa.Engine) -> None:
    moment = "2026-01-01 00:00:00.000000"
    with Database(engine).write() as unit:
        command.upgrade(_configure(unit.connection), "0008")
        run = unit.connection.exec_driver_sql
        for one, most in (("1", 8.0), ("2", 4.0)):
            times = (moment, moment)
            run("INSERT INTO submission VALUES (?, 'ml2', 'hw', ?, 1, 'x', 'x', ?, ?)", (one, one, *times))
            for item in ("q1", "q1b"):
                judged = (one, item, most)
                run(
                    "INSERT INTO mark VALUES (?, ?, 'ml2', 'hw', 1, ?, 'auto', NULL, 0, 0, '', '', 0)", judged
                )
            figures = "1, 1, 1, 0, 'old', x'', '', '', '', x''"
            run(f"INSERT INTO counted_attempt VALUES ('ml2', 'hw', ?, ?, {figures})", (one, one))
        unit.commit()
    upgrade(engine)
    with Database(engine).read() as unit:
        shapes = [row.shape for row in unit.class_figures.attempts("ml2", "hw")]
        assert shapes == [name_shape({"q1": most, "q1b": most}) for most in (8.0, 4.0)]
        command.downgrade(_configure(unit.connection), "0008")
        assert len({row.shape for row in unit.class_figures.attempts("ml2", "hw")}) == 1


def test_undos_of_earlier_releases_are_undos_after_the_upgrade(engine: sa.Engine) -> None:
    moment = "2026-01-01 00:00:00.000000"
    with Database(engine).write() as unit:
        command.upgrade(_configure(unit.connection), "0009")
        run = unit.connection.exec_driver_sql
        run("INSERT INTO submission VALUES ('1', 'ml2', 'hw', 'ada', 1, 'x', 'x', ?, ?)", (moment, moment))
        for number, (points, reason) in enumerate([(3.0, "well seen"), (None, "taken back")], start=1):
            chosen = (number, points, reason, moment, number - 1)
            run("INSERT INTO override VALUES (?, '1', 'q1', ?, '{}', '', ?, 'ta', ?, ?)", chosen)
        unit.commit()
    upgrade(engine)
    with Database(engine).read() as unit:
        assert [one.override.is_undo for one in unit.overrides.history("1", "q1")] == [False, True]
    with Database(engine).write() as unit, pytest.raises(sa.exc.IntegrityError, match="append-only"):
        unit.connection.exec_driver_sql("UPDATE override SET is_undo = false")
    with Database(engine).write() as unit:
        command.downgrade(_configure(unit.connection), "0009")
        kept = unit.connection.exec_driver_sql("SELECT points, reason FROM override ORDER BY id").all()
        assert kept == [(3.0, "well seen"), (None, "taken back")]
