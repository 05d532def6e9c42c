"""How this course gives the assignment: dates, lateness, what students see when."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, TypeVar

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse
from starlette.datastructures import FormData

from grader.domain.offering import Counts, Offering, Release
from grader.errors import Overtaken
from grader.services.offering import SettingsRefused, change_offering, revision
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
    offering = _find(deps, place)
    return _show(request, place, offering, {}, seen=revision(offering), saved=saved)


@router.post("")
def save_settings(
    request: Request,
    deps: Annotated[Deps, Depends(get_deps)],
    place: Annotated[AssignmentPlace, Depends(get_managed)],
    form: Annotated[FormData, Depends(get_form)],
) -> Response:
    """Set everything; what cannot be is said beside its field.

    Where someone else was quicker the page keeps what was typed; saved again, it is what stands.
    """
    fields = Fields(form)
    seen = fields.text("seen")
    wanted = _read(fields, place)
    if not fields.wrong:
        try:
            change_offering(
                deps.database,
                place.course.visitor.actor,
                place.course.id,
                place.id,
                wanted,
                deps.clock(),
                seen=seen,
            )
        except SettingsRefused as error:
            fields.wrong.update(error.fields)
        except Overtaken as error:
            stands = revision(_find(deps, place))
            return _show(request, place, wanted, {}, typed=form, seen=stands, overtaken=str(error))
    if fields.wrong:
        return _show(request, place, wanted, fields.wrong, typed=form, seen=seen)
    return RedirectResponse("?saved=true", 303)


@router.get("/template.ipynb")
def download_template(place: Annotated[AssignmentPlace, Depends(get_managed)]) -> Response:
    """What students get."""
    return send_template(place)


def _find(deps: Deps, place: AssignmentPlace) -> Offering:
    with deps.database.read() as unit:
        return unit.offerings.find(place.course.id, place.id)


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
    seen: str,
    typed: FormData | None = None,
    overtaken: str = "",
    saved: bool = False,
) -> Response:
    return render(
        request,
        "settings.html",
        place.course.visitor,
        409 if overtaken else 422 if wrong else 200,
        place=place,
        tab="settings",
        offering=offering,
        rubric=place.assignment.rubric,
        wrong=wrong,
        seen=seen,
        typed=typed or {},
        overtaken=overtaken,
        saved=saved,
    )
