"""All submissions of an assignment as a table.

What is searched for is a student's name or id and never stands in an address: it is posted. All else,
filters, order and page, stands in the address, so that it can be kept as a bookmark.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request, Response
from starlette.datastructures import FormData

from grader.domain.submission import SubmissionState
from grader.services.dashboard.scope import Scope, list_sections
from grader.services.dashboard.submissions import list_submissions
from grader.storage.classes.submissions import Attention, Column, Filter
from grader.web.deps import Deps, get_deps
from grader.web.pages.access import get_form
from grader.web.pages.dashboard import get_scope
from grader.web.pages.places import AssignmentPlace, get_taught
from grader.web.pages.rendering import render

router = APIRouter(
    prefix="/courses/{course}/assignments/{assignment}/dashboard/submissions", include_in_schema=False
)
_MOST_WORDS = 200  # characters


@dataclass(frozen=True, slots=True)
class View:
    """What of the table is shown, as its address says it."""

    section: str = ""
    state: str = ""
    attention: str = ""
    counted: bool = False
    sort: Column = Column.SUBMITTED
    up: bool = False  # least first
    page: int = 1
    names: bool = False  # also while they are hidden from reviewers

    def link(self, **changes: Any) -> str:
        """The address's query with these changes; what is as usual is left out."""
        changed, usual = replace(self, **changes), View()
        asked = {name: getattr(changed, name) for name in View.__slots__}
        named = {name: value for name, value in asked.items() if value != getattr(usual, name)}
        return "?" + urlencode({name: 1 if value is True else value for name, value in named.items()})

    def sorted_by(self, column: Column) -> str:
        """The address of the same, sorted by a column; or the other way round where it is already."""
        return self.link(sort=column, up=not self.up if column == self.sort else False, page=1)


def get_view(
    section: str = "",
    state: str = "",
    attention: str = "",
    counted: bool = False,
    sort: Column = Column.SUBMITTED,
    up: bool = False,
    page: Annotated[int, Query(ge=1, le=100_000)] = 1,
    names: bool = False,
) -> View:
    """What the address asks for; an unknown state or kind of attention is none."""
    return View(
        section,
        state if state in set(map(str, SubmissionState)) else "",
        attention if attention in set(map(str, Attention)) else "",
        counted,
        sort,
        up,
        page,
        names,
    )


@router.get("")
def show_submissions(
    request: Request,
    deps: Annotated[Deps, Depends(get_deps)],
    place: Annotated[AssignmentPlace, Depends(get_taught)],
    scope: Annotated[Scope, Depends(get_scope)],
    view: Annotated[View, Depends(get_view)],
) -> Response:
    """One page of the table."""
    return _show(request, deps, place, scope, view)


@router.post("")
def search_submissions(
    request: Request,
    deps: Annotated[Deps, Depends(get_deps)],
    place: Annotated[AssignmentPlace, Depends(get_taught)],
    scope: Annotated[Scope, Depends(get_scope)],
    view: Annotated[View, Depends(get_view)],
    form: Annotated[FormData, Depends(get_form)],
) -> Response:
    """The same, of those whose name has these words or whose id begins so; of all where names are hidden."""
    return _show(request, deps, place, scope, view, str(form.get("words", ""))[:_MOST_WORDS].strip())


def _show(
    request: Request, deps: Deps, place: AssignmentPlace, scope: Scope, view: View, words: str = ""
) -> Response:
    wanted = Filter(view.state, Attention(view.attention) if view.attention else None, view.counted, words)
    found = list_submissions(
        deps.database, scope, wanted, by=view.sort, is_descending=not view.up, page=view.page
    )
    return render(
        request,
        "dashboard_rows.html" if request.headers.get("hx-target") == "table" else "dashboard_table.html",
        place.course.visitor,
        place=place,
        tab="dashboard",
        sections=list_sections(deps.database, scope),
        view=replace(view, page=found.page),
        words="" if scope.hidden else words,
        scope=scope,
        found=found,
        columns=Column,
        states=SubmissionState,
    )
