"""One student's line of the gradebook, and what may be done to it."""

from __future__ import annotations

import math
from typing import Annotated
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse
from starlette.datastructures import FormData

from grader.domain.people import Actor
from grader.errors import NotPermitted, Overtaken, RequestRefused
from grader.services.gradebook.accommodations import excuse, extend
from grader.services.gradebook.overriding import override_item, take_back
from grader.services.gradebook.student import StudentLine, read_student
from grader.services.review import Decision, Desk
from grader.web.deps import Deps, get_deps
from grader.web.pages.access import get_form
from grader.web.pages.forms import Fields
from grader.web.pages.places import AssignmentPlace, get_managed, get_taught
from grader.web.pages.rendering import render

router = APIRouter(
    prefix="/courses/{course}/assignments/{assignment}/gradebook/students/{user}", include_in_schema=False
)


@router.get("")
def show_student(
    request: Request,
    user: str,
    deps: Annotated[Deps, Depends(get_deps)],
    place: Annotated[AssignmentPlace, Depends(get_taught)],
    done: str = "",
    attempt: int = 0,
) -> Response:
    """Points item by item, with forms to change them, to give an extension or an excuse.

    ``done``, ``attempt``: what was changed just now, and of which attempt.
    """
    return _show(request, deps, place, user, where=done, attempt=attempt)


@router.post("/items/{item}")
def mark_item(
    request: Request,
    user: str,
    item: str,
    deps: Annotated[Deps, Depends(get_deps)],
    place: Annotated[AssignmentPlace, Depends(get_taught)],
    form: Annotated[FormData, Depends(get_form)],
) -> Response:
    """Give an item other points, or take back what a human gave."""
    fields = Fields(form)
    points, follows = fields.number("points", math.nan), fields.whole("follows")
    reason, comment = fields.text("reason"), fields.text("comment", 4_000)
    desk = Desk(deps.database, deps.assignments, deps.clock)
    try:
        line = _read(deps, place, user)
        if fields.text("act") == "take_back":
            take_back(desk, _actor(place), line.row.submission_id, item, reason, follows)
        else:
            decision = Decision(points, comment=comment, reason=reason)
            override_item(desk, _actor(place), line.row.submission_id, item, decision, follows)
    except (NotPermitted, Overtaken):
        raise
    except RequestRefused as error:
        return _show(request, deps, place, user, str(error), item)
    return _back(place, user, item, line.row.attempt)


@router.post("/extension")
def give_extension(
    request: Request,
    user: str,
    deps: Annotated[Deps, Depends(get_deps)],
    place: Annotated[AssignmentPlace, Depends(get_managed)],
    form: Annotated[FormData, Depends(get_form)],
) -> Response:
    """Give another due date; an empty one takes it back."""
    fields = Fields(form)
    due_at, reason = fields.moment("due_at"), fields.text("reason")
    try:
        if fields.wrong:
            raise RequestRefused(fields.wrong["due_at"])
        extend(
            deps.database,
            _actor(place),
            place.course.id,
            place.id,
            user,
            due_at,
            reason=reason,
            now=deps.clock(),
        )
    except NotPermitted:
        raise
    except RequestRefused as error:
        return _show(request, deps, place, user, str(error), "extension")
    return _back(place, user, "extension")


@router.post("/excuse")
def give_excuse(
    request: Request,
    user: str,
    deps: Annotated[Deps, Depends(get_deps)],
    place: Annotated[AssignmentPlace, Depends(get_managed)],
    form: Annotated[FormData, Depends(get_form)],
) -> Response:
    """Excuse a student, or no longer."""
    fields = Fields(form)
    try:
        excuse(
            deps.database,
            _actor(place),
            place.course.id,
            place.id,
            user,
            is_excused=fields.text("act") == "excuse",
            reason=fields.text("reason"),
            now=deps.clock(),
        )
    except NotPermitted:
        raise
    except RequestRefused as error:
        return _show(request, deps, place, user, str(error), "excuse")
    return _back(place, user, "excuse")


def _read(deps: Deps, place: AssignmentPlace, user: str) -> StudentLine:
    return read_student(deps.database, _actor(place), place.course.id, place.assignment, user, deps.clock())


def _show(
    request: Request,
    deps: Deps,
    place: AssignmentPlace,
    user: str,
    wrong: str = "",
    where: str = "",
    attempt: int = 0,
) -> Response:
    """``where`` names the item or form that was used; with ``wrong`` in vain."""
    line = _read(deps, place, user)
    return render(
        request,
        "gradebook_student.html",
        place.course.visitor,
        422 if wrong else 200,
        place=place,
        tab="gradebook",
        line=line,
        rubric=place.assignment.rubric,
        wrong=wrong,
        where=where,
        changed_attempt=attempt,
    )


def _back(place: AssignmentPlace, user: str, done: str, attempt: int | None = None) -> Response:
    """To the item or form that was changed, which says what holds now."""
    query = urlencode({"done": done, **({"attempt": attempt} if attempt else {})})
    here = f"{place.path}/gradebook/students/{quote(user, safe='')}"
    return RedirectResponse(f"{here}?{query}#{quote(done, safe='')}", 303)


def _actor(place: AssignmentPlace) -> Actor:
    return place.course.visitor.actor
