"""The work on submissions: each change is conditional, so that whoever comes late changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from grader.domain.submission import SubmissionState
from grader.storage.tables.submissions import submission, work

UNFINISHED = (SubmissionState.QUEUED, SubmissionState.RUNNING)


@dataclass(frozen=True, slots=True)
class OpenWork:
    """Work that was accepted and is not finished."""

    submission_id: str
    generation: int
    priority: int


class Work:
    """The `work` table. ``generation`` names the job that may change the row; others change nothing."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def add(self, submission_id: str, priority: int, now: datetime) -> None:
        """Queue a new submission's work."""
        self._connection.execute(
            sa.insert(work).values(
                submission_id=submission_id,
                state=SubmissionState.QUEUED,
                stage="",
                tries=0,
                generation=0,
                priority=priority,
                failure="",
                changed_at=now,
            )
        )

    def take_up(self, submission_id: str, generation: int, stage: str, *, first: bool, now: datetime) -> int:
        """Enter a stage and return how often the work was taken up, 0 where there is none to do.

        A job's first stage counts each time, a later one only when it is entered again: so a stage
        that takes its worker down is counted wherever it stands.
        """
        again = sa.case((work.c.stage == stage, 1), else_=0)
        changed = self._change(
            submission_id,
            generation,
            state=SubmissionState.RUNNING,
            stage=stage,
            tries=work.c.tries + (1 if first else again),
            started_at=sa.func.coalesce(work.c.started_at, sa.bindparam("now", now, work.c.changed_at.type)),
            changed_at=now,
        )
        if not changed:
            return 0
        query = sa.select(work.c.tries).where(work.c.submission_id == submission_id)
        return int(self._connection.execute(query).scalar_one())

    def give_back(self, submission_id: str, generation: int, *, first: bool, now: datetime) -> bool:
        """A worker that stops returns the stage that it could not finish: that was no try."""
        return self._change(
            submission_id,
            generation,
            state=SubmissionState.QUEUED,
            stage="",
            tries=sa.case((work.c.tries > 0, work.c.tries - int(first)), else_=0),
            changed_at=now,
        )

    def note_failure(self, submission_id: str, generation: int, reason: str, now: datetime) -> bool:
        """Keep why the last try failed; there will be another."""
        return self._change(submission_id, generation, failure=reason, changed_at=now)

    def finish(
        self, submission_id: str, generation: int, state: SubmissionState, now: datetime, failure: str = ""
    ) -> bool:
        """End the work; False where it had ended or belongs to a later job."""
        return self._change(submission_id, generation, state=state, failure=failure, changed_at=now)

    def queue_again(
        self, submission_id: str, generation: int, now: datetime, *, failed: bool = False
    ) -> OpenWork | None:
        """Give the work to a new job, the next generation. A failed one starts with its tries anew."""
        expected = (SubmissionState.FAILED,) if failed else UNFINISHED
        values: dict[str, Any] = {"tries": 0, "failure": ""} if failed else {}
        changed = self._change(
            submission_id,
            generation,
            expected=expected,
            state=SubmissionState.QUEUED,
            stage="",
            generation=generation + 1,
            changed_at=now,
            **values,
        )
        if not changed:
            return None
        query = sa.select(work.c.priority).where(work.c.submission_id == submission_id)
        return OpenWork(submission_id, generation + 1, self._connection.execute(query).scalar_one())

    def count_before(self, submission_id: str) -> tuple[int, int]:
        """How many queued ones are taken up before this one, and how many are running."""
        own = (
            sa.select(work.c.priority, submission.c.accepted_at)
            .join(submission)
            .where(work.c.submission_id == submission_id)
        )
        row = self._connection.execute(own).first()
        if row is None:
            return 0, 0
        earlier = sa.or_(
            work.c.priority < row.priority,
            sa.and_(work.c.priority == row.priority, submission.c.accepted_at < row.accepted_at),
        )
        query = (
            sa.select(
                sa.func.count().filter(sa.and_(work.c.state == SubmissionState.QUEUED, earlier)),
                sa.func.count().filter(work.c.state == SubmissionState.RUNNING),
            )
            .select_from(work.join(submission))
            .where(work.c.state.in_(UNFINISHED), work.c.submission_id != submission_id)
        )
        queued, running = self._connection.execute(query).one()
        return int(queued), int(running)

    def is_unfinished(self, submission_id: str, generation: int) -> bool:
        """Whether the work is still this job's to do."""
        query = sa.select(work.c.submission_id).where(*_held_by(submission_id, generation, UNFINISHED))
        return self._connection.execute(query).first() is not None

    def list_taken_up(self) -> list[OpenWork]:
        """Unfinished work that some worker has begun, and may have given back."""
        query = sa.select(work.c.submission_id, work.c.generation, work.c.priority).where(
            work.c.state.in_(UNFINISHED), work.c.started_at.is_not(None)
        )
        return [OpenWork(*row) for row in self._connection.execute(query)]

    def list_unfinished(self, after: str = "", limit: int = 500) -> list[OpenWork]:
        """Unfinished work by submission id, a page at a time: ``after`` is the last id seen."""
        query = (
            sa.select(work.c.submission_id, work.c.generation, work.c.priority)
            .where(work.c.state.in_(UNFINISHED), work.c.submission_id > after)
            .order_by(work.c.submission_id)
            .limit(limit)
        )
        return [OpenWork(*row) for row in self._connection.execute(query)]

    def list_failed(self, assignment: str | None = None, course: str | None = None) -> list[OpenWork]:
        """Failed work; None: of all assignments, of all courses."""
        query = sa.select(work.c.submission_id, work.c.generation, work.c.priority)
        query = query.where(work.c.state == SubmissionState.FAILED)
        if assignment is not None or course is not None:
            query = query.join(submission)
        if assignment is not None:
            query = query.where(submission.c.assignment == assignment)
        if course is not None:
            query = query.where(submission.c.course == course)
        return [OpenWork(*row) for row in self._connection.execute(query)]

    def _change(
        self,
        submission_id: str,
        current_generation: int,
        /,
        *,
        expected: tuple[SubmissionState, ...] = UNFINISHED,
        **values: Any,
    ) -> bool:
        statement = sa.update(work).where(*_held_by(submission_id, current_generation, expected))
        return self._connection.execute(statement.values(**values)).rowcount == 1


def _held_by(
    submission_id: str, generation: int, states: tuple[SubmissionState, ...]
) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        work.c.submission_id == submission_id,
        work.c.generation == generation,
        work.c.state.in_(states),
    )
