"""Where people arrive: their courses."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from grader.services.people.sessions import Visitor
from grader.web.deps import Deps, get_deps
from grader.web.pages.access import get_visitor
from grader.web.pages.rendering import render

router = APIRouter(include_in_schema=False)


@router.get("/")
def show_courses(
    request: Request,
    deps: Annotated[Deps, Depends(get_deps)],
    visitor: Annotated[Visitor, Depends(get_visitor)],
) -> Response:
    """The courses that someone takes part in; an admin sees all."""
    actor = visitor.actor
    with deps.database.read() as unit:
        titles = unit.people.courses(None if actor.is_admin else actor.memberships)
    courses = [(course, title, actor.role_in(course)) for course, title in titles.items()]
    return render(request, "home.html", visitor, courses=courses)
