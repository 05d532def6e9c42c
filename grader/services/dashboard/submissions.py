"""Submissions, a page at a time."""

from __future__ import annotations

from dataclasses import dataclass, replace

from grader.services.dashboard.scope import Scope
from grader.storage.classes.submissions import Column, Filter, Row
from grader.storage.unit_of_work import Database

PAGE = 50


@dataclass(frozen=True, slots=True)
class Found:
    """One page of what was found."""

    rows: tuple[Row, ...]
    total: int
    page: int  # from 1
    pages: int

    @property
    def first(self) -> int:
        """Which of all the first row is, from 1."""
        return (self.page - 1) * PAGE + 1


def list_submissions(
    database: Database, scope: Scope, wanted: Filter, *, by: Column, is_descending: bool, page: int
) -> Found:
    """A page of submissions in scope; the last one where there are fewer pages than that."""
    if scope.hidden is not None:  # neither who is found nor who comes first may say who it is
        wanted, by = replace(wanted, words=""), Column.SUBMITTED if by is Column.NAME else by
    place = (scope.course, scope.id, scope.sections, wanted)
    with database.read() as unit:
        total = unit.submission_table.count(*place)
        pages = max(1, -(-total // PAGE))
        shown = min(page, pages)
        rows = unit.submission_table.page(
            *place, by=by, is_descending=is_descending, skip=(shown - 1) * PAGE, limit=PAGE
        )
    return Found(tuple(map(scope.call, rows)), total, shown, pages)
