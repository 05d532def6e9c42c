"""One student's line of the gradebook with what stands behind it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from grader.assignments import Assignment
from grader.domain.gradebook import GradebookRow
from grader.domain.offering import Accommodation, Offering
from grader.domain.people import Actor
from grader.errors import NotPermitted
from grader.services.gradebook.lines import find_row, hides_names, note_names_shown, open_book
from grader.storage.overrides import StoredOverride
from grader.storage.unit_of_work import Database


@dataclass(frozen=True, slots=True)
class StudentLine:
    """The line, and what humans said about it."""

    row: GradebookRow  # with items
    offering: Offering
    held: Accommodation
    overrides: Mapping[str, StoredOverride]  # the newest of each item
    names: Mapping[str, str]  # of who made them, by id


def read_student(
    database: Database, actor: Actor, course: str, assignment: Assignment, user: str, now: datetime
) -> StudentLine:
    """Raises `NotFound` for students whom one may not see, `NotPermitted` while names are hidden from one."""
    with database.read() as unit:
        book = open_book(unit, course, assignment, now)
        offering = book.offering
        if not actor.teaches(course) or hides_names(actor, course, offering, with_names=True):
            raise NotPermitted("Names are hidden until the grades are published.")
        row = find_row(unit, actor, book, user)
        held = unit.offerings.accommodations(course, book.assignment, user).get(user, Accommodation())
        overrides = unit.overrides.newest(row.submission_id) if row.submission_id else {}
        names = unit.people.names(sorted({one.override.actor for one in overrides.values()}))
    if offering.hides_names:
        note_names_shown(database, actor, course, book.assignment, now)
    return StudentLine(row, offering, held, overrides, names)
