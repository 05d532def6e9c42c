"""The executed notebook, in a frame in which nothing can run, load or lead elsewhere."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from grader.errors import NotFound
from grader.services.grades.released import SubmissionView, note_reading
from grader.services.people.sessions import Visitor
from grader.web.deps import Deps, get_deps
from grader.web.pages.access import get_visitor
from grader.web.pages.notebook_html import show_notebook
from grader.web.pages.rendering import HEADERS, render
from grader.web.pages.reports import get_view

router = APIRouter(include_in_schema=False)

_FRAME = {
    **HEADERS,
    # The page around it forbids scripts as well; here a bug of our cleaning finds nothing to use.
    "Content-Security-Policy": (
        "default-src 'none'; img-src data:; style-src 'self'; form-action 'none'; base-uri 'none'; "
        "frame-ancestors 'self'; sandbox"
    ),
}


@router.get("/submissions/{submission_id}/notebook")
def show_notebook_page(
    request: Request,
    deps: Annotated[Deps, Depends(get_deps)],
    visitor: Annotated[Visitor, Depends(get_visitor)],
    view: Annotated[SubmissionView, Depends(get_view)],
) -> Response:
    """The page around the frame."""
    _find_executed(view)
    note_reading(deps.database, visitor.actor, view, deps.clock())
    return render(request, "notebook.html", visitor, view=view)


@router.get("/submissions/{submission_id}/notebook/frame")
def show_notebook_frame(
    request: Request,
    deps: Annotated[Deps, Depends(get_deps)],
    view: Annotated[SubmissionView, Depends(get_view)],
) -> Response:
    """The notebook itself, as it was run."""
    data = deps.blobs.get(_find_executed(view))
    try:
        cells, wrong = show_notebook(data), ""
    except ValueError as error:
        cells, wrong = [], str(error)
    response = render(request, "notebook_frame.html", None, cells=cells, wrong=wrong)
    response.headers.update(_FRAME)
    return response


def _find_executed(view: SubmissionView) -> str:
    """The blob of the executed notebook. Raises `NotFound` before it was run, and before its release."""
    if not view.is_graded or view.report.evidence is None:
        raise NotFound("This notebook has not been run yet.")
    if not view.shows_run:
        raise NotFound("What the run of this notebook says is not released yet.")
    return view.report.evidence.evidence.run.executed_sha256
