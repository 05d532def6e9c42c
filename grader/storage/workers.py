"""Heartbeats of live workers, by the database's clock where it has one."""

from __future__ import annotations

import time
from typing import Any

import sqlalchemy as sa

from grader.storage.tables.submissions import worker

SILENT_SECONDS = 15.0  # a worker that was not heard of for so long is dead


class Workers:
    """The `worker` table."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def beat(self, worker_id: str, host: str, process: int) -> None:
        """Say that this worker lives."""
        values = {"host": host, "process": process, "beat": self._now()}
        statement = sa.update(worker).where(worker.c.id == worker_id).values(**values)
        if self._connection.execute(statement).rowcount == 0:
            self._connection.execute(sa.insert(worker).values(id=worker_id, **values))

    def leave(self, worker_id: str, process: int) -> None:
        """Say that this worker stops; no word about a successor that took its id."""
        self._connection.execute(
            sa.delete(worker).where(worker.c.id == worker_id, worker.c.process == process)
        )

    def live(self, silent_seconds: float = SILENT_SECONDS) -> list[str]:
        """The ids of workers that were heard of lately, sorted."""
        now = self._now()
        # A beat from the future is from before the clock was set back: no sign of life.
        query = sa.select(worker.c.id).where(
            worker.c.beat.between(now - silent_seconds, now + silent_seconds)
        )
        return sorted(self._connection.execute(query).scalars())

    def forget_silent(self, seconds: float = 3600.0) -> None:
        """Drop workers that have long been silent."""
        self._connection.execute(sa.delete(worker).where(worker.c.beat < self._now() - seconds))

    def _now(self) -> Any:
        if self._connection.dialect.name == "sqlite":
            return time.time()
        return sa.func.extract("epoch", sa.func.clock_timestamp())
