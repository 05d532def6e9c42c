"""Whose work someone may see in an assignment."""

from __future__ import annotations

from dataclasses import dataclass

from grader.assignments import Assignment
from grader.domain.people import Actor
from grader.errors import NotFound, NotPermitted
from grader.storage.class_figures import Sections
from grader.storage.submissions import Filed
from grader.storage.unit_of_work import Database, UnitOfWork


@dataclass(frozen=True, slots=True)
class Scope:
    """Students of one course, as far as the actor may see and wants to see them."""

    actor: Actor
    course: str
    assignment: Assignment
    sections: Sections  # None: everybody
    section: str = ""  # the one that is asked for; "": all that may be seen

    @property
    def id(self) -> str:
        """The assignment's id."""
        return self.assignment.rubric.id


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
