"""Idempotency keys: who answers a request now, and what was answered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from grader.storage.tables.submissions import idempotency


@dataclass(frozen=True, slots=True)
class KnownKey:
    """A key that was used before."""

    fingerprint: str  # of the request that used it first
    claimed_at: datetime
    answer: str | None  # None while that request runs


class IdempotencyKeys:
    """The `idempotency` table. Keys of different holders never meet."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def find(self, holder: str, key: str) -> KnownKey | None:
        """What is known of this key."""
        columns = idempotency.c
        query = sa.select(columns.fingerprint, columns.claimed_at, columns.answer)
        row = self._connection.execute(query.where(*_named(holder, key))).first()
        return None if row is None else KnownKey(*row)

    def claim(self, holder: str, key: str, fingerprint: str, claim: str, now: datetime) -> None:
        """Say that this request is being answered, in the place of whoever died answering it."""
        self._connection.execute(sa.delete(idempotency).where(*_named(holder, key)))
        self._connection.execute(
            sa.insert(idempotency).values(
                holder=holder, key=key, fingerprint=fingerprint, claim=claim, claimed_at=now
            )
        )

    def answer(self, holder: str, key: str, claim: str, answer: str) -> bool:
        """Keep the answer; False where the claim was taken over meanwhile."""
        statement = sa.update(idempotency).where(*_named(holder, key), idempotency.c.claim == claim)
        return self._connection.execute(statement.values(answer=answer)).rowcount == 1

    def release(self, holder: str, key: str, claim: str) -> None:
        """Forget a request that was refused or failed: nothing of it was kept."""
        self._connection.execute(
            sa.delete(idempotency).where(*_named(holder, key), idempotency.c.claim == claim)
        )

    def forget_before(self, moment: datetime) -> int:
        """Drop keys older than this; return how many."""
        return self._connection.execute(
            sa.delete(idempotency).where(idempotency.c.claimed_at < moment)
        ).rowcount


def _named(holder: str, key: str) -> tuple[sa.ColumnElement[bool], ...]:
    return (idempotency.c.holder == holder, idempotency.c.key == key)
