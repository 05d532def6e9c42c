"""Sessions of people who signed in. Tokens are kept as hashes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from grader.storage.tables.people import session


@dataclass(frozen=True, slots=True)
class Session:
    """One browser that signed in."""

    token_sha256: str
    person_id: str
    csrf: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime


class Sessions:
    """The `session` table."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def add(self, new: Session) -> None:
        """Keep a new session."""
        self._connection.execute(
            sa.insert(session).values(
                token_sha256=new.token_sha256,
                person_id=new.person_id,
                csrf=new.csrf,
                created_at=new.created_at,
                seen_at=new.seen_at,
                expires_at=new.expires_at,
            )
        )

    def find(self, token_sha256: str) -> Session | None:
        """The session with this token."""
        query = sa.select(session).where(session.c.token_sha256 == token_sha256)
        row = self._connection.execute(query).mappings().first()
        return None if row is None else Session(**row)

    def list_of(self, person_id: str) -> list[Session]:
        """All of a person, the last used first."""
        query = sa.select(session).where(session.c.person_id == person_id).order_by(session.c.seen_at.desc())
        return [Session(**row) for row in self._connection.execute(query).mappings()]

    def see(self, token_sha256: str, now: datetime) -> None:
        """Remember that it was used."""
        self._connection.execute(
            sa.update(session).where(session.c.token_sha256 == token_sha256).values(seen_at=now)
        )

    def end(self, token_sha256: str) -> None:
        """End one."""
        self._connection.execute(sa.delete(session).where(session.c.token_sha256 == token_sha256))

    def end_all(self, person_id: str) -> None:
        """End all of a person."""
        self._connection.execute(sa.delete(session).where(session.c.person_id == person_id))

    def forget_expired(self, now: datetime) -> None:
        """Drop what nobody can use any more."""
        self._connection.execute(sa.delete(session).where(session.c.expires_at <= now))
