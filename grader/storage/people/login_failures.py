"""Wrong passwords and keys of the last hour: by whom they were tried for, and from where."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from grader.storage.tables.people import login_failure


class LoginFailures:
    """The `login_failure` table."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def add(self, subject: str, address: str, now: datetime) -> int:
        """Note one and return its id."""
        statement = sa.insert(login_failure).values(login=subject, address=address, at=now)
        key = self._connection.execute(statement).inserted_primary_key
        assert key is not None
        return int(key[0])

    def count(self, address: str, since: datetime, subject: str | None = None) -> tuple[int, datetime | None]:
        """How many came from this address (for this subject; None: for any), and when the last did."""
        query = sa.select(sa.func.count(), sa.func.max(login_failure.c.at)).where(
            login_failure.c.address == address, login_failure.c.at > since
        )
        if subject is not None:
            query = query.where(login_failure.c.login == subject)
        number, last = self._connection.execute(query).one()
        return int(number), last

    def forget(self, subject: str, address: str) -> None:
        """Forget those of a subject from an address."""
        self._connection.execute(
            sa.delete(login_failure).where(
                login_failure.c.login == subject, login_failure.c.address == address
            )
        )

    def forget_old(self, before: datetime, newest: int, most: int) -> None:
        """Forget what is older, and all but about the ``most`` newest; ``newest`` is the last one's id."""
        self._connection.execute(
            sa.delete(login_failure).where(
                sa.or_(login_failure.c.at <= before, login_failure.c.id <= newest - most)
            )
        )
