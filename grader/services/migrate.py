"""Bring a database up to this release: our tables and the job engine's."""

from __future__ import annotations

import sqlalchemy as sa

from grader.jobs import migrate_jobs
from grader.storage.migrations import upgrade


def migrate(engine: sa.Engine) -> None:
    """Create or upgrade every table; doing it twice, or in two processes at once, is doing it once.

    Raises `StorageUnavailable` where the database cannot be used.
    """
    upgrade(engine)
    migrate_jobs(engine.url)
