"""One student's attempts, and two submissions side by side."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from grader.services.dashboard.pair import read_pair
from grader.services.dashboard.scope import Scope
from grader.services.dashboard.students import read_student
from grader.web.deps import Deps, get_deps
from grader.web.pages.dashboard import get_scope
from grader.web.pages.places import AssignmentPlace, get_taught
from grader.web.pages.rendering import render

router = APIRouter(prefix="/courses/{course}/assignments/{assignment}/dashboard", include_in_schema=False)


@router.get("/students/{submission_id}")
def show_student(
    submission_id: str,
    request: Request,
    deps: Annotated[Deps, Depends(get_deps)],
    place: Annotated[AssignmentPlace, Depends(get_taught)],
    scope: Annotated[Scope, Depends(get_scope)],
) -> Response:
    """All attempts of whoever handed in this submission."""
    student = read_student(deps.database, scope, submission_id, deps.clock())
    titles = {item.key: item.title for item in place.assignment.rubric.items}
    return render(
        request,
        "dashboard_student.html",
        place.course.visitor,
        place=place,
        tab="dashboard",
        scope=scope,
        student=student,
        titles=titles,
    )


@router.get("/pairs/{one}/{other}")
def show_pair(
    one: str,
    other: str,
    request: Request,
    deps: Annotated[Deps, Depends(get_deps)],
    place: Annotated[AssignmentPlace, Depends(get_taught)],
    scope: Annotated[Scope, Depends(get_scope)],
) -> Response:
    """Two submissions side by side."""
    pair = read_pair(deps.database, deps.blobs, scope, one, other, deps.clock())
    return render(
        request,
        "dashboard_pair.html",
        place.course.visitor,
        place=place,
        tab="dashboard",
        scope=scope,
        pair=pair,
    )
