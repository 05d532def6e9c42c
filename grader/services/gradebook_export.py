"""Take the gradebook out as a file: who may, what is left out, and the entry in the audit log."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from grader.assignments import Assignment
from grader.domain.gradebook import GradebookRow, RowState, Selection
from grader.domain.offering import Offering
from grader.domain.people import Actor
from grader.errors import NotPermitted
from grader.services.gradebook import hides_names, narrow
from grader.services.gradebook_csv import Format, Sheet, write_sheet
from grader.storage.unit_of_work import Database

_CHUNK = 500
_TOLD = (RowState.PUBLISHED,)
_PROVISIONAL = (RowState.WAITING, RowState.FINAL)


@dataclass(frozen=True, slots=True)
class Export:
    """A file on its way out. ``chunks`` read the database while they are read."""

    filename: str
    chunks: Iterator[bytes]
    told: int  # students whose points are in it
    left_out: int  # students whose points are not published or wait for a human


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
        offering = unit.offerings.find(course, rubric.id)
        if hides_names(actor, course, offering, with_names=True):
            raise NotPermitted("Names are hidden until the grades are published: ask an instructor.")
        counts = unit.gradebook.count(course, rubric.id, offering, now, selection)
        told = sum(counts.get(state, 0) for state in (*_TOLD, *(_PROVISIONAL if provisional else ())))
        left_out = 0 if provisional else sum(counts.get(state, 0) for state in _PROVISIONAL)
        unit.audit.note(
            now,
            actor.id,
            "gradebook.export",
            course=course,
            subject=rubric.id,
            format=form.value,
            students=told,
            left_out=left_out,
            provisional=provisional,
            **({"section": section} if section else {}),
        )
        unit.commit()
    sheet = Sheet(
        form,
        offering.lms_column or rubric.title,
        rubric.maximum,
        [item.key for item in rubric.items],
        provisional,
    )
    rows = _rows(database, course, rubric.id, offering, selection, now)
    name = "-".join(re.sub(r"[^A-Za-z0-9._]+", "_", part) for part in (course, rubric.id, form.value))
    return Export(f"{name}.csv", _chunks(sheet, rows), told, left_out)


def _rows(
    database: Database, course: str, assignment: str, offering: Offering, selection: Selection, now: datetime
) -> Iterator[GradebookRow]:
    """All of them by name, a few hundred in memory at a time."""
    with database.read() as unit:
        users = unit.gradebook.users(course, assignment, offering, now, selection)
        for start in range(0, len(users), _CHUNK):
            some = users[start : start + _CHUNK]
            yield from unit.gradebook.with_items(unit.gradebook.of(course, assignment, offering, now, some))


def _chunks(sheet: Sheet, rows: Iterator[GradebookRow]) -> Iterator[bytes]:
    chunk: list[str] = []
    for line in write_sheet(sheet, rows):
        chunk.append(line)
        if len(chunk) == _CHUNK:
            yield "".join(chunk).encode()
            chunk.clear()
    yield "".join(chunk).encode()
