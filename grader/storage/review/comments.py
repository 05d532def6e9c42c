"""Comments that reviewers use again, per question."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from grader.storage.tables.review import comment


@dataclass(frozen=True, slots=True)
class Comment:
    """One text and how often it was given."""

    id: int
    course: str
    assignment: str
    item: str
    text: str
    uses: int
    actor: str
    made_at: datetime


class Comments:
    """The `comment` table."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def add(
        self, course: str, assignment: str, item: str, text: str, actor: str, made_at: datetime
    ) -> Comment:
        """Keep a text, or find it where it is kept already."""
        known = self._first(*_of(course, assignment, item), comment.c.text == text)
        if known is not None:
            return known
        inserted = self._connection.execute(
            sa.insert(comment).values(
                course=course,
                assignment=assignment,
                item=item,
                text=text,
                uses=0,
                actor=actor,
                made_at=made_at,
            )
        ).inserted_primary_key
        assert inserted is not None
        return Comment(inserted[0], course, assignment, item, text, 0, actor, made_at)

    def find(self, comment_id: int) -> Comment | None:
        """The comment with this id."""
        return self._first(comment.c.id == comment_id)

    def of(self, course: str, assignment: str, item: str) -> list[Comment]:
        """One question's, the most used first."""
        query = (
            sa.select(comment)
            .where(*_of(course, assignment, item))
            .order_by(comment.c.uses.desc(), comment.c.id)
        )
        return [Comment(**row) for row in self._connection.execute(query).mappings()]

    def note_use(self, course: str, assignment: str, item: str, text: str) -> None:
        """Count that this text was given, if it is one of those that are kept."""
        self._connection.execute(
            sa.update(comment)
            .where(*_of(course, assignment, item), comment.c.text == text)
            .values(uses=comment.c.uses + 1)
        )

    def delete(self, comment_id: int) -> None:
        """Keep it no longer. Where it was given it stays."""
        self._connection.execute(sa.delete(comment).where(comment.c.id == comment_id))

    def _first(self, *conditions: sa.ColumnElement[bool]) -> Comment | None:
        row = self._connection.execute(sa.select(comment).where(*conditions)).mappings().first()
        return None if row is None else Comment(**row)


def _of(course: str, assignment: str, item: str) -> tuple[sa.ColumnElement[bool], ...]:
    columns = comment.c
    return (columns.course == course, columns.assignment == assignment, columns.item == item)
