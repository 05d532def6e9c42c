"""Whose work someone may see in an assignment."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from grader.assignments import Assignment
from grader.domain.people import Actor
from grader.errors import NotFound, NotPermitted
from grader.services.gradebook.lines import hides_names, note_names_shown
from grader.services.review.anonymity import Names, find_names
from grader.storage.classes.figures import Sections
from grader.storage.classes.lists import Named
from grader.storage.classes.submissions import Row
from grader.storage.submissions import Filed
from grader.storage.unit_of_work import Database, UnitOfWork

Listed = TypeVar("Listed", Named, Row)


@dataclass(frozen=True, slots=True)
class Scope:
    """Students of one course, as far as the actor may see and wants to see them."""

    actor: Actor
    course: str
    assignment: Assignment
    sections: Sections  # None: everybody
    section: str = ""  # the one that is asked for; "": all that may be seen
    hidden: Names | None = None  # what students are called where their names are hidden
    asks_names: bool = False  # an instructor sees names that are hidden from reviewers, which is noted

    @property
    def id(self) -> str:
        """The assignment's id."""
        return self.assignment.rubric.id

    def call(self, one: Listed) -> Listed:
        """A submission with what its student is called here."""
        return one if self.hidden is None else replace(one, name=self.hidden.pseudonym(one.user))


def open_scope(actor: Actor, course: str, assignment: Assignment, section: str = "") -> Scope:
    """What ``actor`` may see, or one section of it.

    Raises `NotPermitted` for whoever does not teach the course, `NotFound` for a section that they do
    not look after.
    """
    if not actor.teaches(course):
        raise NotPermitted("A class's work is for the course's staff.")
    seen = actor.sections_of(course)
    if not section:
        return Scope(actor, course, assignment, seen)
    if seen is not None and section not in seen:
        raise NotFound("There is no such section, or you do not look after it.")
    return Scope(actor, course, assignment, frozenset({section}), section)


def hide_names(database: Database, scope: Scope, now: datetime, *, with_names: bool) -> Scope:
    """The same scope, in which names are hidden as they are from reviewers.

    ``with_names``: an instructor asks for them all the same, which is noted in the audit log.
    """
    with database.read() as unit:
        offering = unit.offerings.find(scope.course, scope.id)
    if hides_names(scope.actor, scope.course, offering, with_names=with_names):
        return replace(scope, hidden=find_names(database, scope.course, scope.id))
    if offering.hides_names:
        note_names_shown(database, scope.actor, scope.course, scope.id, now)
        return replace(scope, asks_names=True)
    return scope


def list_sections(database: Database, scope: Scope) -> list[str]:
    """The sections that can be asked for."""
    seen = scope.actor.sections_of(scope.course)
    if seen is not None:
        return sorted(seen)
    with database.read() as unit:
        return unit.class_lists.sections(scope.course)


def find_seen(unit: UnitOfWork, scope: Scope, submission_id: str) -> Filed:
    """A submission of the assignment by someone within the scope. Raises `NotFound`."""
    filed = unit.submissions.find(submission_id)
    if (
        filed is None
        or (filed.submission.course, filed.submission.assignment) != (scope.course, scope.id)
        or not unit.class_lists.is_in(scope.course, filed.submission.user, scope.sections)
    ):
        raise NotFound("There is no such submission, or its student is not in a section of yours.")
    return filed
