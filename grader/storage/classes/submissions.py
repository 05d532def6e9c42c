"""An assignment's submissions as a table: filtered, sorted and cut into pages by the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from grader.storage.classes.figures import Sections, in_sections
from grader.storage.tables.people import person
from grader.storage.tables.review import regrade_request, standing
from grader.storage.tables.submissions import submission, work


class Column(StrEnum):
    """What the table can be sorted by."""

    NAME = "name"
    ATTEMPT = "attempt"
    SUBMITTED = "submitted"
    STATE = "state"
    POINTS = "points"
    WAITING = "waiting"
    SECONDS = "seconds"


class Attention(StrEnum):
    """What may need a teacher's eye."""

    WAITING = "waiting"  # items for a human
    FAILED = "failed"  # by us
    CRASHED = "crashed"  # the run did not reach its end
    ASKED = "asked"  # a request for a regrade is open


@dataclass(frozen=True, slots=True)
class Filter:
    """Which submissions. Empty: any."""

    state: str = ""
    attention: Attention | None = None
    counted_only: bool = False
    words: str = ""  # of the name, or the beginning of an id


@dataclass(frozen=True, slots=True)
class Row:
    """One submission. What is not known before it is graded is None."""

    id: str
    user: str
    name: str
    attempt: int
    submitted_at: datetime
    state: str
    points: float | None
    maximum: float | None
    waiting: int | None
    seconds: float | None
    is_counted: bool | None
    crashed: bool | None


_NAME = sa.func.coalesce(person.c.name, submission.c.user_id)
_ORDERS: dict[Column, sa.ColumnElement[Any]] = {
    Column.NAME: sa.func.lower(_NAME),
    Column.ATTEMPT: submission.c.attempt,
    Column.SUBMITTED: submission.c.submitted_at,
    Column.STATE: work.c.state,
    Column.POINTS: standing.c.final,
    Column.WAITING: standing.c.waiting,
    Column.SECONDS: standing.c.seconds,
}


class SubmissionTable:
    """Submissions of an assignment by students of ``sections``; None: of all."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def count(self, course: str, assignment: str, sections: Sections, wanted: Filter) -> int:
        """How many there are."""
        query = _choose(sa.func.count(), course, assignment, sections, wanted)
        return int(self._connection.execute(query).scalar_one())

    def page(
        self,
        course: str,
        assignment: str,
        sections: Sections,
        wanted: Filter,
        *,
        by: Column = Column.SUBMITTED,
        is_descending: bool = True,
        skip: int = 0,
        limit: int = 50,
    ) -> list[Row]:
        """Some of them. Of equals the id decides, so that pages hold each once; without a value come last."""
        key = _ORDERS[by]
        order = (key.desc() if is_descending else key.asc()).nulls_last()
        query = (
            _choose(submission.c.id, course, assignment, sections, wanted, by)
            .order_by(order, submission.c.id)
            .offset(skip)
            .limit(limit)
        )
        # Thousands are sorted by what is narrow; only those that are shown are read whole.
        ids = list(self._connection.execute(query).scalars())
        rows = {row.id: row for row in self.rows(ids)}
        return [rows[one] for one in ids]

    def rows(self, submission_ids: Sequence[str]) -> list[Row]:
        """These submissions, in no order."""
        return self._read(submission.c.id.in_(submission_ids))

    def of_student(self, course: str, assignment: str, user: str) -> list[Row]:
        """One student's submissions, newest first."""
        rows = self._read(
            submission.c.course == course,
            submission.c.assignment == assignment,
            submission.c.user_id == user,
        )
        return sorted(rows, key=lambda row: -row.attempt)

    def _read(self, *conditions: sa.ColumnElement[bool]) -> list[Row]:
        query: sa.Select[Any] = sa.select(*_COLUMNS).select_from(_FROM).where(*conditions)
        return [Row(*row) for row in self._connection.execute(query)]


_COLUMNS = (
    submission.c.id,
    submission.c.user_id,
    _NAME,
    submission.c.attempt,
    submission.c.submitted_at,
    work.c.state,
    standing.c.final,
    standing.c.maximum,
    standing.c.waiting,
    standing.c.seconds,
    standing.c.is_counted,
    standing.c.crashed,
)
_FROM = (
    submission.join(work)
    .outerjoin(standing, standing.c.submission_id == submission.c.id)
    .outerjoin(person, person.c.id == submission.c.user_id)
)


def _choose(
    what: Any, course: str, assignment: str, sections: Sections, wanted: Filter, by: Column | None = None
) -> sa.Select[Any]:
    """Select ``what`` from no more tables than the filter and the order need."""
    source: sa.FromClause = submission
    if by is Column.STATE or wanted.state or wanted.attention is Attention.FAILED:
        source = source.join(work, work.c.submission_id == submission.c.id)
    if (
        by in (Column.POINTS, Column.WAITING, Column.SECONDS)
        or wanted.counted_only
        or wanted.attention in (Attention.WAITING, Attention.CRASHED)
    ):
        source = source.outerjoin(standing, standing.c.submission_id == submission.c.id)
    if by is Column.NAME or wanted.words:
        source = source.outerjoin(person, person.c.id == submission.c.user_id)
    query = (
        sa.select(what)
        .select_from(source)
        .where(
            submission.c.course == course,
            submission.c.assignment == assignment,
            *in_sections(submission.c.user_id, course, sections),
        )
    )
    if wanted.state:
        query = query.where(work.c.state == wanted.state)
    if wanted.counted_only:
        query = query.where(standing.c.is_counted)
    if wanted.attention is not None:
        query = query.where(_needs(wanted.attention))
    for word in wanted.words.casefold().split():
        some = _like(word)
        query = query.where(
            sa.or_(
                sa.func.lower(_NAME).like(f"%{some}%", escape="\\"),
                submission.c.id.like(f"{some}%", escape="\\"),
                sa.func.lower(submission.c.user_id).like(f"{some}%", escape="\\"),
            )
        )
    return query


def _needs(attention: Attention) -> sa.ColumnElement[bool]:
    match attention:
        case Attention.WAITING:
            return standing.c.waiting > 0
        case Attention.FAILED:
            return work.c.state == "failed"
        case Attention.CRASHED:
            return standing.c.crashed.is_(True)
        case Attention.ASKED:
            return sa.exists().where(
                regrade_request.c.submission_id == submission.c.id, regrade_request.c.answered_at.is_(None)
            )


def _like(word: str) -> str:
    """Taken literally within a LIKE pattern."""
    return word.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_")
