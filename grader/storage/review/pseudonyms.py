"""The secrets that students' names are hidden with, one for each assignment of a course."""

from __future__ import annotations

import sqlalchemy as sa

from grader.storage.tables.review import pseudonym_key


class Pseudonyms:
    """The `pseudonym_key` table."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def find(self, course: str, assignment: str) -> str | None:
        """The secret, in hexadecimal."""
        query = sa.select(pseudonym_key.c.secret).where(
            pseudonym_key.c.course == course, pseudonym_key.c.assignment == assignment
        )
        return self._connection.execute(query).scalar_one_or_none()

    def add(self, course: str, assignment: str, secret: str) -> None:
        """Keep a new one. Surfaces as `Clash` where there is one."""
        self._connection.execute(
            sa.insert(pseudonym_key).values(course=course, assignment=assignment, secret=secret)
        )
