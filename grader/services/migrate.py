"""Bring a database up to this release: our tables and the job engine's."""

from __future__ import annotations

from contextlib import suppress

import sqlalchemy as sa

from grader.errors import EvidenceMissing
from grader.jobs import migrate_jobs
from grader.services.grades.standing import settle
from grader.storage.migrations import upgrade
from grader.storage.unit_of_work import Database


def migrate(engine: sa.Engine) -> None:
    """Create or upgrade every table; doing it twice, or in two processes at once, is doing it once.

    Raises `StorageUnavailable` where the database cannot be used.
    """
    upgrade(engine)
    migrate_jobs(engine.url)
    _settle_old(Database(engine))


def _settle_old(database: Database) -> None:
    """Derive what counts for grades of a release that did not keep it."""
    last = ""
    while True:
        with database.write() as unit:
            ids = unit.standings.unsettled(after=last)
            if not ids:
                return
            for submission_id in ids:
                with suppress(EvidenceMissing):  # a damaged grade keeps nobody from starting
                    settle(unit, submission_id)
            unit.commit()
        last = ids[-1]
