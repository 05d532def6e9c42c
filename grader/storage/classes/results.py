"""The attempts that count, in the order of their last change: for whoever asks again and again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from grader.storage.tables.columns import UtcDateTime
from grader.storage.tables.people import accommodation, member_section, offering
from grader.storage.tables.review import override, standing
from grader.storage.tables.submissions import grade, submission


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
    changed_at: datetime  # grades and marks of any attempt, dates: whichever was last


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
        last = _last_change(course, assignment, user).subquery("last_change")
        changed_at = self._or_settings(last.c.moment, course, assignment)
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
            .join(last, last.c.user_id == standing.c.user_id)
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

    def _or_settings(
        self, moment: sa.ColumnElement[datetime], course: str, assignment: str
    ) -> sa.ColumnElement[datetime]:
        """The moment, or that of the last change of the settings where it is later."""
        query = sa.select(offering.c.changed_at).where(
            offering.c.course == course, offering.c.assignment == assignment
        )
        settings = self._connection.execute(query).scalar_one_or_none()
        if settings is None:
            return moment
        changed = sa.literal(settings, UtcDateTime)
        return sa.type_coerce(sa.case((changed > moment, changed), else_=moment), UtcDateTime)


def _last_change(course: str, assignment: str, user: str) -> sa.Select[tuple[str, datetime]]:
    """When what counts of a student last changed, by student; of one, or of all.

    Grades and marks of every attempt are looked at: one that counts no longer lets another one count.
    """

    def of_class(table: sa.Table) -> sa.ColumnElement[bool]:
        of_user = (table.c.user_id == user,) if user else ()
        return sa.and_(table.c.course == course, table.c.assignment == assignment, *of_user)

    attempt = standing.c.submission_id
    moments = sa.union_all(
        sa.select(standing.c.user_id, grade.c.graded_at.label("moment"))
        .join(grade, grade.c.submission_id == attempt)
        .where(of_class(standing)),
        sa.select(standing.c.user_id, override.c.made_at)
        .join(override, override.c.submission_id == attempt)
        .where(of_class(standing)),
        sa.select(accommodation.c.user_id, accommodation.c.made_at).where(of_class(accommodation)),
    ).subquery("moments")
    last = sa.func.max(moments.c.moment, type_=UtcDateTime)
    return sa.select(moments.c.user_id, last.label("moment")).group_by(moments.c.user_id)
