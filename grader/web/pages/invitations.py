"""Where an invitation's link leads: choose a password, and be in."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse

from grader.errors import NotFound, RequestRefused
from grader.services.people.accounts import LEAST_CHARACTERS
from grader.services.people.invitations import accept, find_invited
from grader.services.people.sessions import end_session
from grader.web.deps import Deps, get_deps
from grader.web.pages.access import read_token, refuse_other_sites, set_token
from grader.web.pages.rendering import render

router = APIRouter(include_in_schema=False)


@router.get("/invite/{token}")
def show_invitation(request: Request, token: str, deps: Annotated[Deps, Depends(get_deps)]) -> Response:
    """The form to choose a password. Looking at it uses nothing up: mail programs look at links."""
    return _show(request, deps, token)


@router.post("/invite/{token}", dependencies=[Depends(refuse_other_sites)])
def accept_invitation(
    request: Request,
    token: str,
    deps: Annotated[Deps, Depends(get_deps)],
    password: Annotated[str, Form(max_length=1000)] = "",
) -> Response:
    """Use the link up, and sign in."""
    try:
        session = accept(deps.database, token, password, deps.clock())
    except NotFound:
        raise
    except RequestRefused as error:
        return _show(request, deps, token, str(error))
    if old := read_token(request):
        end_session(deps.database, old)
    response = RedirectResponse("/", 303)
    set_token(request, response, session)
    return response


def _show(request: Request, deps: Deps, token: str, wrong: str = "") -> Response:
    person = find_invited(deps.database, token, deps.clock())
    return render(
        request,
        "invite.html",
        None,
        422 if wrong else 200,
        person=person,
        wrong=wrong,
        least=LEAST_CHARACTERS,
    )
