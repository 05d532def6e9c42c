"""What is stored about people: to take along, to erase, and how long it is kept."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from typing import IO, Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse, StreamingResponse
from starlette.datastructures import FormData

from grader.errors import NotFound, NotPermitted, RequestRefused
from grader.services.people.sessions import Visitor
from grader.services.privacy.erase import Eraser
from grader.services.privacy.person import ErasurePlan, erase_person, export_person, plan_erasure
from grader.services.privacy.retention import Overdue, delete_overdue, list_overdue, set_retention
from grader.web.deps import Deps, get_deps
from grader.web.pages.access import get_form, get_visitor
from grader.web.pages.forms import Fields
from grader.web.pages.places import CoursePlace, get_course
from grader.web.pages.rendering import HEADERS, render

router = APIRouter(include_in_schema=False)

_IN_MEMORY_BYTES = 4 << 20
_PIECE_BYTES = 1 << 16


@router.get("/courses/{course}/data")
def show_course_data(
    request: Request,
    deps: Annotated[Deps, Depends(get_deps)],
    place: Annotated[CoursePlace, Depends(get_course)],
    *,
    saved: bool = False,
) -> Response:
    """How long the course's work is kept, and one person's data in it."""
    return _show_course(request, deps, place, saved=saved)


@router.post("/courses/{course}/data/retention")
def save_retention(
    request: Request,
    deps: Annotated[Deps, Depends(get_deps)],
    place: Annotated[CoursePlace, Depends(get_course)],
    form: Annotated[FormData, Depends(get_form)],
) -> Response:
    """Say how long. Nothing is deleted by it."""
    fields = Fields(form)
    days = fields.whole("days") if fields.text("days") else None
    try:
        if fields.wrong:
            raise RequestRefused(fields.wrong["days"])
        set_retention(deps.database, place.visitor.actor, place.id, days, deps.clock())
    except NotPermitted:
        raise
    except RequestRefused as error:
        return _show_course(request, deps, place, wrong={"days": str(error)})
    return RedirectResponse(f"/courses/{quote(place.id, safe='')}/data?saved=1", 303)


@router.post("/courses/{course}/data/export")
def export_from_course(
    request: Request,
    deps: Annotated[Deps, Depends(get_deps)],
    place: Annotated[CoursePlace, Depends(get_course)],
    form: Annotated[FormData, Depends(get_form)],
) -> Response:
    """One person's data in this course, as a ZIP."""
    try:
        return _send_person(deps, place.visitor, Fields(form).text("person", 255), place.id)
    except NotFound as error:
        return _show_course(request, deps, place, wrong={"person": str(error)})


@router.get("/admin/data")
def show_data(
    request: Request,
    deps: Annotated[Deps, Depends(get_deps)],
    visitor: Annotated[Visitor, Depends(get_visitor)],
) -> Response:
    """What would go by retention, and one person's data everywhere."""
    return _show_all(request, deps, visitor)


@router.post("/admin/data/person")
def look_up_person(
    request: Request,
    deps: Annotated[Deps, Depends(get_deps)],
    visitor: Annotated[Visitor, Depends(get_visitor)],
    form: Annotated[FormData, Depends(get_form)],
) -> Response:
    """Show what is stored about a person, hand it out, or erase it. Posted: no id stands in a log."""
    fields = Fields(form)
    person, act, actor = fields.text("person", 255), fields.text("act"), visitor.actor
    eraser = _eraser(deps)
    try:
        if act == "export":
            return _send_person(deps, visitor, person, None)
        if act == "erase":
            if fields.text("again", 255) != person:
                raise RequestRefused("Type the same id again to erase: nothing was deleted.")
            reason = fields.text("reason")
            removed = erase_person(deps.database, eraser, actor, person, reason, deps.clock())
            return _show_all(request, deps, visitor, erased=sum(removed.rows.values()))
        plan = plan_erasure(deps.database, eraser, actor, person)
    except NotPermitted:
        raise
    except RequestRefused as error:
        return _show_all(request, deps, visitor, person=person, wrong=str(error))
    return _show_all(request, deps, visitor, person=person, plan=plan)


@router.post("/admin/data/retention")
def run_retention(
    request: Request,
    deps: Annotated[Deps, Depends(get_deps)],
    visitor: Annotated[Visitor, Depends(get_visitor)],
    form: Annotated[FormData, Depends(get_form)],
) -> Response:
    """Delete what one course keeps no longer."""
    course = Fields(form).text("course", 255)
    done = delete_overdue(deps.database, _eraser(deps), visitor.actor, deps.clock(), course)
    return _show_all(request, deps, visitor, done=done)


def _show_course(
    request: Request,
    deps: Deps,
    place: CoursePlace,
    wrong: dict[str, str] | None = None,
    *,
    saved: bool = False,
) -> Response:
    actor, now = place.visitor.actor, deps.clock()
    overdue = list_overdue(deps.database, _eraser(deps), actor, now, place.id)
    with deps.database.read() as unit:
        days, ended_at = unit.people.retention(place.id), unit.personal_data.last_use(place.id)
    return render(
        request,
        "data_course.html",
        place.visitor,
        422 if wrong else 200,
        course=place,
        tab="data",
        days=days,
        ended_at=ended_at,
        overdue=overdue,
        wrong=wrong or {},
        saved=saved,
    )


def _show_all(
    request: Request,
    deps: Deps,
    visitor: Visitor,
    *,
    person: str = "",
    wrong: str = "",
    plan: ErasurePlan | None = None,
    erased: int | None = None,
    done: list[Overdue] | None = None,
) -> Response:
    if not visitor.actor.is_admin:
        raise NotPermitted("This page is for the service's admins.")
    overdue = list_overdue(deps.database, _eraser(deps), visitor.actor, deps.clock())
    return render(
        request,
        "data_all.html",
        visitor,
        422 if wrong else 200,
        person=person,
        wrong=wrong,
        plan=plan,
        erased=erased,
        done=done,
        overdue=overdue,
    )


def _send_person(deps: Deps, visitor: Visitor, person: str, course: str | None) -> Response:
    file = tempfile.SpooledTemporaryFile(_IN_MEMORY_BYTES)  # noqa: SIM115 - closed once it is sent
    try:
        export_person(deps.database, deps.blobs, visitor.actor, person, file, deps.clock(), course)
    except BaseException:
        file.close()
        raise
    file.seek(0)
    headers = {**HEADERS, "Content-Disposition": 'attachment; filename="person.zip"'}
    return StreamingResponse(_pieces(file), headers=headers, media_type="application/zip")


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while piece := file.read(_PIECE_BYTES):
            yield piece


def _eraser(deps: Deps) -> Eraser:
    return Eraser(deps.database, deps.blobs, deps.jobs)
