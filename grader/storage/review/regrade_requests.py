"""What students ask about their marks, and what they were answered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from grader.storage.tables.review import regrade_request

_CHUNK = 500


@dataclass(frozen=True, slots=True)
class RegradeRequest:
    """One question about one item. ``answer`` None: it waits."""

    id: int
    submission_id: str
    item: str
    text: str
    made_at: datetime
    answer: str | None
    actor: str | None  # who answered
    answered_at: datetime | None


class RegradeRequests:
    """The `regrade_request` table."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def add(self, submission_id: str, item: str, text: str, made_at: datetime) -> int:
        """Ask. Surfaces as `Clash` where one waits already."""
        values = {"submission_id": submission_id, "item": item, "text": text, "made_at": made_at}
        inserted = self._connection.execute(sa.insert(regrade_request).values(**values)).inserted_primary_key
        assert inserted is not None
        return int(inserted[0])

    def of(self, submission_id: str, item: str | None = None) -> list[RegradeRequest]:
        """All of a submission, or of one of its items, oldest first."""
        query = sa.select(regrade_request).where(regrade_request.c.submission_id == submission_id)
        if item is not None:
            query = query.where(regrade_request.c.item == item)
        rows = self._connection.execute(query.order_by(regrade_request.c.id)).mappings()
        return [RegradeRequest(**row) for row in rows]

    def open_items(self, submission_id: str) -> frozenset[str]:
        """The items that a question waits about."""
        return self.open_items_of([submission_id]).get(submission_id, frozenset())

    def open_items_of(self, submission_ids: Iterable[str]) -> Mapping[str, frozenset[str]]:
        """The same of many, by submission."""
        found: dict[str, frozenset[str]] = {}
        ids = list(submission_ids)
        for start in range(0, len(ids), _CHUNK):
            query = sa.select(regrade_request.c.submission_id, regrade_request.c.item).where(
                regrade_request.c.submission_id.in_(ids[start : start + _CHUNK]),
                regrade_request.c.answered_at.is_(None),
            )
            for owner, item in self._connection.execute(query):
                found[owner] = found.get(owner, frozenset()) | {item}
        return found

    def answer(self, submission_id: str, item: str, text: str, actor: str, now: datetime) -> bool:
        """Answer the one that waits; False where none does."""
        statement = (
            sa.update(regrade_request)
            .where(
                regrade_request.c.submission_id == submission_id,
                regrade_request.c.item == item,
                regrade_request.c.answered_at.is_(None),
            )
            .values(answer=text, actor=actor, answered_at=now)
        )
        return self._connection.execute(statement).rowcount == 1
