"""Every error as `application/problem+json` (RFC 9457) with a ``type`` that stays."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from grader import errors
from grader.assignments import RubricInvalid
from grader.storage.unit_of_work import Clash

_log = logging.getLogger(__name__)

# Most special first.
_PROBLEMS: tuple[tuple[type[Exception], int, str, str], ...] = (
    (errors.TooLarge, 422, "notebook-too-large", "The notebook is too large"),
    (errors.NotANotebook, 422, "not-a-notebook", "The file is no notebook"),
    (errors.UploadRefused, 422, "upload-refused", "The upload cannot be graded"),
    (RubricInvalid, 422, "rubric-invalid", "The rubric is wrong"),
    (errors.NotFound, 404, "not-found", "Not found"),
    (errors.NotAuthenticated, 401, "not-authenticated", "An API key is needed"),
    (errors.NotPermitted, 403, "not-permitted", "The API key does not allow this"),
    (errors.TooManyTries, 429, "too-many-tries", "Too many tries were wrong"),
    (errors.StillRunning, 409, "still-running", "The same request still runs"),
    (errors.NotOpen, 422, "not-open", "The assignment is not open"),
    (errors.AttemptsUsedUp, 422, "attempts-used-up", "No attempt is left"),
    (errors.Overtaken, 409, "overtaken", "Someone else was quicker"),
    (errors.Conflict, 422, "idempotency-key-reused", "The Idempotency-Key was used for another request"),
    (errors.RequestRefused, 422, "request-invalid", "The request cannot be understood"),
    (errors.StorageUnavailable, 503, "storage-unavailable", "The service cannot store anything now"),
    (Clash, 503, "storage-unavailable", "The service cannot store anything now"),
    (errors.GraderError, 503, "our-failure", "The service failed"),
)
_HEADERS: dict[int, dict[str, str]] = {
    401: {"WWW-Authenticate": "Bearer"},
    409: {"Retry-After": "2"},
    503: {"Retry-After": "10"},
}
_HTTP_PROBLEMS = {
    400: ("bad-request", "The request cannot be read"),
    404: ("not-found", "Not found"),
    405: ("method-not-allowed", "Method not allowed"),
    413: ("body-too-large", "The upload is too large"),
}
_OURS = "Nothing of this request was kept. It is our fault: please send it again in a while."


class InvalidFields(errors.RequestRefused):
    """Fields of the request are missing or wrong: pairs of name and message."""

    def __init__(self, fields: Sequence[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{name}: {message}" for name, message in fields))
        self.fields = fields


def problem(
    status: int, slug: str, title: str, detail: str, headers: Mapping[str, str] | None = None, **more: Any
) -> JSONResponse:
    """One problem document."""
    document = {"type": f"urn:grader:problem:{slug}", "title": title, "status": status, "detail": detail}
    return JSONResponse(
        {**document, **more},
        status,
        {**_HEADERS.get(status, {}), **(headers or {})},
        media_type="application/problem+json",
    )


def install_problems(app: FastAPI) -> None:
    """Let every error of the application end as a problem."""
    app.add_exception_handler(errors.GraderError, _known)
    app.add_exception_handler(Clash, _known)
    app.add_exception_handler(OSError, _disk)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(ClientDisconnect, _gone)
    app.add_exception_handler(Exception, _unknown)


def _known(_request: Request, error: Exception) -> JSONResponse:
    status, slug, title = next((p[1], p[2], p[3]) for p in _PROBLEMS if isinstance(error, p[0]))
    if status >= 500:
        _log.error("%s: %s", type(error).__name__, error, exc_info=error)
        return problem(status, slug, title, _OURS)
    if isinstance(error, RubricInvalid):
        wrong = [{"field": "rubric", "line": p.line, "message": p.message} for p in error.problems]
        return problem(status, slug, title, str(error), errors=wrong)
    if isinstance(error, errors.TooManyTries):
        return problem(status, slug, title, str(error), {"Retry-After": str(error.seconds)})
    if isinstance(error, InvalidFields):
        listed = [{"field": name, "message": message} for name, message in error.fields]
        return problem(status, slug, title, str(error), errors=listed)
    return problem(status, slug, title, str(error))


def _disk(request: Request, error: Exception) -> JSONResponse:
    return _known(request, errors.StorageUnavailable(str(error)))


def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    fields = [(".".join(map(str, e["loc"])), str(e["msg"])) for e in error.errors()]
    return _known(request, InvalidFields(fields))


def _http(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    fallback = (f"http-{error.status_code}", HTTPStatus(error.status_code).phrase)
    slug, title = _HTTP_PROBLEMS.get(error.status_code, fallback)
    return problem(error.status_code, slug, title, str(error.detail), error.headers)


def _gone(_request: Request, _error: Exception) -> JSONResponse:
    return problem(
        400, "upload-interrupted", "The upload was interrupted", "Nothing was kept; send it again."
    )


def _unknown(_request: Request, _error: Exception) -> JSONResponse:
    # The server logs the error itself: starlette raises it again after this answer.
    return problem(500, "our-failure", "The service failed", _OURS)
