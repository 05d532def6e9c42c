"""The way in and out."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse
from starlette.datastructures import FormData

from grader.errors import NotAuthenticated
from grader.services.accounts import sign_in
from grader.services.sessions import end_session
from grader.web.deps import Deps, get_deps
from grader.web.pages.access import get_form, read_token, set_token
from grader.web.pages.rendering import render

router = APIRouter(include_in_schema=False)


@router.get("/login")
def show_login(request: Request, next: str = "/") -> Response:  # noqa: A002
    """The sign-in form."""
    return render(request, "login.html", None, next=_local(next), login="", wrong="")


@router.post("/login")
def log_in(
    request: Request,
    deps: Annotated[Deps, Depends(get_deps)],
    login: Annotated[str, Form(max_length=255)],
    password: Annotated[str, Form(max_length=1000)],
    next: Annotated[str, Form()] = "/",  # noqa: A002
) -> Response:
    """Sign in, and go where the visitor wanted to go."""
    try:
        token = sign_in(deps.database, login, password, deps.clock())
    except NotAuthenticated as error:
        return render(request, "login.html", None, 401, next=_local(next), login=login, wrong=str(error))
    response = RedirectResponse(_local(next), 303)
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


def _local(where: str) -> str:
    """A path of ours, so that no link sends people elsewhere after they signed in."""
    is_path = where.startswith("/") and not where.startswith(("//", "/\\")) and where.isprintable()
    return where if is_path else "/"
