"""A course's assignments, and one of them as its students find it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from grader.domain.people import Role
from grader.errors import NotFound
from grader.services.submitting.attempts import list_own_work, read_own_work, refuse_unopened
from grader.web.deps import Deps, get_deps
from grader.web.pages.places import AssignmentPlace, CoursePlace, get_assignment, get_course
from grader.web.pages.rendering import HEADERS, render

router = APIRouter(include_in_schema=False)


@router.get("/courses/{course}")
def show_assignments(
    request: Request,
    deps: Annotated[Deps, Depends(get_deps)],
    course: Annotated[CoursePlace, Depends(get_course)],
) -> Response:
    """All assignments: with one's own work for students, with the ways on for staff."""
    now, visitor = deps.clock(), course.visitor
    own = list_own_work(deps.database, visitor.actor, course.id, deps.assignments, now)
    shown = sorted(deps.assignments) if course.is_teacher else list(own)
    with deps.database.read() as unit:
        offerings = {key: unit.offerings.find(course.id, key) for key in shown}
        students = unit.roster.roles(course.id).get(Role.STUDENT, 0) if course.is_manager else 0
    return render(
        request,
        "assignments.html",
        visitor,
        course=course,
        tab="assignments",
        assignments=[(key, deps.assignments[key].rubric, offerings[key], own.get(key)) for key in shown],
        students=students,
        at=now,
    )


@router.get("/courses/{course}/assignments/{assignment}")
def show_assignment(
    request: Request,
    deps: Annotated[Deps, Depends(get_deps)],
    place: Annotated[AssignmentPlace, Depends(get_assignment)],
) -> Response:
    """Dates and rules, the template, the drop zone, and what was handed in."""
    return render_assignment(request, deps, place)


@router.get("/courses/{course}/assignments/{assignment}/template.ipynb")
def download_template(
    deps: Annotated[Deps, Depends(get_deps)], place: Annotated[AssignmentPlace, Depends(get_assignment)]
) -> Response:
    """The notebook that students fill in, from the day on which it opens."""
    actor = place.course.visitor.actor
    refuse_unopened(deps.database, actor, place.course.id, place.assignment, deps.clock())
    return send_template(place)


def send_template(place: AssignmentPlace) -> Response:
    """The template as a file."""
    headers = {**HEADERS, "Content-Disposition": f'attachment; filename="{place.id}.ipynb"'}
    return Response(place.assignment.template, headers=headers, media_type="application/x-ipynb+json")


def render_assignment(
    request: Request, deps: Deps, place: AssignmentPlace, status: int = 200, **said: Any
) -> Response:
    """The assignment's page; ``refused`` says why an upload was not taken."""
    now, visitor = deps.clock(), place.course.visitor
    own = read_own_work(deps.database, visitor.actor, place.course.id, place.assignment, now)
    if own.is_hidden and not place.course.is_teacher:
        raise NotFound("There is no such assignment.")
    context = {"refused": "", **said}
    return render(
        request, "student.html", visitor, status, place=place, tab="assignment", own=own, at=now, **context
    )
