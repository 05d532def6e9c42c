"""How this course gives the assignment: dates, lateness, what students see when."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, TypeVar

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse
from starlette.datastructures import FormData

from grader.domain.offering import Counts, Offering, Release
from grader.services.offering import SettingsRefused, change_offering
from grader.web.deps import Deps, get_deps
from grader.web.pages.access import get_form
from grader.web.pages.assignments import send_template
from grader.web.pages.forms import Fields
from grader.web.pages.places import AssignmentPlace, get_managed
from grader.web.pages.rendering import render

router = APIRouter(prefix="/courses/{course}/assignments/{assignment}/settings", include_in_schema=False)

_Choice = TypeVar("_Choice", Counts, Release)


@router.get("")
def show_settings(
    request: Request,
    deps: Annotated[Deps, Depends(get_deps)],
    place: Annotated[AssignmentPlace, Depends(get_managed)],
    saved: bool = False,
) -> Response:
    """The form as it stands."""
    with deps.database.read() as unit:
        offering = unit.offerings.find(place.course.id, place.id)
    return _show(request, place, offering, {}, saved=saved)


@router.post("")
def save_settings(
    request: Request,
    deps: Annotated[Deps, Depends(get_deps)],
    place: Annotated[AssignmentPlace, Depends(get_managed)],
    form: Annotated[FormData, Depends(get_form)],
) -> Response:
    """Set everything; what cannot be is said beside its field."""
    fields = Fields(form)
    wanted = _read(fields, place)
    if not fields.wrong:
        try:
            change_offering(
                deps.database, place.course.visitor.actor, place.course.id, place.id, wanted, deps.clock()
            )
        except SettingsRefused as error:
            fields.wrong.update(error.fields)
    if fields.wrong:
        return _show(request, place, wanted, fields.wrong, typed=form)
    return RedirectResponse("?saved=true", 303)


@router.get("/template.ipynb")
def download_template(place: Annotated[AssignmentPlace, Depends(get_managed)]) -> Response:
    """What students get."""
    return send_template(place)


def _read(fields: Fields, place: AssignmentPlace) -> Offering:
    release = _choice(fields, "release", Release, Release.AT_ONCE)
    releases = {}
    for part in place.assignment.rubric.parts:
        if fields.text(f"release.{part.key}"):
            releases[part.key] = _choice(fields, f"release.{part.key}", Release, release)
    return replace(
        Offering(),
        is_open=fields.ticked("is_open"),
        opens_at=fields.moment("opens_at"),
        due_at=fields.moment("due_at"),
        closes_at=fields.moment("closes_at"),
        late_percent_per_day=fields.number("late_percent_per_day"),
        grace_minutes=fields.whole("grace_minutes"),
        counts=_choice(fields, "counts", Counts, Counts.BEST),
        release=release,
        releases=releases,
        is_anonymous=fields.ticked("is_anonymous"),
        audited_share=fields.number("audited_percent") / 100,
        lms_column=fields.text("lms_column", 255),
    )


def _choice(fields: Fields, name: str, kind: type[_Choice], default: _Choice) -> _Choice:
    try:
        return kind(fields.text(name) or default)
    except ValueError:
        fields.wrong[name] = "Choose one of these."
        return default


def _show(
    request: Request,
    place: AssignmentPlace,
    offering: Offering,
    wrong: dict[str, str],
    *,
    typed: FormData | None = None,
    saved: bool = False,
) -> Response:
    return render(
        request,
        "settings.html",
        place.course.visitor,
        422 if wrong else 200,
        place=place,
        tab="settings",
        offering=offering,
        rubric=place.assignment.rubric,
        wrong=wrong,
        typed=typed or {},
        saved=saved,
    )
