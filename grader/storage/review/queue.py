"""What waits for a human, page by page: marks of the attempts that count, and who looks at them now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from grader.storage.classes.figures import Sections, in_sections
from grader.storage.tables.review import claim, mark, regrade_request, standing


class Order(StrEnum):
    """How the queue is sorted."""

    DOUBT = "doubt"  # the most uncertain first
    ITEM = "item"  # by question, the same words together


@dataclass(frozen=True, slots=True)
class Scope:
    """Which answers are meant. None: all."""

    course: str
    assignment: str
    sections: Sections = None
    item: str | None = None
    words_sha256: str | None = None  # the same words but for case and spaces
    asked_only: bool = False  # with an open regrade request
    every_attempt: bool = False  # else only the one that counts, and what is asked about


@dataclass(frozen=True, slots=True)
class Entry:
    """One answer, whether it waits or not."""

    submission_id: str
    item: str
    user_id: str
    grade_id: int
    points: float
    max_points: float
    state: str
    proposed: float | None
    doubt: float
    is_audited: bool
    words_sha256: str
    in_queue: bool
    is_asked: bool
    holder: str | None  # who looks at it now


# Each order is one walk along an index: backwards for doubt.
_KEYS = {
    Order.DOUBT: (mark.c.doubt, mark.c.submission_id, mark.c.item),
    Order.ITEM: (mark.c.item, mark.c.words_sha256, mark.c.submission_id),
}
_SHOWN = (
    mark.c.submission_id, mark.c.item, standing.c.user_id, standing.c.grade_id, mark.c.points,
    mark.c.max_points, mark.c.state, mark.c.proposed, mark.c.doubt, mark.c.is_audited, mark.c.words_sha256,
    mark.c.in_queue,
)  # fmt: skip
_asked = (
    sa.select(regrade_request.c.id)
    .where(
        regrade_request.c.submission_id == mark.c.submission_id,
        regrade_request.c.item == mark.c.item,
        regrade_request.c.answered_at.is_(None),
    )
    .exists()
)


class ReviewQueue:
    """Questions over `mark` and `standing` joined with `claim`, `regrade_request` and the class."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def page(
        self,
        scope: Scope,
        order: Order,
        now: datetime,
        *,
        after: Sequence[object] | None = None,
        limit: int = 50,
        free_for: str | None = None,
    ) -> list[Entry]:
        """The next entries.

        ``after`` is `place` of the last one seen; ``free_for`` leaves out what others than this one hold.
        """
        keys: tuple[sa.Column[Any], ...] = _KEYS[order]
        if order is Order.ITEM and scope.item is not None:
            keys, after = (mark.c.words_sha256, mark.c.submission_id), None if after is None else after[1:]
        query = _entries(now).where(*_within(scope)).limit(limit)
        if order is Order.DOUBT:
            query = query.order_by(*(key.desc() for key in keys))
        else:
            query = query.order_by(*keys)
        if after is not None:
            here, seen = sa.tuple_(*keys), sa.tuple_(*map(sa.literal, after))
            query = query.where(here < seen if order is Order.DOUBT else here > seen)
        if free_for is not None:
            query = query.where(sa.or_(claim.c.holder.is_(None), claim.c.holder == free_for))
        return self._read(query)

    def held_by(self, scope: Scope, holder: str, now: datetime) -> list[Entry]:
        """What this reviewer holds of it, the longest held first."""
        mine = sa.select(claim.c.submission_id, claim.c.item).where(
            claim.c.holder == holder, claim.c.until > now
        )
        # One by one: from the claims to their marks, never through all that waits.
        return [
            entry
            for submission_id, item in self._connection.execute(mine.order_by(claim.c.until)).all()
            for entry in self._read(
                _entries(now).where(
                    *_within(scope), mark.c.submission_id == submission_id, mark.c.item == item
                )
            )
        ]

    def find(self, submission_id: str, item: str, now: datetime) -> Entry | None:
        """One answer."""
        found = self._read(_entries(now).where(mark.c.submission_id == submission_id, mark.c.item == item))
        return found[0] if found else None

    def nearest(self, scope: Scope, to: Entry, now: datetime, limit: int) -> list[Entry]:
        """Waiting answers to the same question: the same words first, then those proposed for the like."""
        off = mark.c.max_points / 4 + 1e-9
        same_kind = (
            mark.c.proposed.is_(None)
            if to.proposed is None
            else sa.func.abs(mark.c.proposed - to.proposed) <= off
        )
        same_words = sa.case((mark.c.words_sha256 == to.words_sha256, 0), else_=1)
        distance = sa.literal(0.0) if to.proposed is None else sa.func.abs(mark.c.proposed - to.proposed)
        query = (
            _entries(now)
            .where(*_within(scope), same_kind, mark.c.words_sha256 != "")
            .where(mark.c.submission_id != to.submission_id)
            .order_by(same_words, distance, sa.func.abs(mark.c.doubt - to.doubt), mark.c.submission_id)
            .limit(limit)
        )
        return self._read(query)

    def items(self, scope: Scope) -> list[str]:
        """The items with anything in the queue, sorted as texts."""
        here = (mark.c.course == scope.course, mark.c.assignment == scope.assignment, mark.c.in_queue)
        found = [""]
        # From one to the next along the index, instead of through all entries.
        while True:
            query = sa.select(sa.func.min(mark.c.item)).where(*here, mark.c.item > found[-1])
            item = self._connection.execute(query).scalar_one()
            if item is None:
                return found[1:]
            found.append(item)

    def count(self, scope: Scope) -> dict[str, int]:
        """How many wait, by item."""
        query = (
            sa.select(mark.c.item, sa.func.count())
            .join(standing, standing.c.submission_id == mark.c.submission_id)
            .where(*_within(scope))
            .group_by(mark.c.item)
        )
        return {row[0]: row[1] for row in self._connection.execute(query)}

    def count_alike(self, scope: Scope, entries: Sequence[Entry]) -> dict[tuple[str, str], int]:
        """How many wait with the words of each of these, by item and words."""
        items, words = ({entry.item for entry in entries}, {entry.words_sha256 for entry in entries} - {""})
        query = (
            sa.select(mark.c.item, mark.c.words_sha256, sa.func.count())
            .join(standing, standing.c.submission_id == mark.c.submission_id)
            .where(*_within(scope), mark.c.item.in_(sorted(items)), mark.c.words_sha256.in_(sorted(words)))
            .group_by(mark.c.item, mark.c.words_sha256)
        )
        return {(row[0], row[1]): row[2] for row in self._connection.execute(query)}

    def _read(self, query: sa.Select[*tuple[object, ...]]) -> list[Entry]:
        rows = self._connection.execute(query).mappings()
        return [Entry(**{**row, "is_asked": bool(row["is_asked"])}) for row in rows]


def place(entry: Entry, order: Order) -> tuple[object, ...]:
    """Where an entry stands in the queue, for `ReviewQueue.page`."""
    if order is Order.DOUBT:
        return entry.doubt, entry.submission_id, entry.item
    return entry.item, entry.words_sha256, entry.submission_id


def _entries(now: datetime) -> sa.Select[*tuple[object, ...]]:
    live = (
        (claim.c.submission_id == mark.c.submission_id)
        & (claim.c.item == mark.c.item)
        & (claim.c.until > now)
    )
    return (
        sa.select(*_SHOWN, _asked.label("is_asked"), claim.c.holder)
        .select_from(mark)
        .join(standing, standing.c.submission_id == mark.c.submission_id)
        .outerjoin(claim, live)
    )


def _within(scope: Scope) -> list[sa.ColumnElement[bool]]:
    found = [mark.c.course == scope.course, mark.c.assignment == scope.assignment, mark.c.in_queue]
    if scope.item is not None:
        found.append(mark.c.item == scope.item)
    if scope.words_sha256 is not None:
        found.append(mark.c.words_sha256 == scope.words_sha256)
    if scope.asked_only:
        found.append(_asked)
    elif not scope.every_attempt:
        found.append(sa.or_(standing.c.is_counted, _asked))
    return [*found, *in_sections(standing.c.user_id, scope.course, scope.sections)]
