"""A submission: its progress, then its report, for its student and for staff."""

from __future__ import annotations

import hashlib
import re
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Header, Request, Response
from fastapi.responses import RedirectResponse
from starlette.datastructures import FormData

from grader.domain.people import Actor
from grader.domain.submission import SubmissionState
from grader.errors import NotFound, RequestRefused
from grader.services import review
from grader.services.figures.pictures import list_pictures, read_picture
from grader.services.grades.released import SubmissionView, note_reading, view_submission
from grader.services.people.sessions import Visitor
from grader.services.review.anonymity import find_names
from grader.services.submitting.queue import QueuePlace, find_place
from grader.storage.work import UNFINISHED
from grader.web.deps import Deps, get_deps
from grader.web.pages.access import get_form, get_visitor
from grader.web.pages.rendering import render
from grader.web.pages.told_items import tell_item
from grader.web.pictures import picture_response

router = APIRouter(include_in_schema=False)
_ID = re.compile(r"[0-9a-f]{32}")


def get_view(
    submission_id: str,
    deps: Annotated[Deps, Depends(get_deps)],
    visitor: Annotated[Visitor, Depends(get_visitor)],
) -> SubmissionView:
    """The submission of the address, as far as the visitor may see it. Raises `NotFound`."""
    if not _ID.fullmatch(submission_id):
        raise NotFound("There is no such submission.")
    return view_submission(deps.database, deps.assignments, visitor.actor, submission_id, deps.clock())


@router.get("/submissions/{submission_id}")
def show_submission(
    request: Request,
    deps: Annotated[Deps, Depends(get_deps)],
    visitor: Annotated[Visitor, Depends(get_visitor)],
    view: Annotated[SubmissionView, Depends(get_view)],
) -> Response:
    """The whole page: progress as long as there is no grade, then the report."""
    note_reading(deps.database, visitor.actor, view, deps.clock())
    return _render(request, deps, visitor, view)


@router.post("/submissions/{submission_id}/items/{item}/regrade")
def ask_regrade(
    request: Request,
    item: str,
    deps: Annotated[Deps, Depends(get_deps)],
    visitor: Annotated[Visitor, Depends(get_visitor)],
    view: Annotated[SubmissionView, Depends(get_view)],
    form: Annotated[FormData, Depends(get_form)],
) -> Response:
    """Ask about one item's mark; the answer will stand beside it."""
    desk, text = review.Desk(deps.database, deps.assignments, deps.clock), str(form.get("text") or "")
    try:
        review.ask_regrade(desk, visitor.actor, view.submission.id, item, text)
    except NotFound:
        raise
    except RequestRefused as error:
        return _render(request, deps, visitor, view, 422, wrong=(item, str(error)), asked=text)
    return RedirectResponse(f"/submissions/{view.submission.id}#{quote(item)}", 303)


def _render(
    request: Request,
    deps: Deps,
    visitor: Visitor,
    view: SubmissionView,
    status: int = 200,
    *,
    wrong: tuple[str, str] = ("", ""),
    asked: str = "",
) -> Response:
    context = _context(deps, visitor.actor, view)
    if view.submission.state in UNFINISHED:
        context |= _progress(deps, view)
    return render(request, "submission.html", visitor, status, wrong=wrong, asked=asked, **context)


@router.get("/submissions/{submission_id}/progress")
def show_progress(
    request: Request,
    deps: Annotated[Deps, Depends(get_deps)],
    visitor: Annotated[Visitor, Depends(get_visitor)],
    view: Annotated[SubmissionView, Depends(get_view)],
    seen: str = "",
) -> Response:
    """The part that changes while the notebook runs; 204 where it is as it was ``seen``."""
    if view.submission.state not in UNFINISHED:
        return Response(status_code=204, headers={"HX-Refresh": "true", "Cache-Control": "no-store"})
    progress = _progress(deps, view)
    if seen == progress["seen"]:
        return Response(status_code=204, headers={"Cache-Control": "no-store"})
    return render(request, "progress.html", visitor, view=view, is_part=True, **progress)


@router.get("/submissions/{submission_id}/pictures/{name}")
def show_picture(
    name: str,
    deps: Annotated[Deps, Depends(get_deps)],
    view: Annotated[SubmissionView, Depends(get_view)],
    if_none_match: Annotated[str | None, Header()] = None,
) -> Response:
    """One picture of the report, once the exercises are released."""
    if not view.shows_run:
        raise NotFound("This picture is not released yet.")
    picture, data = read_picture(deps.database, deps.blobs, view.report, name)
    return picture_response(picture, data, if_none_match)


def _progress(deps: Deps, view: SubmissionView) -> dict[str, Any]:
    with deps.database.read() as unit:
        queued = find_place(unit, view.report.filed)
    done = sum(cell.state.value != "not_run" for cell in view.cells)
    stands = _tell_status(view, queued, done)
    shown = repr((stands, view.submission.state, view.submission.tries, view.cells))
    seen = hashlib.sha256(shown.encode("utf-8", "replace")).hexdigest()[:16]
    return {"stands": stands, "done": done, "seen": seen}


def _tell_status(view: SubmissionView, queued: QueuePlace, done: int) -> str:
    if view.submission.state is SubmissionState.QUEUED or not done:
        return queued.told
    if done == len(view.cells):
        return "All cells have had their turn. Models are being measured; your report follows."
    return f"{done} of {len(view.cells)} cells are done. {queued.told}"


def _context(deps: Deps, actor: Actor, view: SubmissionView) -> dict[str, Any]:
    submission = view.submission
    known = deps.assignments.get(submission.assignment)
    may_see_name = view.is_own or actor.manages(submission.course) or not view.terms.offering.is_anonymous
    names = None if may_see_name else find_names(deps.database, submission.course, submission.assignment)
    with deps.database.read() as unit:
        course = unit.people.courses([submission.course]).get(submission.course, submission.course)
        person = unit.people.find(submission.user)
        name = person.name if person else submission.user
        if names is not None:
            name = names.of(unit, submission.user)
        requests = unit.regrade_requests.of(submission.id)
        audit = unit.audit.page(subject=submission.id, limit=20) if view.is_staff else []
    return {
        "view": view,
        "course_title": course,
        "title": known.rubric.title if known else submission.assignment,
        "student": name,
        "requests": {
            item: [one for one in requests if one.item == item] for item in {r.item for r in requests}
        },
        "audit": [entry for entry in audit if entry.action != "submission.read"],
        "pictures": list_pictures(view.report) if view.shows_run else [],
        "told": {
            item.key: tell_item(item, is_unread=item.key in part.unread)
            for part in view.parts
            for item in part.items
        },
    }
