"""An assignment's submissions as a table: filtered, sorted and cut into pages by the database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from grader.storage.class_figures import Sections, in_sections
from grader.storage.people_tables import person
from grader.storage.review_tables import regrade_request, standing
from grader.storage.tables import submission, work


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
        query = _select(course, assignment, sections, wanted).with_only_columns(
            sa.func.count(), maintain_column_froms=True
        )
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
        order = key.desc() if is_descending else key.asc()
        query = (
            _select(course, assignment, sections, wanted)
            .order_by(order.nulls_last(), submission.c.id)
            .offset(skip)
            .limit(limit)
        )
        return [Row(*row) for row in self._connection.execute(query)]


def _select(course: str, assignment: str, sections: Sections, wanted: Filter) -> sa.Select[Any]:
    columns = submission.c
    query = (
        sa.select(
            columns.id,
            columns.user_id,
            _NAME,
            columns.attempt,
            columns.submitted_at,
            work.c.state,
            standing.c.final,
            standing.c.maximum,
            standing.c.waiting,
            standing.c.seconds,
            standing.c.is_counted,
            standing.c.crashed,
        )
        .select_from(
            submission.join(work)
            .outerjoin(standing, standing.c.submission_id == columns.id)
            .outerjoin(person, person.c.id == columns.user_id)
        )
        .where(
            columns.course == course,
            columns.assignment == assignment,
            *in_sections(columns.user_id, course, sections),
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
                columns.id.like(f"{some}%", escape="\\"),
                sa.func.lower(columns.user_id).like(f"{some}%", escape="\\"),
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
