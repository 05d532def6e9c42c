"""Where a page is: the course and assignment of its address, for whoever may know of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated
from urllib.parse import quote

from fastapi import Depends

from grader.assignments import Assignment
from grader.domain.people import Role
from grader.errors import NotFound, NotPermitted
from grader.services.people.sessions import Visitor
from grader.web.deps import Deps, get_deps
from grader.web.pages.access import get_visitor


@dataclass(frozen=True, slots=True)
class CoursePlace:
    """A course, and what the visitor is in it."""

    id: str
    title: str
    role: Role
    visitor: Visitor

    @property
    def is_teacher(self) -> bool:
        """Whether they see students' work, within their sections."""
        return self.role is not Role.STUDENT

    @property
    def is_manager(self) -> bool:
        """Whether they may change rubric, dates, people and grades."""
        return self.role is Role.INSTRUCTOR


@dataclass(frozen=True, slots=True)
class AssignmentPlace:
    """An assignment in a course."""

    course: CoursePlace
    assignment: Assignment

    @property
    def id(self) -> str:
        """The assignment's id."""
        return self.assignment.rubric.id

    @property
    def title(self) -> str:
        """The assignment's title."""
        return self.assignment.rubric.title

    @property
    def path(self) -> str:
        """Where its pages begin."""
        return f"/courses/{quote(self.course.id, safe='')}/assignments/{quote(self.id, safe='')}"


def get_course(
    course: str,
    deps: Annotated[Deps, Depends(get_deps)],
    visitor: Annotated[Visitor, Depends(get_visitor)],
) -> CoursePlace:
    """The course of the address. Raises `NotFound` for everybody who takes no part in it."""
    role = visitor.actor.role_in(course)
    with deps.database.read() as unit:
        titles = unit.people.courses([course])
    if role is None or course not in titles:
        raise NotFound("There is no such course, or you take no part in it.")
    return CoursePlace(course, titles[course], role, visitor)


def get_managed_course(course: Annotated[CoursePlace, Depends(get_course)]) -> CoursePlace:
    """The course, for instructors alone. Raises `NotPermitted`."""
    if not course.is_manager:
        raise NotPermitted("This page is for the course's instructors.")
    return course


def get_assignment(
    assignment: str,
    deps: Annotated[Deps, Depends(get_deps)],
    course: Annotated[CoursePlace, Depends(get_course)],
) -> AssignmentPlace:
    """The assignment of the address. Raises `NotFound`."""
    known = deps.assignments.get(assignment)
    if known is None:
        raise NotFound("There is no such assignment.")
    return AssignmentPlace(course, known)


def get_taught(place: Annotated[AssignmentPlace, Depends(get_assignment)]) -> AssignmentPlace:
    """The same, for teachers and their assistants alone. Raises `NotPermitted`."""
    if not place.course.is_teacher:
        raise NotPermitted("This page is for the course's staff.")
    return place


def get_managed(place: Annotated[AssignmentPlace, Depends(get_assignment)]) -> AssignmentPlace:
    """The same, for instructors alone. Raises `NotPermitted`."""
    if not place.course.is_manager:
        raise NotPermitted("This page is for the course's instructors.")
    return place
