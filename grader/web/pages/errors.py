"""Errors on pages: the same problems as the API's, told to a person."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse, Response

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
        page = render(
            request, "error.html", None, response.status_code, title=title, detail=problem["detail"]
        )
        if "Retry-After" in response.headers:
            page.headers["Retry-After"] = response.headers["Retry-After"]
        return page

    return handle


def _sign_in(request: Request) -> Response:
    where = request.url.path if request.method == "GET" else "/"
    if request.headers.get("hx-request"):  # a part of a page: the whole page goes there
        return Response(status_code=204, headers={"HX-Redirect": "/login"})
    return RedirectResponse(f"/login?next={quote(where)}", 303)
