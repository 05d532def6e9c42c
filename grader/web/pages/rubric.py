"""The rubric in the page: what it says, what it is calibrated on, how it came about, and how to change it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse
from starlette.datastructures import FormData

from grader.assignments import Problem, apply_edits
from grader.errors import RequestRefused
from grader.services.regrade.preview import Change
from grader.services.review.anonymity import find_names
from grader.web.bounds import read_number
from grader.web.deps import Deps, get_deps
from grader.web.pages.access import get_form
from grader.web.pages.places import AssignmentPlace, get_managed
from grader.web.pages.rendering import render
from grader.web.pages.rubric_form import Fault, place_problems, read_fields, shown_fields

router = APIRouter(prefix="/courses/{course}/assignments/{assignment}", include_in_schema=False)

Place = Annotated[AssignmentPlace, Depends(get_managed)]
DepsOf = Annotated[Deps, Depends(get_deps)]
Form = Annotated[FormData, Depends(get_form)]
_MOST_CHANGES = 100  # shown of a preview


@router.get("/rubric")
def show_rubric(request: Request, place: Place, deps: DepsOf, *, published: bool = False) -> Response:
    """Items, concepts, calibration and history."""
    return render(
        request,
        "rubric.html",
        place.course.visitor,
        place=place,
        tab="rubric",
        assignment=place.assignment,
        history=deps.rubrics.history(place.course.visitor.actor, place.id),
        published=published,
    )


@router.get("/rubric.yaml")
def download_rubric(place: Place, deps: DepsOf) -> Response:
    """The text that holds, to be kept with the course's files."""
    headers = {"Content-Disposition": f'attachment; filename="{place.id}.yaml"', "Cache-Control": "no-store"}
    return Response(deps.rubrics.export(place.id), media_type="application/yaml", headers=headers)


@router.get("/rubric/edit")
def edit_rubric(request: Request, place: Place, deps: DepsOf) -> Response:
    """Fields for what is changed often, and the whole text."""
    return _show_editor(request, place, deps.rubrics.export(place.id))


@router.post("/rubric/preview")
def preview_change(request: Request, place: Place, deps: DepsOf, form: Form) -> Response:
    """What the changed rubric would do to every submission. Nothing is written."""
    actor, act, text = place.course.visitor.actor, form.get("act"), _read_text(form)
    if act == "fields":
        filled, before = read_fields(form, place.assignment.rubric), text
        text = apply_edits(text, filled.edits)
    elif act == "restore":
        text = deps.rubrics.version_text(actor, place.id, read_number(form.get("version")) or 0)
    problems = deps.rubrics.check_text(place.id, text)
    if act == "fields" and (
        faults := filled.faults + list(place_problems(problems, place.assignment.rubric))
    ):
        return _show_editor(request, place, before, faults=faults, typed=filled.typed)
    if problems:
        return _show_editor(request, place, text, problems)
    preview = deps.rubrics.propose(actor, place.id, text, limit=_MOST_CHANGES)
    return render(
        request,
        "rubric_preview.html",
        place.course.visitor,
        place=place,
        tab="rubric",
        text=text,
        is_same=text == deps.rubrics.export(place.id),
        preview=preview,
        who=_name_students(deps, place.id, preview.changes),
    )


@router.post("/rubric/publish")
def publish_change(place: Place, deps: DepsOf, form: Form) -> Response:
    """Let the previewed text hold, and judge everything by it."""
    note = " ".join(str(form.get("note") or "").split())[:500]
    if not note:
        raise RequestRefused("Say in a few words why the rubric changes: it stands in its history.")
    deps.rubrics.publish_version(
        place.course.visitor.actor,
        place.id,
        _read_text(form),
        note=note,
        token=str(form.get("token") or ""),
        now=deps.clock(),
    )
    return RedirectResponse(f"{place.path}/rubric?published=1", 303)


def _name_students(deps: Deps, assignment: str, changes: Iterable[Change]) -> dict[str, str]:
    """What reviewers call the student of each submission: a pseudonym while their course hides names."""
    names = {course: find_names(deps.database, course, assignment) for course in {c.course for c in changes}}
    with deps.database.read() as unit:
        return {change.submission_id: names[change.course].of(unit, change.user) for change in changes}


def _read_text(form: FormData) -> str:
    """The rubric's text; browsers send lines that end in CR LF."""
    return str(form.get("text") or "").replace("\r\n", "\n")


def _show_editor(
    request: Request,
    place: AssignmentPlace,
    text: str,
    problems: Sequence[Problem] = (),
    faults: Sequence[Fault] = (),
    typed: Mapping[str, str] | None = None,
) -> Response:
    """The fields as they were ``typed``; a text with ``problems`` stands alone, with its lines."""
    return render(
        request,
        "rubric_edit.html",
        place.course.visitor,
        422 if problems or faults else 200,
        place=place,
        tab="rubric",
        text=text,
        lines=text.splitlines(),
        problems=problems,
        faults={fault.field.name: fault for fault in faults},
        typed=typed or {},
        parts=() if problems else shown_fields(place.assignment.rubric),
    )
