"""Who looks at an answer now. A claim ends by itself; until another takes it, it can be renewed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from grader.storage.tables.review import claim


@dataclass(frozen=True, slots=True)
class Claim:
    """One answer in one reviewer's hands."""

    submission_id: str
    item: str
    holder: str
    until: datetime


class Claims:
    """The `claim` table."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def find(self, submission_id: str, item: str) -> Claim | None:
        """The last claim on an answer, also one whose time is over."""
        query = sa.select(claim).where(claim.c.submission_id == submission_id, claim.c.item == item)
        row = self._connection.execute(query).mappings().first()
        return None if row is None else Claim(**row)

    def take(self, new: Claim, now: datetime) -> bool:
        """Take or renew a claim; False where it is another's and its time is not over.

        Surfaces as `Clash` where another one came between (only where writers do not queue).
        """
        mine = (claim.c.submission_id == new.submission_id, claim.c.item == new.item)
        taken = self._connection.execute(
            sa.update(claim)
            .where(*mine, sa.or_(claim.c.holder == new.holder, claim.c.until <= now))
            .values(holder=new.holder, until=new.until)
        )
        if taken.rowcount == 1:
            return True
        if self.find(new.submission_id, new.item) is not None:
            return False
        self._connection.execute(
            sa.insert(claim).values(
                submission_id=new.submission_id, item=new.item, holder=new.holder, until=new.until
            )
        )
        return True

    def drop(self, submission_id: str, item: str, holder: str | None = None) -> bool:
        """End a claim: whoever's it is, or only this holder's. False where there was none."""
        statement = sa.delete(claim).where(claim.c.submission_id == submission_id, claim.c.item == item)
        if holder is not None:
            statement = statement.where(claim.c.holder == holder)
        return self._connection.execute(statement).rowcount == 1
