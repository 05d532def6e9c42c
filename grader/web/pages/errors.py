"""Errors on pages: the same problems as the API's, told to a person."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlsplit

from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse, Response

from grader.services.people.sessions import Visitor, find_visitor
from grader.web.deps import get_deps
from grader.web.pages.access import keep_local, read_token
from grader.web.pages.rendering import render

_NOT_PAGES = ("/api/", "/healthz", "/readyz", "/static/")
_TITLES = {
    403: "This is not yours to see or change",
    404: "Nothing is here",
    409: "Somebody was quicker",
    413: "The file is too large",
}


def install_error_pages(app: FastAPI) -> None:
    """Let every problem on a page be a page. To be called after all handlers are installed."""
    for kind, handler in list(app.exception_handlers.items()):
        app.add_exception_handler(kind, _told_to_people(handler))


def _told_to_people(handler: Callable[..., Any]) -> Callable[[Request, Exception], Any]:
    def handle(request: Request, error: Exception) -> Response:
        response = handler(request, error)
        assert isinstance(response, Response)
        is_read_by_a_person = "text/html" in request.headers.get("accept", "")
        if not is_read_by_a_person or request.url.path.startswith(_NOT_PAGES):
            return response
        if response.status_code == 401:
            return _sign_in(request)
        problem = json.loads(bytes(response.body))
        title = _TITLES.get(response.status_code, problem["title"])
        # Where we failed ourselves the database may be what failed.
        visitor = None if response.status_code >= 500 else _find_visitor(request)
        page = render(
            request,
            "error.html",
            visitor,
            response.status_code,
            title=title,
            detail=problem["detail"],
            back=_find_way_back(request, visitor),
        )
        if "Retry-After" in response.headers:
            page.headers["Retry-After"] = response.headers["Retry-After"]
        return page

    return handle


def _sign_in(request: Request) -> Response:
    if request.headers.get("hx-request"):  # a part of a page: the whole page goes there
        return Response(status_code=204, headers={"HX-Redirect": "/login"})
    if request.method == "GET":
        return RedirectResponse(f"/login?next={quote(request.url.path)}", 303)
    lost = "file" if request.url.path.endswith("/drafts") else "form"
    return RedirectResponse(f"/login?next={quote(_find_page_before(request) or '/')}&lost={lost}", 303)


def _find_visitor(request: Request) -> Visitor | None:
    deps = get_deps(request)
    return find_visitor(deps.database, read_token(request), deps.clock())


def _find_page_before(request: Request) -> str:
    """The page of ours that a form was sent from; "" where the browser names none."""
    try:
        before = urlsplit(request.headers.get("referer", ""))
    except ValueError:
        return ""
    return keep_local(before.path) if before.netloc == request.url.netloc else ""


def _find_way_back(request: Request, visitor: Visitor | None) -> tuple[str, str]:
    """An address and what it is called: the page that was posted from, the course, or all courses."""
    before = _find_page_before(request) if request.method != "GET" else ""
    if before:
        return before, "Go back to where you were"
    course = request.path_params.get("course", "")
    if visitor is not None and visitor.actor.role_in(course) is not None:
        return f"/courses/{quote(course, safe='')}", "Go to the course"
    return "/", "Go to your courses"
