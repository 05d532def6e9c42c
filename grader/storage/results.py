"""The attempts that count, in the order of their last change: for whoever asks again and again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from grader.storage.people_tables import accommodation, member_section, offering
from grader.storage.review_tables import override, standing
from grader.storage.tables import UtcDateTime, grade, submission


@dataclass(frozen=True, slots=True)
class Result:
    """One student's attempt that counts."""

    submission_id: str
    user: str
    attempt: int
    submitted_at: datetime
    given: float
    final: float
    maximum: float
    waiting: int
    late_days: int
    changed_at: datetime  # grade, marks of humans, dates: whichever was last


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page ended."""

    changed_at: datetime
    submission_id: str


class Results:
    """Reads `standing` with the times of what it is derived from."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def page(
        self,
        course: str,
        assignment: str,
        *,
        user: str = "",
        since: datetime | None = None,
        section: str = "",
        after: Cursor | None = None,
        limit: int = 100,
    ) -> list[Result]:
        """What changed after ``since``, oldest change first, from behind the cursor on."""
        changed_at = self._changed_at(course, assignment)
        query = (
            sa.select(
                standing.c.submission_id,
                standing.c.user_id,
                submission.c.attempt,
                submission.c.submitted_at,
                standing.c.given,
                standing.c.final,
                standing.c.maximum,
                standing.c.waiting,
                standing.c.late_days,
                changed_at.label("changed_at"),
            )
            .join(submission, submission.c.id == standing.c.submission_id)
            .join(grade, grade.c.id == standing.c.grade_id)
            .where(standing.c.course == course, standing.c.assignment == assignment, standing.c.is_counted)
            .order_by(changed_at, standing.c.submission_id)
            .limit(limit)
        )
        if user:
            query = query.where(standing.c.user_id == user)
        if section:
            inside = sa.select(member_section.c.person_id).where(
                member_section.c.course == course, member_section.c.section == section
            )
            query = query.where(standing.c.user_id.in_(inside))
        if since is not None:
            query = query.where(changed_at > since)
        if after is not None:
            later = sa.and_(changed_at == after.changed_at, standing.c.submission_id > after.submission_id)
            query = query.where(sa.or_(changed_at > after.changed_at, later))
        return [Result(*row) for row in self._connection.execute(query)]

    def _changed_at(self, course: str, assignment: str) -> sa.ColumnElement[datetime]:
        """The last of: the grade, a human's mark, the student's extension or excuse, the settings."""
        marked = (
            sa.select(sa.func.max(override.c.made_at))
            .where(override.c.submission_id == standing.c.submission_id)
            .scalar_subquery()
        )
        accommodated = (
            sa.select(sa.func.max(accommodation.c.made_at))
            .where(
                accommodation.c.course == course,
                accommodation.c.assignment == assignment,
                accommodation.c.user_id == standing.c.user_id,
            )
            .scalar_subquery()
        )
        query = sa.select(offering.c.changed_at).where(
            offering.c.course == course, offering.c.assignment == assignment
        )
        settings = sa.literal(self._connection.execute(query).scalar_one_or_none(), UtcDateTime)
        last: sa.ColumnElement[datetime] = grade.c.graded_at
        for other in (marked, accommodated, settings):
            last = sa.type_coerce(sa.case((other > last, other), else_=last), UtcDateTime)
        return last
