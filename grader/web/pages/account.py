"""One's own account: its password, and the browsers that are signed in."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse
from starlette.datastructures import FormData

from grader.errors import NotPermitted, RequestRefused, TooManyTries
from grader.services.people.accounts import LEAST_CHARACTERS, change_password
from grader.services.people.sessions import Visitor, end_sessions, list_sessions
from grader.web.deps import Deps, get_address, get_deps
from grader.web.pages.access import get_form, get_visitor, read_field, read_token, set_token
from grader.web.pages.rendering import render

router = APIRouter(include_in_schema=False)

_DONE = {
    "password": "Your password is changed. All other browsers are signed out.",
    "ended": "Signed out there.",
}


@router.get("/account")
def show_account(
    request: Request,
    deps: Annotated[Deps, Depends(get_deps)],
    visitor: Annotated[Visitor, Depends(get_visitor)],
    done: str = "",
) -> Response:
    """Who one is here, and where one is signed in."""
    return _show(request, deps, visitor, done=_DONE.get(done, ""))


@router.post("/account/password")
def change_own_password(
    request: Request,
    deps: Annotated[Deps, Depends(get_deps)],
    visitor: Annotated[Visitor, Depends(get_visitor)],
    form: Annotated[FormData, Depends(get_form)],
) -> Response:
    """Change the password: the old one is asked for, other sessions end, this one gets a new token."""
    old, new = form.get("old"), form.get("new")
    if not isinstance(old, str) or not isinstance(new, str):
        raise RequestRefused("Type your present password and a new one.")
    try:
        token = change_password(deps.database, visitor.actor, old, new, get_address(request), deps.clock())
    except TooManyTries as error:
        page = _show(request, deps, visitor, 429, wrong=str(error))
        page.headers["Retry-After"] = str(error.seconds)
        return page
    except (NotPermitted, RequestRefused) as error:
        return _show(request, deps, visitor, 422, wrong=str(error))
    response = RedirectResponse("/account?done=password", 303)
    set_token(request, response, token)
    return response


@router.post("/account/sessions")
def end_own_sessions(
    request: Request,
    deps: Annotated[Deps, Depends(get_deps)],
    visitor: Annotated[Visitor, Depends(get_visitor)],
    form: Annotated[FormData, Depends(get_form)],
) -> Response:
    """Sign out one other browser, or all."""
    chosen = read_field(form, "session") or None
    end_sessions(deps.database, visitor.actor, read_token(request), deps.clock(), chosen)
    return RedirectResponse("/account?done=ended", 303)


def _show(
    request: Request, deps: Deps, visitor: Visitor, status: int = 200, *, done: str = "", wrong: str = ""
) -> Response:
    with deps.database.read() as unit:
        person = unit.people.find(visitor.actor.id)
    return render(
        request,
        "account.html",
        visitor,
        status,
        person=person,
        sessions=list_sessions(deps.database, visitor.actor, read_token(request), deps.clock()),
        least=LEAST_CHARACTERS,
        done=done,
        wrong=wrong,
    )
