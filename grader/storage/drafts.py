"""Notebooks that were looked through and not yet handed in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from grader.storage.tables.people import draft


@dataclass(frozen=True, slots=True)
class Draft:
    """One of them. Its bytes are the blob ``notebook_sha256``."""

    notebook_sha256: str
    filename: str
    made_at: datetime


class Drafts:
    """The `draft` table."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def put(self, course: str, assignment: str, user: str, new: Draft) -> None:
        """Keep one; the same bytes again are the same draft, with the newer name and time."""
        self.forget(course, assignment, user, new.notebook_sha256)
        self._connection.execute(
            sa.insert(draft).values(
                course=course,
                assignment=assignment,
                user_id=user,
                notebook_sha256=new.notebook_sha256,
                filename=new.filename,
                made_at=new.made_at,
            )
        )

    def of(self, course: str, assignment: str, user: str) -> list[Draft]:
        """A student's, newest first."""
        query = (
            sa.select(draft.c.notebook_sha256, draft.c.filename, draft.c.made_at)
            .where(*_of(course, assignment, user))
            .order_by(draft.c.made_at.desc(), draft.c.id.desc())
        )
        return [Draft(*row) for row in self._connection.execute(query)]

    def forget(self, course: str, assignment: str, user: str, notebook_sha256: str) -> None:
        """Drop one; none is no error."""
        self._connection.execute(
            sa.delete(draft).where(*_of(course, assignment, user), draft.c.notebook_sha256 == notebook_sha256)
        )

    def forget_before(self, course: str, assignment: str, user: str, before: datetime) -> None:
        """Drop a student's older ones."""
        self._connection.execute(
            sa.delete(draft).where(*_of(course, assignment, user), draft.c.made_at < before)
        )


def _of(course: str, assignment: str, user: str) -> tuple[sa.ColumnElement[bool], ...]:
    return (draft.c.course == course, draft.c.assignment == assignment, draft.c.user_id == user)
