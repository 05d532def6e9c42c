"""Whose browser is this? The session's cookie, and the token that every change must bring back."""

from __future__ import annotations

import hmac
from typing import Annotated

from fastapi import Depends, Request, Response
from starlette.datastructures import FormData

from grader.errors import NotAuthenticated, NotPermitted
from grader.services.people.sessions import LIFETIME, Visitor, find_visitor
from grader.web.deps import Deps, get_deps

_PLAIN, _SECURE = "grader_session", "__Host-grader_session"  # browsers hold the second to https
_MOST_FIELD_BYTES = 1 << 20


def get_visitor(request: Request, deps: Annotated[Deps, Depends(get_deps)]) -> Visitor:
    """Who is signed in. Raises `NotAuthenticated`, which sends the browser to the sign-in page."""
    visitor = find_visitor(deps.database, read_token(request), deps.clock())
    if visitor is None:
        raise NotAuthenticated("Please sign in.")
    return visitor


async def get_form(request: Request, visitor: Annotated[Visitor, Depends(get_visitor)]) -> FormData:
    """The posted form, once it has brought back the session's token. Raises `NotPermitted`."""
    form = await request.form(max_files=4, max_fields=2_000, max_part_size=_MOST_FIELD_BYTES)
    given = request.headers.get("x-csrf-token") or form.get("csrf")
    if not isinstance(given, str) or not hmac.compare_digest(given.encode(), visitor.csrf.encode()):
        raise NotPermitted("This page was open for too long, or it is not ours: reload it and try again.")
    return form


def read_field(form: FormData, name: str) -> str:
    """A field's text without spaces around it; "" where it is missing or a file."""
    value = form.get(name)
    return value.strip() if isinstance(value, str) else ""


def refuse_other_sites(request: Request) -> None:
    """For forms without a session: no other site signs somebody in, say as somebody else. `NotPermitted`."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is None and origin is not None:  # over plain http browsers tell only the origin
        site = "same-origin" if origin.partition("://")[2] == request.headers.get("host") else "cross-site"
    if site not in (None, "same-origin", "none"):
        raise NotPermitted("This form was sent from another site: open our own page and try again.")


def keep_local(where: str) -> str:
    """A path of ours, so that no link sends people elsewhere; "/" for anything else."""
    is_path = where.startswith("/") and not where.startswith(("//", "/\\")) and where.isprintable()
    return where if is_path else "/"


def read_token(request: Request) -> str:
    """The token that the browser brought; "" for none. Over TLS only a cookie that TLS has set counts."""
    return request.cookies.get(_SECURE if request.url.scheme == "https" else _PLAIN, "")


def set_token(request: Request, response: Response, token: str) -> None:
    """Give the browser a session's token; "" takes it away."""
    secure = request.url.scheme == "https"
    name = _SECURE if secure else _PLAIN
    if token:
        response.set_cookie(
            name, token, int(LIFETIME.total_seconds()), secure=secure, httponly=True, samesite="lax"
        )
    else:
        response.delete_cookie(name, secure=secure, httponly=True, samesite="lax")
