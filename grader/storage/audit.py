"""The audit log: who saw, changed and exported what. Appended in the transaction of the act itself."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from grader.storage.tables.people import audit


@dataclass(frozen=True, slots=True)
class NewAct:
    """An act that is to be noted."""

    at: datetime
    actor: str
    action: str
    course: str = ""
    subject: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One act. ``subject`` is what it was done to: a submission's id, a person's id, an assignment's."""

    id: int
    at: datetime
    actor: str
    course: str  # "": the service's own
    action: str  # "review.decide", "gradebook.export"
    subject: str
    details: Mapping[str, Any]


class Audit:
    """The `audit` table."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def note(
        self,
        at: datetime,
        actor: str,
        action: str,
        *,
        course: str = "",
        subject: str = "",
        **details: Any,
    ) -> None:
        """Append one act. ``details`` hold no student's words and no secrets."""
        self.note_all([NewAct(at, actor, action, course, subject, details)])

    def note_all(self, acts: Sequence[NewAct]) -> None:
        """Append several."""
        if acts:
            self._connection.execute(
                sa.insert(audit),
                [
                    {
                        "at": act.at,
                        "actor": act.actor,
                        "course": act.course,
                        "action": act.action,
                        "subject": act.subject,
                        "details": json.dumps(act.details, sort_keys=True),
                    }
                    for act in acts
                ],
            )

    def page(
        self,
        *,
        course: str | None = None,
        subject: str | None = None,
        actor: str | None = None,
        action: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        before: int | None = None,
        limit: int | None = 100,
    ) -> list[AuditEntry]:
        """Acts, newest first; ``before`` is the id of the last one seen. None: of all.

        ``action`` is a whole one, or the noun of several ("grade").
        """
        query = sa.select(audit).order_by(audit.c.id.desc()).limit(limit)
        query = query.where(*_where(course, subject, actor, action, since, until))
        if before is not None:
            query = query.where(audit.c.id < before)
        return [
            AuditEntry(**{**row, "details": json.loads(row["details"])})
            for row in self._connection.execute(query).mappings()
        ]

    def count(
        self,
        *,
        course: str | None = None,
        subject: str | None = None,
        actor: str | None = None,
        action: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> int:
        """How many acts `page` would find."""
        query = sa.select(sa.func.count()).select_from(audit)
        query = query.where(*_where(course, subject, actor, action, since, until))
        return int(self._connection.execute(query).scalar_one())

    def actions(self, course: str | None = None) -> list[str]:
        """Every kind of act that was noted."""
        query = sa.select(audit.c.action).distinct().order_by(audit.c.action)
        if course is not None:
            query = query.where(audit.c.course == course)
        return list(self._connection.execute(query).scalars())


def _where(
    course: str | None,
    subject: str | None,
    actor: str | None,
    action: str | None,
    since: datetime | None,
    until: datetime | None,
) -> list[sa.ColumnElement[bool]]:
    pairs = ((audit.c.course, course), (audit.c.subject, subject), (audit.c.actor, actor))
    found: list[sa.ColumnElement[bool]] = [column == wanted for column, wanted in pairs if wanted is not None]
    if action is not None:
        of_noun = audit.c.action.startswith(f"{action}.", autoescape=True)
        found.append(sa.or_(audit.c.action == action, of_noun))
    if since is not None:
        found.append(audit.c.at >= since)
    if until is not None:
        found.append(audit.c.at < until)
    return found
