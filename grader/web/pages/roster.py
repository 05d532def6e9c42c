"""Take a roster in: choose a file, look at what it would change, apply it. Nothing is kept in between."""

from __future__ import annotations

import base64
import binascii
import zlib
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse
from starlette.datastructures import FormData, UploadFile

from grader.errors import RequestRefused
from grader.services.people.roster import Kind, Plan, apply_roster, plan_roster
from grader.services.people.roster_file import MOST_BYTES, RosterFile, read_roster
from grader.web.deps import Deps, get_deps
from grader.web.pages.access import get_form, read_field
from grader.web.pages.places import CoursePlace, get_managed_course
from grader.web.pages.rendering import render

router = APIRouter(include_in_schema=False, prefix="/courses/{course}")

_MOST_PACKED = 1_000_000  # a form's field may have 1 MiB
_MOST_SHOWN = 200


@router.get("/roster")
def show_import(request: Request, course: Annotated[CoursePlace, Depends(get_managed_course)]) -> Response:
    """The form to choose a file."""
    return render(request, "roster.html", course.visitor, course=course, tab="people")


@router.post("/roster")
def preview(
    request: Request,
    deps: Annotated[Deps, Depends(get_deps)],
    course: Annotated[CoursePlace, Depends(get_managed_course)],
    form: Annotated[FormData, Depends(get_form)],
) -> Response:
    """What the file would change, and what is wrong with it. Nothing is applied."""
    upload = form.get("file")
    if not isinstance(upload, UploadFile):
        raise RequestRefused("Choose a CSV file.")
    data = upload.file.read(MOST_BYTES + 1)
    file = read_roster(data)
    plan = plan_roster(deps.database, course.visitor.actor, course.id, file.entries)
    return _show(request, course, file, plan, _pack(data), "")


@router.post("/roster/apply")
def apply(
    request: Request,
    deps: Annotated[Deps, Depends(get_deps)],
    course: Annotated[CoursePlace, Depends(get_managed_course)],
    form: Annotated[FormData, Depends(get_form)],
) -> Response:
    """Apply what was looked at. Where it would do something else by now, it is shown again instead."""
    packed = read_field(form, "roster")
    file = read_roster(_unpack(packed))
    if file.errors:
        raise RequestRefused("The file has lines that are wrong: mend them, and choose it again.")
    plan, applied = apply_roster(
        deps.database,
        course.visitor.actor,
        course.id,
        file.entries,
        deps.clock(),
        remove_missing=read_field(form, "remove") == "yes",
        expected=read_field(form, "fingerprint"),
    )
    if applied:
        return RedirectResponse(f"/courses/{quote(course.id, safe='')}/people?done=imported", 303)
    said = "The course has changed since you looked: this is what the file would change now."
    return _show(request, course, file, plan, packed, said)


def _show(
    request: Request, course: CoursePlace, file: RosterFile, plan: Plan, packed: str, said: str
) -> Response:
    errors = sorted((*file.errors, *plan.errors), key=lambda error: error.line)
    shown = sorted(
        (change for change in plan.changes if change.kind in (Kind.NEW, Kind.CHANGED)),
        key=lambda change: change.kind is not Kind.NEW,
    )
    return render(
        request,
        "roster_preview.html",
        course.visitor,
        409 if said else 200,
        course=course,
        tab="people",
        id_column=file.id_column,
        errors=errors[:_MOST_SHOWN],
        errors_in_all=len(errors),
        counts={kind.value: plan.counts[kind] for kind in Kind},
        changes=shown[:_MOST_SHOWN],
        changes_in_all=len(shown),
        missing=plan.missing,
        fingerprint=plan.fingerprint,
        packed=packed,
        said=said,
    )


def _pack(data: bytes) -> str:
    packed = base64.b64encode(zlib.compress(data, 9)).decode()
    if len(packed) > _MOST_PACKED:
        raise RequestRefused("The file is too large: split it.")
    return packed


def _unpack(packed: str) -> bytes:
    try:
        return zlib.decompressobj().decompress(base64.b64decode(packed, validate=True), MOST_BYTES + 1)
    except (zlib.error, binascii.Error, ValueError):
        raise RequestRefused("The form came back damaged: choose the file again.") from None
