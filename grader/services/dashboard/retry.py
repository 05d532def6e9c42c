"""Try again what we failed at."""

from __future__ import annotations

from datetime import datetime

from grader.errors import NotFound, NotPermitted
from grader.jobs import Jobs
from grader.services.dashboard.scope import Scope
from grader.services.intervene import queue_failed
from grader.storage.unit_of_work import Database


def retry(database: Database, jobs: Jobs, scope: Scope, now: datetime, submission_id: str = "") -> int:
    """Queue what we failed at again, one submission or all of the assignment; return how many.

    Raises `NotPermitted` for whoever does not manage the course, `NotFound` where there is nothing to try.
    """
    if not scope.actor.manages(scope.course):
        raise NotPermitted("Only instructors start work again.")
    with database.write() as unit:
        failed = [
            work
            for work in unit.work.list_failed(scope.id, scope.course)
            if submission_id in ("", work.submission_id)
        ]
        if not failed:
            raise NotFound("Nothing has failed here, or it is being tried again already.")
        queued = queue_failed(unit, jobs, failed, scope.actor.id, now)
        unit.commit()
    return len(queued)
