"""Bring a database's schema up to this release's."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from grader.storage.unit_of_work import Database

_FOLDER = Path(__file__).parent
_LOCK = 5_205_120_811  # any number, the same in every process


def upgrade(engine: sa.Engine) -> None:
    """Apply every migration that is missing, in one transaction; safe in several processes at once.

    Raises `StorageUnavailable` where the database cannot be used.
    """
    with Database(engine).write() as unit:
        if engine.dialect.name == "postgresql":
            unit.connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
        command.upgrade(_configure(unit.connection), "head")
        unit.commit()


def missing(engine: sa.Engine) -> bool:
    """Whether migrations of this release are not applied yet."""
    with Database(engine).read() as unit:
        current = MigrationContext.configure(
            unit.connection, opts={"version_table": "schema_version"}
        ).get_current_revision()
    return current != ScriptDirectory(str(_FOLDER)).get_current_head()


def _configure(connection: sa.Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
