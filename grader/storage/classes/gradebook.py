"""The gradebook's lines, of the roster's students and of strangers who handed in, found by SQL alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from grader.domain.gradebook import Book, GradebookRow, ItemPoints, RowState, Selection, SortBy, Tally
from grader.storage.classes.gradebook_query import Lines, who_has_lines
from grader.storage.tables.people import member_section
from grader.storage.tables.review import mark

_CHUNK = 500


class Gradebook:
    """What is read of one assignment's students together."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def page(
        self,
        book: Book,
        selection: Selection,
        *,
        sort: SortBy = SortBy.NAME,
        descending: bool = False,
        limit: int,
        offset: int = 0,
    ) -> list[GradebookRow]:
        """Lines in this order; students without what it is sorted by come last."""
        # The order of thousands needs few columns; all of them are read for the page alone.
        query = Lines(book).users(selection, sort, descending, limit, offset)
        return self.of(book, list(self._connection.execute(query).scalars()))

    def of(self, book: Book, users: Sequence[str]) -> list[GradebookRow]:
        """The lines of these students, in their order, without those that have none."""
        query = Lines(book, users).whole()
        rows = self._connection.execute(query).mappings().all()
        sections = self._sections_of(book.course, users)
        found = {row["user"]: _row(row, sections.get(row["user"], ())) for row in rows}
        return [found[user] for user in users if user in found]

    def has(self, course: str, assignment: str, user: str) -> bool:
        """Whether this student has a line."""
        return self._connection.execute(who_has_lines(course, assignment, [user])).first() is not None

    def users(self, book: Book, selection: Selection) -> list[str]:
        """The ids of all of them, by name."""
        query = Lines(book).users(selection, SortBy.NAME, False, None, 0)
        return list(self._connection.execute(query).scalars())

    def tally(self, book: Book, selection: Selection) -> list[Tally]:
        """How many lines stand where."""
        query = Lines(book).tally(selection)
        return [Tally(RowState(state), *more) for state, *more in self._connection.execute(query)]

    def with_items(self, rows: Sequence[GradebookRow]) -> list[GradebookRow]:
        """The same lines with each item's points."""
        items: dict[str, dict[str, ItemPoints]] = defaultdict(dict)
        ids = [row.submission_id for row in rows if row.submission_id]
        for start in range(0, len(ids), _CHUNK):
            query = sa.select(
                mark.c.submission_id, mark.c.item, mark.c.points, mark.c.max_points, mark.c.state
            ).where(mark.c.submission_id.in_(ids[start : start + _CHUNK]))
            for submission_id, item, *what in self._connection.execute(query):
                items[submission_id][item] = ItemPoints(*what)
        return [replace(row, items=items.get(row.submission_id, {})) for row in rows]

    def _sections_of(self, course: str, users: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
        found: dict[str, list[str]] = defaultdict(list)
        for start in range(0, len(users), _CHUNK):
            query = (
                sa.select(member_section.c.person_id, member_section.c.section)
                .where(
                    member_section.c.course == course,
                    member_section.c.person_id.in_(users[start : start + _CHUNK]),
                )
                .order_by(member_section.c.section)
            )
            for user, section in self._connection.execute(query):
                found[user].append(section)
        return {user: tuple(names) for user, names in found.items()}


def _row(row: sa.RowMapping, sections: tuple[str, ...]) -> GradebookRow:
    values: dict[Any, Any] = {**row, "state": RowState(row["state"])}
    return GradebookRow(**values, sections=sections)
