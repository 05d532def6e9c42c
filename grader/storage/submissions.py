"""Submissions: added once, never changed; read together with the state of the work on them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from grader.domain.submission import Submission, SubmissionState
from grader.storage.tables.submissions import submission, work

_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Filed:
    """A submission as the database keeps it. Times are UTC."""

    submission: Submission
    accepted_at: datetime
    changed_at: datetime  # when its state last changed
    generation: int  # of its job
    started_at: datetime | None  # when a worker first took it up


class Submissions:
    """The `submission` table."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def add(self, new: Submission, accepted_at: datetime) -> None:
        """Append one. Violated uniqueness surfaces as `Clash`."""
        self._connection.execute(
            sa.insert(submission).values(
                id=new.id,
                course=new.course,
                assignment=new.assignment,
                user_id=new.user,
                attempt=new.attempt,
                notebook_sha256=new.notebook_sha256,
                filename=new.filename,
                submitted_at=new.submitted_at,
                accepted_at=accepted_at,
            )
        )

    def find(self, submission_id: str) -> Filed | None:
        """The submission with this id."""
        return self._first(submission.c.id == submission_id)

    def find_all(self, submission_ids: Iterable[str]) -> list[Filed]:
        """Those of these submissions that there are."""
        ids = list(submission_ids)
        found = []
        for start in range(0, len(ids), _CHUNK):
            query = (
                sa.select(submission, work)
                .select_from(submission.join(work))
                .where(submission.c.id.in_(ids[start : start + _CHUNK]))
            )
            found += [_filed(row) for row in self._connection.execute(query).mappings()]
        return found

    def find_same(self, course: str, assignment: str, user: str, notebook_sha256: str) -> Filed | None:
        """What this user already handed in with exactly these bytes, the newest one of several."""
        return self._first(
            *_handed_in(course, assignment, user), submission.c.notebook_sha256 == notebook_sha256
        )

    def count(self, course: str, assignment: str, user: str) -> tuple[int, int, int]:
        """How many this user handed in, how many of them are not finished, how many we failed at."""
        query = (
            sa.select(
                sa.func.count(),
                sa.func.count().filter(work.c.state.in_(("queued", "running"))),
                sa.func.count().filter(work.c.state == "failed"),
            )
            .select_from(submission.join(work))
            .where(*_handed_in(course, assignment, user))
        )
        total, unfinished, failed = self._connection.execute(query).one()
        return int(total), int(unfinished), int(failed)

    def of_student(self, course: str, assignment: str, user: str) -> list[Filed]:
        """All that this user handed in, newest first."""
        query = (
            sa.select(submission, work)
            .select_from(submission.join(work))
            .where(*_handed_in(course, assignment, user))
            .order_by(submission.c.attempt.desc())
        )
        return [_filed(row) for row in self._connection.execute(query).mappings()]

    def courses_of(self, assignment: str) -> list[str]:
        """Every course in which something of an assignment was handed in."""
        query = sa.select(submission.c.course).where(submission.c.assignment == assignment).distinct()
        return sorted(self._connection.execute(query).scalars())

    def _first(self, *conditions: sa.ColumnElement[bool]) -> Filed | None:
        query = (
            sa.select(submission, work)
            .select_from(submission.join(work))
            .where(*conditions)
            .order_by(submission.c.attempt.desc())
            .limit(1)
        )
        row = self._connection.execute(query).mappings().first()
        return None if row is None else _filed(row)


def _handed_in(course: str, assignment: str, user: str) -> tuple[sa.ColumnElement[bool], ...]:
    columns = submission.c
    return (columns.course == course, columns.assignment == assignment, columns.user_id == user)


def _filed(row: sa.RowMapping) -> Filed:
    upload: dict[Any, Any] = {column.name: row[column] for column in submission.c}
    accepted_at = upload.pop("accepted_at")
    user = upload.pop("user_id")
    return Filed(
        submission=Submission(
            **upload,
            user=user,
            state=SubmissionState(row[work.c.state]),
            tries=row[work.c.tries],
            failure=row[work.c.failure],
        ),
        accepted_at=accepted_at,
        changed_at=row[work.c.changed_at],
        generation=row[work.c.generation],
        started_at=row[work.c.started_at],
    )
