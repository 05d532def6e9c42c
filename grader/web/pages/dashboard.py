"""The class in figures, and what needs a teacher's eye."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse
from starlette.datastructures import FormData

from grader.services.dashboard.attention import read_attention
from grader.services.dashboard.overview import read_overview
from grader.services.dashboard.retry import retry
from grader.services.dashboard.scope import Scope, hide_names, list_sections, open_scope
from grader.web.deps import Deps, get_deps
from grader.web.pages.access import get_form
from grader.web.pages.class_charts import draw_class_curve, draw_histogram
from grader.web.pages.places import AssignmentPlace, get_taught
from grader.web.pages.rendering import render

router = APIRouter(prefix="/courses/{course}/assignments/{assignment}/dashboard", include_in_schema=False)


def get_scope(
    place: Annotated[AssignmentPlace, Depends(get_taught)],
    deps: Annotated[Deps, Depends(get_deps)],
    section: str = "",
    names: bool = False,
) -> Scope:
    """Whose work is shown: of one section where the address names it; and whether with names."""
    scope = open_scope(place.course.visitor.actor, place.course.id, place.assignment, section)
    return hide_names(deps.database, scope, deps.clock(), with_names=names)


@router.get("")
def show_dashboard(
    request: Request,
    deps: Annotated[Deps, Depends(get_deps)],
    place: Annotated[AssignmentPlace, Depends(get_taught)],
    scope: Annotated[Scope, Depends(get_scope)],
) -> Response:
    """Figures, and short lists."""
    overview = read_overview(deps.database, scope)
    return render(
        request,
        "dashboard.html",
        place.course.visitor,
        place=place,
        tab="dashboard",
        sections=list_sections(deps.database, scope),
        scope=scope,
        overview=overview,
        histogram=draw_histogram(overview.distribution) if overview.distribution else None,
        curve=draw_class_curve(overview.sizes) if overview.sizes else None,
        attention=read_attention(deps.database, scope),
    )


@router.post("/retry")
def try_again(
    deps: Annotated[Deps, Depends(get_deps)],
    place: Annotated[AssignmentPlace, Depends(get_taught)],
    scope: Annotated[Scope, Depends(get_scope)],
    form: Annotated[FormData, Depends(get_form)],
) -> Response:
    """Queue what we failed at again: one submission, or all."""
    retry(deps.database, deps.jobs, scope, deps.clock(), str(form.get("submission", "")))
    address = f"/courses/{place.course.id}/assignments/{place.id}/dashboard#failed"
    return RedirectResponse(address, 303)
