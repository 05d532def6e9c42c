"""The way in and out."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse
from starlette.datastructures import FormData

from grader.errors import NotAuthenticated, TooManyTries
from grader.services.people.accounts import sign_in
from grader.services.people.sessions import end_session
from grader.web.deps import Deps, get_address, get_deps
from grader.web.pages.access import get_form, keep_local, read_token, refuse_other_sites, set_token
from grader.web.pages.rendering import render

router = APIRouter(include_in_schema=False)
_LOST = {
    "file": "You were signed out; nothing was handed in. Sign in and choose the file again.",
    "form": "You were signed out; what you sent was not taken. Sign in and send it again.",
}


@router.get("/login")
def show_login(request: Request, next: str = "/", lost: str = "") -> Response:  # noqa: A002
    """The sign-in form; ``lost`` is what was sent by someone whose session had ended."""
    wrong = _LOST.get(lost, "")
    return render(request, "login.html", None, next=keep_local(next), login="", wrong=wrong)


@router.post("/login", dependencies=[Depends(refuse_other_sites)])
def log_in(
    request: Request,
    deps: Annotated[Deps, Depends(get_deps)],
    login: Annotated[str, Form(max_length=255)],
    password: Annotated[str, Form(max_length=1000)],
    next: Annotated[str, Form()] = "/",  # noqa: A002
) -> Response:
    """Sign in, and go where the visitor wanted to go."""
    try:
        token = sign_in(deps.database, login, password, get_address(request), deps.clock())
    except (NotAuthenticated, TooManyTries) as error:
        status = 429 if isinstance(error, TooManyTries) else 401
        page = render(
            request, "login.html", None, status, next=keep_local(next), login=login, wrong=str(error)
        )
        if isinstance(error, TooManyTries):
            page.headers["Retry-After"] = str(error.seconds)
        return page
    if old := read_token(request):
        end_session(deps.database, old)
    response = RedirectResponse(keep_local(next), 303)
    set_token(request, response, token)
    return response


@router.post("/logout")
def log_out(
    request: Request,
    deps: Annotated[Deps, Depends(get_deps)],
    _form: Annotated[FormData, Depends(get_form)],
) -> Response:
    """Sign out of this browser."""
    end_session(deps.database, read_token(request))
    response = RedirectResponse("/login", 303)
    set_token(request, response, "")
    return response
