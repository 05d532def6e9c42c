"""Handing in, in two steps: see what was recognised, then submit for good."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException

from grader.errors import AttemptsUsedUp, NotFound, NotOpen, RequestRefused, UploadRefused
from grader.services.people.sessions import Visitor
from grader.services.submitting.attempts import read_own_work
from grader.services.submitting.drafts import keep_draft, read_draft, submit_draft
from grader.web.deps import Deps, get_deps
from grader.web.pages.access import get_form, get_visitor
from grader.web.pages.assignments import render_assignment
from grader.web.pages.forms import Fields
from grader.web.pages.places import AssignmentPlace, get_assignment
from grader.web.pages.rendering import render

router = APIRouter(include_in_schema=False)
_PATH = "/courses/{course}/assignments/{assignment}/drafts"
_NO_FILE = "No file was chosen. Choose your notebook, the file that ends in .ipynb."


async def get_file(
    request: Request, visitor: Annotated[Visitor, Depends(get_visitor)]
) -> tuple[str, bytes] | str:
    """The uploaded file's name and bytes, or why there is none."""
    try:
        form = await get_form(request, visitor)
    except HTTPException as error:
        if error.status_code != 413:
            raise
        return str(error.detail)
    file = form.get("file")
    if not isinstance(file, UploadFile) or not file.filename:
        return _NO_FILE
    return file.filename, await file.read()


@router.post(_PATH)
def check_upload(
    request: Request,
    deps: Annotated[Deps, Depends(get_deps)],
    place: Annotated[AssignmentPlace, Depends(get_assignment)],
    file: Annotated[tuple[str, bytes] | str, Depends(get_file)],
) -> Response:
    """Keep the upload as a draft and show what is in it; a refusal stays on the assignment's page."""
    if isinstance(file, str):
        return render_assignment(request, deps, place, 422, refused=file)
    name, data = file
    actor = place.course.visitor.actor
    try:
        draft = keep_draft(
            deps.database, deps.blobs, actor, place.course.id, place.assignment, name, data, deps.clock()
        )
    except NotFound:
        raise
    except (UploadRefused, RequestRefused) as error:
        return render_assignment(request, deps, place, 422, refused=str(error))
    return RedirectResponse(f"{_draft_path(place, draft.notebook_sha256)}", 303)


@router.get(_PATH)
def leave_upload(place: Annotated[AssignmentPlace, Depends(get_assignment)]) -> Response:
    """The address that a refused upload leaves in the browser, opened anew: back to the drop zone."""
    return RedirectResponse(place.path, 303)


@router.get(_PATH + "/{sha256}")
def show_draft(
    request: Request,
    sha256: str,
    deps: Annotated[Deps, Depends(get_deps)],
    place: Annotated[AssignmentPlace, Depends(get_assignment)],
) -> Response:
    """What was recognised: which cell answers what, and what is missing."""
    return _render_draft(request, deps, place, sha256)


@router.post(_PATH + "/{sha256}")
def submit(
    request: Request,
    sha256: str,
    deps: Annotated[Deps, Depends(get_deps)],
    place: Annotated[AssignmentPlace, Depends(get_assignment)],
    form: Annotated[FormData, Depends(get_form)],
) -> Response:
    """Hand the draft in; it is still there where that is refused."""
    actor = place.course.visitor.actor
    try:
        submission_id = submit_draft(
            deps.submitter,
            deps.database,
            deps.blobs,
            actor,
            place.course.id,
            place.assignment,
            sha256,
            Fields(form).whole("again_after"),
        )
    except (NotOpen, AttemptsUsedUp, UploadRefused) as error:
        return _render_draft(request, deps, place, sha256, 422, str(error))
    return RedirectResponse(f"/submissions/{submission_id}", 303)


def _render_draft(
    request: Request, deps: Deps, place: AssignmentPlace, sha256: str, status: int = 200, refused: str = ""
) -> Response:
    visitor, course = place.course.visitor, place.course.id
    draft, found = read_draft(deps.database, deps.blobs, visitor.actor, course, place.assignment, sha256)
    own = read_own_work(deps.database, visitor.actor, course, place.assignment, deps.clock())
    return render(
        request,
        "draft.html",
        visitor,
        status,
        place=place,
        tab="assignment",
        draft=draft,
        found=found,
        own=own,
        same=own.find_same(sha256),
        days_late=own.terms.days_late(deps.clock()),
        refused=refused,
    )


def _draft_path(place: AssignmentPlace, sha256: str) -> str:
    return f"{place.path}/drafts/{sha256}"
