"""Database engines: SQLite for one machine, PostgreSQL for many; the settings that keep each safe."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event

from grader.errors import SetupIncomplete

_SQLITE_PRAGMAS = (
    "busy_timeout = 30000",  # milliseconds; writers queue
    "journal_mode = WAL",
    "synchronous = FULL",  # a 202 must outlive a power cut
    "foreign_keys = ON",
    "secure_delete = ON",  # what an erasure deletes is overwritten; not every build does so by itself
)
_POSTGRESQL_OPTIONS = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,  # milliseconds
}


def make_engine(url: str, pool_size: int = 20) -> sa.Engine:
    """Make the engine that our tables and the job engine share.

    ``pool_size`` connections are kept and 5 more lent at need. Raises `SetupIncomplete` for a URL
    that is neither SQLite in a file nor PostgreSQL, or for a file that cannot be written. Creates an
    SQLite file that others cannot read, and its folder; connects to nothing.
    """
    parsed = _parse(url)
    if parsed.get_backend_name() == "postgresql":
        return sa.create_engine(
            parsed.set(drivername="postgresql+psycopg"),
            pool_size=pool_size,
            max_overflow=5,
            pool_pre_ping=True,
            connect_args=_POSTGRESQL_OPTIONS,
        )
    _make_private(Path(parsed.database or ""))
    engine = sa.create_engine(parsed, pool_size=pool_size, max_overflow=5)
    event.listen(engine, "connect", _prepare_sqlite)
    return engine


def _parse(url: str) -> sa.URL:
    try:
        parsed = sa.make_url(url)
        backend = parsed.get_backend_name()
    except sa.exc.ArgumentError:
        backend = ""
    if backend == "postgresql" or (backend == "sqlite" and parsed.database not in (None, "", ":memory:")):
        return parsed
    raise SetupIncomplete(
        "the database's URL must be sqlite:///path/to/grader.db or postgresql://user@host/name; "
        "set GRADER_DATABASE, or unset it to use SQLite in GRADER_HOME."
    )


def _make_private(file: Path) -> None:
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not file.exists():
            file.touch(mode=0o600)  # SQLite gives its journals the same mode
    except OSError as error:
        raise SetupIncomplete(
            f"the database {file} cannot be made ({error.strerror}): mend the folder's permissions."
        ) from None


def _prepare_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    if sqlite3.sqlite_version_info < (3, 42):
        # The job engine asks for unixepoch('subsec'), which older SQLite answers with NULL.
        connection.create_function("unixepoch", -1, lambda *_: time.time())
    connection.isolation_level = "IMMEDIATE"  # no transaction fails by turning from reader into writer
    for pragma in _SQLITE_PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")
