"""The gradebook of an assignment: its table, the search, publication, and the files it leaves as."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import RedirectResponse, StreamingResponse
from starlette.datastructures import FormData

from grader.domain.gradebook import RowState, Selection, SortBy
from grader.services.gradebook.csv_files import Format
from grader.services.gradebook.export import Export, export_gradebook
from grader.services.gradebook.lines import Wish, read_gradebook
from grader.services.offering import publish, withdraw
from grader.web.deps import Deps, get_deps
from grader.web.gradebook import describe_file
from grader.web.pages.access import get_form
from grader.web.pages.forms import Fields
from grader.web.pages.places import AssignmentPlace, get_managed, get_taught
from grader.web.pages.rendering import HEADERS, render

router = APIRouter(prefix="/courses/{course}/assignments/{assignment}/gradebook", include_in_schema=False)

_LINES = 50


@router.get("")
def show_gradebook(
    request: Request,
    deps: Annotated[Deps, Depends(get_deps)],
    place: Annotated[AssignmentPlace, Depends(get_taught)],
    section: str = "",
    state: str = "",
    sort: SortBy = SortBy.NAME,
    descending: bool = False,
    page: Annotated[int, Query(ge=1, le=10_000)] = 1,
    items: bool = False,
    names: bool = False,
) -> Response:
    """One page of the table."""
    wish = Wish(
        Selection(_sections(section), state=RowState(state) if state in list(RowState) else None),
        sort,
        descending,
        _LINES,
        (page - 1) * _LINES,
        with_names=names,
        with_items=items,
    )
    return _show(request, deps, place, wish, section, page)


@router.post("/search")
def search(
    request: Request,
    deps: Annotated[Deps, Depends(get_deps)],
    place: Annotated[AssignmentPlace, Depends(get_taught)],
    form: Annotated[FormData, Depends(get_form)],
) -> Response:
    """The lines that a search finds. Posted, so that no name stands in an address or a log."""
    fields = Fields(form)
    section, words = fields.text("section", 255), fields.text("search", 255)
    wish = Wish(
        Selection(_sections(section), search=words),
        limit=_LINES,
        with_names=fields.ticked("names"),
        with_items=fields.ticked("items"),
    )
    return _show(request, deps, place, wish, section, 1)


@router.post("/publish")
def publish_grades(
    deps: Annotated[Deps, Depends(get_deps)],
    place: Annotated[AssignmentPlace, Depends(get_managed)],
    _form: Annotated[FormData, Depends(get_form)],
) -> Response:
    """Let every student see their grade."""
    publish(deps.database, place.course.visitor.actor, place.course.id, place.id, deps.clock())
    return RedirectResponse(f"{place.path}/gradebook", 303)


@router.post("/withdraw")
def withdraw_grades(
    deps: Annotated[Deps, Depends(get_deps)],
    place: Annotated[AssignmentPlace, Depends(get_managed)],
    _form: Annotated[FormData, Depends(get_form)],
) -> Response:
    """Take the publication back."""
    withdraw(deps.database, place.course.visitor.actor, place.course.id, place.id, deps.clock())
    return RedirectResponse(f"{place.path}/gradebook", 303)


# Beside the table's own address, not below it.
file_router = APIRouter(include_in_schema=False)


@file_router.get("/courses/{course}/assignments/{assignment}/gradebook.csv")
def download(
    deps: Annotated[Deps, Depends(get_deps)],
    place: Annotated[AssignmentPlace, Depends(get_taught)],
    format: Format = Format.GENERIC,  # noqa: A002
    section: str = "",
    provisional: bool = False,
) -> Response:
    """The table as a file."""
    export = export_gradebook(
        deps.database,
        place.course.visitor.actor,
        place.course.id,
        place.assignment,
        format,
        section=section,
        provisional=provisional,
        now=deps.clock(),
    )
    return send_file(export)


def send_file(export: Export) -> Response:
    """An export as it is sent: piece by piece."""
    headers = {**HEADERS, **describe_file(export)}
    return StreamingResponse(export.chunks, headers=headers, media_type="text/csv; charset=utf-8")


def _show(
    request: Request, deps: Deps, place: AssignmentPlace, wish: Wish, section: str, page: int
) -> Response:
    visitor = place.course.visitor
    now = deps.clock()
    shown = read_gradebook(deps.database, visitor.actor, place.course.id, place.assignment, wish, now)
    chosen = {
        "section": section,
        "state": wish.selection.state.value if wish.selection.state else "",
        "sort": wish.sort.value,
        "descending": "true" if wish.descending else "",
        "items": "true" if wish.with_items else "",
        "names": "true" if wish.with_names else "",
    }
    return render(
        request,
        "gradebook.html",
        visitor,
        place=place,
        tab="gradebook",
        shown=shown,
        chosen=chosen,
        search=wish.selection.search,
        page=page,
        pages=max(1, -(-shown.total // _LINES)),
        first=(page - 1) * _LINES,
        items=place.assignment.rubric.items if wish.with_items else (),
        states=list(RowState),
    )


def _sections(section: str) -> frozenset[str] | None:
    return frozenset({section}) if section else None
