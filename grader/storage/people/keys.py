"""API keys as they are kept: never the secret, only its hash."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from grader.storage.tables.submissions import api_key


@dataclass(frozen=True, slots=True)
class ApiKey:
    """One key. Times are UTC."""

    id: str  # the secret's public beginning
    name: str  # whom it was given to
    scopes: frozenset[str]
    courses: frozenset[str] | None  # None: every course
    created_at: datetime
    expires_at: datetime | None = None
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None

    def opens(self, course: str) -> bool:
        """Whether the key is good for this course."""
        return self.courses is None or course in self.courses


class ApiKeys:
    """The `api_key` table."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def add(self, new: ApiKey, secret_sha256: str) -> None:
        """Keep a new key."""
        courses = None if new.courses is None else json.dumps(sorted(new.courses))
        self._connection.execute(
            sa.insert(api_key).values(
                id=new.id,
                name=new.name,
                secret_sha256=secret_sha256,
                scopes=json.dumps(sorted(new.scopes)),
                courses=courses,
                created_at=new.created_at,
                expires_at=new.expires_at,
            )
        )

    def find_by_secret(self, secret_sha256: str) -> ApiKey | None:
        """The key whose secret has this hash."""
        query = sa.select(api_key).where(api_key.c.secret_sha256 == secret_sha256)
        row = self._connection.execute(query).mappings().first()
        return None if row is None else _key(row)

    def list_all(self) -> list[ApiKey]:
        """Every key, oldest first, revoked ones too."""
        query = sa.select(api_key).order_by(api_key.c.created_at, api_key.c.id)
        return [_key(row) for row in self._connection.execute(query).mappings()]

    def revoke(self, key_id: str, now: datetime) -> bool:
        """End a key; False where there is none or it had ended."""
        return self._change(key_id, api_key.c.revoked_at.is_(None), revoked_at=now)

    def note_use(self, key_id: str, now: datetime) -> bool:
        """Remember when it was last used."""
        return self._change(key_id, last_used_at=now)

    def _change(self, key_id: str, *conditions: sa.ColumnElement[bool], **values: Any) -> bool:
        statement = sa.update(api_key).where(api_key.c.id == key_id, *conditions).values(**values)
        return self._connection.execute(statement).rowcount == 1


def _key(row: sa.RowMapping) -> ApiKey:
    courses = row["courses"]
    return ApiKey(
        id=row["id"],
        name=row["name"],
        scopes=frozenset(json.loads(row["scopes"])),
        courses=None if courses is None else frozenset(json.loads(courses)),
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        last_used_at=row["last_used_at"],
        revoked_at=row["revoked_at"],
    )
