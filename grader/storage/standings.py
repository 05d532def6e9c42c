"""What counts now: one row for each graded submission and each of its items. Derived; may be rebuilt."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

import sqlalchemy as sa

from grader.storage.review_tables import mark, standing
from grader.storage.tables import grade, submission, work

_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Mark:
    """One item of one submission."""

    submission_id: str
    item: str
    course: str
    assignment: str
    points: float
    max_points: float
    state: str
    proposed: float | None  # points
    doubt: float  # 0..1
    is_audited: bool
    words_sha256: str  # of the answer, without case and spaces; "": nothing is written
    choice: str  # the letter that was read; ""
    in_queue: bool = False  # waits for a human, is audited, or was asked about


@dataclass(frozen=True, slots=True)
class Standing:
    """One graded submission."""

    submission_id: str
    course: str
    assignment: str
    user_id: str
    grade_id: int
    given: float  # before what lateness costs
    final: float
    expected: float  # as `final`, with what is proposed for items that wait
    maximum: float
    waiting: int  # items that need a human
    is_counted: bool  # of this student's attempts
    crashed: bool
    seconds: float  # of the run
    text_sha256: str
    code_sha256: str


@dataclass(frozen=True, slots=True)
class Attempt:
    """What decides which attempt counts."""

    submission_id: str
    attempt: int
    submitted_at: datetime
    given: float
    expected: float
    is_counted: bool


class Standings:
    """The `standing` and `mark` tables."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def put(self, new: Sequence[Standing], marks: Iterable[Mark]) -> None:
        """Replace what stood of these submissions."""
        ids = [entry.submission_id for entry in new]
        for start in range(0, len(ids), _CHUNK):
            some = ids[start : start + _CHUNK]
            self._connection.execute(sa.delete(mark).where(mark.c.submission_id.in_(some)))
            self._connection.execute(sa.delete(standing).where(standing.c.submission_id.in_(some)))
        if new:
            self._connection.execute(sa.insert(standing), [asdict(entry) for entry in new])
        if rows := [asdict(entry) for entry in marks]:
            self._connection.execute(sa.insert(mark), rows)

    def find(self, submission_id: str) -> Standing | None:
        """One submission's, None before it is graded."""
        row = (
            self._connection.execute(sa.select(standing).where(standing.c.submission_id == submission_id))
            .mappings()
            .first()
        )
        return None if row is None else Standing(**row)

    def marks_of(self, submission_id: str) -> list[Mark]:
        """The items of one submission, in no order."""
        rows = self._connection.execute(sa.select(mark).where(mark.c.submission_id == submission_id))
        return [Mark(**row) for row in rows.mappings()]

    def attempts(self, course: str, assignment: str, user: str) -> list[Attempt]:
        """The graded attempts of one student, oldest first."""
        query = (
            sa.select(
                submission.c.id,
                submission.c.attempt,
                submission.c.submitted_at,
                standing.c.given,
                standing.c.expected,
                standing.c.is_counted,
            )
            .join(standing, standing.c.submission_id == submission.c.id)
            .where(
                standing.c.course == course, standing.c.assignment == assignment, standing.c.user_id == user
            )
            .order_by(submission.c.attempt)
        )
        return [Attempt(*row) for row in self._connection.execute(query)]

    def count_only(self, course: str, assignment: str, user: str, submission_id: str) -> None:
        """Of this student's attempts this one counts."""
        self._connection.execute(
            sa.update(standing)
            .where(
                standing.c.course == course, standing.c.assignment == assignment, standing.c.user_id == user
            )
            .values(is_counted=standing.c.submission_id == submission_id)
        )

    def users(self, course: str, assignment: str) -> list[str]:
        """Everybody with a graded submission."""
        query = (
            sa.select(standing.c.user_id)
            .where(standing.c.course == course, standing.c.assignment == assignment)
            .distinct()
        )
        return list(self._connection.execute(query).scalars())

    def unsettled(self, after: str = "", limit: int = 500) -> list[str]:
        """Submissions with a grade and no standing, of a release before there were any; by id, after one."""
        query = (
            sa.select(work.c.submission_id)
            .outerjoin(standing, standing.c.submission_id == work.c.submission_id)
            .where(
                standing.c.submission_id.is_(None),
                work.c.submission_id > after,
                work.c.state == "graded",
                sa.exists().where(grade.c.submission_id == work.c.submission_id),
            )
            .order_by(work.c.submission_id)
            .limit(limit)
        )
        return list(self._connection.execute(query).scalars())
