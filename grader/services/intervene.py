"""What an admin may do to the work on a submission: end it, or start it anew."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from grader.domain.submission import SubmissionState
from grader.errors import NotFound, RequestRefused
from grader.jobs import Jobs
from grader.services.people.administration import OPERATOR
from grader.storage.audit import NewAct
from grader.storage.unit_of_work import Database, UnitOfWork
from grader.storage.work import OpenWork


def cancel_submission(database: Database, jobs: Jobs, submission_id: str, reason: str, now: datetime) -> None:
    """End the work on a submission, running or not; it is shown as failed with the reason, never a zero.

    Raises `NotFound`, and `RequestRefused` where the work has ended already.
    """
    with database.write() as unit:
        filed = unit.submissions.find(submission_id)
        if filed is None:
            raise NotFound(f"There is no submission {submission_id!r}.")
        state = filed.submission.state
        if not unit.work.finish(
            submission_id, filed.generation, SubmissionState.FAILED, now, f"Cancelled: {reason}"
        ):
            raise RequestRefused(f"The work on submission {submission_id} has ended already: {state.value}.")
        course = filed.submission.course
        unit.audit.note(
            now, OPERATOR.id, "submission.cancel", course=course, subject=submission_id, reason=reason
        )
        unit.commit()
    # After the commit: a worker that sees the job cancelled finds the row ended, and leaves it.
    jobs.cancel(submission_id, filed.generation)


def retry_failed(database: Database, jobs: Jobs, now: datetime, assignment: str | None = None) -> list[str]:
    """Queue failed submissions again, of one assignment or of all; return their ids."""
    with database.write() as unit:
        queued = queue_failed(unit, jobs, unit.work.list_failed(assignment), OPERATOR.id, now)
        unit.commit()
    return queued


def queue_failed(
    unit: UnitOfWork, jobs: Jobs, failed: Iterable[OpenWork], actor: str, now: datetime
) -> list[str]:
    """Queue this failed work again in an open unit of work, noted one by one; return what was queued."""
    queued = []
    for one in failed:
        again = unit.work.queue_again(one.submission_id, one.generation, now, failed=True)
        if again is not None:
            jobs.enqueue(unit.connection, again.submission_id, again.generation, again.priority)
            queued.append(again.submission_id)
    unit.audit.note_all(
        [
            NewAct(now, actor, "submission.retry", filed.submission.course, filed.submission.id)
            for filed in unit.submissions.find_all(queued)
        ]
    )
    return queued
