"""Invitations: links by which people choose their password. Tokens are kept as hashes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

import sqlalchemy as sa

from grader.storage.tables.people import invitation, member, person

_CHUNK = 500


class Invitations:
    """The `invitation` table."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def add(self, hashes: Mapping[str, str], by: str, now: datetime, expires_at: datetime) -> None:
        """Keep new ones, a token's hash by person; older ones of the same people end."""
        self.end_all(hashes)
        rows = [
            {
                "token_sha256": token_sha256,
                "person_id": person_id,
                "created_by": by,
                "created_at": now,
                "expires_at": expires_at,
            }
            for person_id, token_sha256 in hashes.items()
        ]
        if rows:
            self._connection.execute(sa.insert(invitation), rows)

    def find(self, token_sha256: str, now: datetime) -> str | None:
        """Whom this invites, while it can be used."""
        query = sa.select(invitation.c.person_id).where(*_usable(token_sha256, now))
        return self._connection.execute(query).scalar_one_or_none()

    def use(self, token_sha256: str, now: datetime) -> bool:
        """Use it up; False where it was used, ended or expired. Of two at once one gets True."""
        statement = sa.update(invitation).where(*_usable(token_sha256, now)).values(used_at=now)
        return self._connection.execute(statement).rowcount == 1

    def holders(self, people: Iterable[str], now: datetime) -> set[str]:
        """Who of these people has one that can be used."""
        ids, columns = list(people), invitation.c
        found: set[str] = set()
        for start in range(0, len(ids), _CHUNK):
            query = sa.select(columns.person_id).where(
                columns.person_id.in_(ids[start : start + _CHUNK]), *_still(now)
            )
            found.update(self._connection.execute(query).scalars())
        return found

    def count_newcomers(self, course: str, now: datetime) -> tuple[int, int]:
        """How many of a course have no password and no link that can be used; how many have such a link."""
        linked = sa.and_(invitation.c.person_id == person.c.id, *_still(now))
        query = (
            sa.select(sa.func.count(), sa.func.count(invitation.c.person_id))
            .select_from(person.join(member).outerjoin(invitation, linked))
            .where(
                member.c.course == course,
                member.c.removed_at.is_(None),
                person.c.password.is_(None),
                person.c.disabled_at.is_(None),
            )
        )
        people, holders = self._connection.execute(query).one()
        return people - holders, holders

    def admins(self, now: datetime) -> list[str]:
        """The logins of admins who have one that can be used."""
        query = (
            sa.select(person.c.login)
            .join(invitation, invitation.c.person_id == person.c.id)
            .where(person.c.is_admin, person.c.disabled_at.is_(None), *_still(now))
            .order_by(person.c.login)
        )
        return list(self._connection.execute(query).scalars())

    def end_all(self, people: Iterable[str]) -> None:
        """End what these people have not used yet."""
        ids = list(people)
        for start in range(0, len(ids), _CHUNK):
            self._connection.execute(
                sa.delete(invitation).where(
                    invitation.c.person_id.in_(ids[start : start + _CHUNK]), invitation.c.used_at.is_(None)
                )
            )


def _usable(token_sha256: str, now: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    return (invitation.c.token_sha256 == token_sha256, *_still(now))


def _still(now: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    """Neither used nor expired; what has ended is gone."""
    return (invitation.c.used_at.is_(None), invitation.c.expires_at > now)
