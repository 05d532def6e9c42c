"""Take the gradebook out as a file: who may, what is left out, and the entry in the audit log."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from grader.assignments import Assignment
from grader.domain.gradebook import Book, GradebookRow, Selection
from grader.domain.people import Actor
from grader.errors import NotPermitted
from grader.services.gradebook.csv_files import Contents, Format, Sheet, count_contents, write_sheet
from grader.services.gradebook.lines import hides_names, narrow, open_book
from grader.storage.unit_of_work import Database

_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Export:
    """A file on its way out. ``chunks`` read the database while they are read."""

    filename: str
    chunks: Iterator[bytes]
    contents: Contents


def export_gradebook(
    database: Database,
    actor: Actor,
    course: str,
    assignment: Assignment,
    form: Format,
    *,
    section: str = "",
    provisional: bool = False,
    now: datetime,
) -> Export:
    """Everybody's points as a file, of one section or of all that the actor sees.

    Raises `NotPermitted`, to assistants also while names are hidden: a file without names serves no LMS.
    """
    rubric = assignment.rubric
    selection = narrow(actor, course, Selection(frozenset({section}) if section else None))
    with database.write() as unit:
        book = open_book(unit, course, assignment, now)
        if hides_names(actor, course, book.offering, with_names=True):
            raise NotPermitted("Names are hidden until the grades are published: ask an instructor.")
        sheet = Sheet(
            form,
            rubric.maximum,
            book.offering.lms_column or rubric.title,
            [item.key for item in rubric.items],
            provisional,
        )
        contents = count_contents(sheet, unit.gradebook.tally(book, selection))
        unit.audit.note(
            now,
            actor.id,
            "gradebook.export",
            course=course,
            subject=rubric.id,
            format=form.value,
            students=contents.told,
            left_out=contents.left_out,
            provisional=provisional,
            **({"outdated": contents.outdated} if contents.outdated else {}),
            **({"section": section} if section else {}),
        )
        unit.commit()
    rows = _rows(database, book, selection)
    name = "-".join(re.sub(r"[^A-Za-z0-9._]+", "_", part) for part in (course, rubric.id, form.value))
    return Export(f"{name}.csv", _chunks(sheet, rows), contents)


def _rows(database: Database, book: Book, selection: Selection) -> Iterator[GradebookRow]:
    """All of them by name, a few hundred in memory at a time."""
    with database.read() as unit:
        users = unit.gradebook.users(book, selection)
        for start in range(0, len(users), _CHUNK):
            some = users[start : start + _CHUNK]
            yield from unit.gradebook.with_items(unit.gradebook.of(book, some))


def _chunks(sheet: Sheet, rows: Iterator[GradebookRow]) -> Iterator[bytes]:
    chunk: list[str] = []
    for line in write_sheet(sheet, rows):
        chunk.append(line)
        if len(chunk) == _CHUNK:
            yield "".join(chunk).encode()
            chunk.clear()
    yield "".join(chunk).encode()
