"""Overrides: appended in a chain for each item, never changed. The newest of an item stands."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from grader.domain.override import Override
from grader.storage.tables.review import override

_CHUNK = 500


@dataclass(frozen=True, slots=True)
class StoredOverride:
    """An override and when it was made. ``follows`` is the one that stood before, 0 for none."""

    id: int
    submission_id: str
    override: Override
    made_at: datetime
    follows: int


class Overrides:
    """The `override` table."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def add(self, submission_id: str, new: Override, made_at: datetime, follows: int) -> None:
        """Append. ``follows`` is the override that it takes the place of, 0 for none.

        Surfaces as `Clash` where another one took that place already.
        """
        self._connection.execute(
            sa.insert(override).values(
                submission_id=submission_id,
                item=new.item,
                points=new.points,
                concepts=json.dumps(dict(new.concepts)),
                comment=new.comment,
                reason=new.reason,
                actor=new.actor,
                is_undo=new.is_undo,
                made_at=made_at,
                follows=follows,
            )
        )

    def history(self, submission_id: str, item: str) -> list[StoredOverride]:
        """All of one item, oldest first."""
        query = (
            sa.select(override)
            .where(override.c.submission_id == submission_id, override.c.item == item)
            .order_by(override.c.id)
        )
        return [_stored(row) for row in self._connection.execute(query).mappings()]

    def of(self, submission_id: str) -> list[StoredOverride]:
        """All of a submission, oldest first."""
        query = sa.select(override).where(override.c.submission_id == submission_id).order_by(override.c.id)
        return [_stored(row) for row in self._connection.execute(query).mappings()]

    def newest(self, submission_id: str) -> dict[str, StoredOverride]:
        """The newest of each item of a submission, by item; those that took back, too."""
        return self.newest_of([submission_id]).get(submission_id, {})

    def newest_of(self, submission_ids: Iterable[str]) -> Mapping[str, dict[str, StoredOverride]]:
        """The same for many submissions, by submission."""
        found: dict[str, dict[str, StoredOverride]] = defaultdict(dict)
        ids = list(submission_ids)
        for start in range(0, len(ids), _CHUNK):
            query = (
                sa.select(override)
                .where(override.c.submission_id.in_(ids[start : start + _CHUNK]))
                .order_by(override.c.id)
            )
            for row in self._connection.execute(query).mappings():
                found[row["submission_id"]][row["item"]] = _stored(row)
        return found


def _stored(row: sa.RowMapping) -> StoredOverride:
    return StoredOverride(
        row["id"],
        row["submission_id"],
        Override(
            row["item"],
            row["points"],
            row["actor"],
            row["reason"],
            row["comment"],
            json.loads(row["concepts"]),
            row["is_undo"],
        ),
        row["made_at"],
        row["follows"],
    )
