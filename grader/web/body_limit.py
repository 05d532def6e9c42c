"""Refuse a body that is too large while it is still coming, whatever its headers promise."""

from __future__ import annotations

import re

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from grader.domain.rubric import tell_size
from grader.web.problems import problem

_ROSTER = re.compile(r"(/api/v1)?/courses/[^/]+/(members|roster(/apply)?)")
_ENVELOPE_BYTES = 64 << 10  # of a multipart body around its file
_READ_AT_MOST = 20  # times the limit, of what a browser sends


class BodyLimit:
    """Middleware that counts the bytes of each request's body. A roster may have more than a notebook.

    The limits are those of the file, which is what people are told.
    """

    def __init__(self, app: ASGIApp, most_bytes: int, most_roster_bytes: int) -> None:
        self._app = app
        self._most_bytes = most_bytes
        self._most_roster_bytes = max(most_roster_bytes, most_bytes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, with a body that ends in a 413 where it grows too large."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_roster = _ROSTER.fullmatch(scope["path"]) is not None
        most_file_bytes = self._most_roster_bytes if is_roster else self._most_bytes
        mend = "Split the roster" if is_roster else "Clear the notebook's outputs"
        refusal = f"At most {tell_size(most_file_bytes)} are accepted. {mend} and try again."
        most_bytes = most_file_bytes + _ENVELOPE_BYTES
        headers = Headers(scope=scope)
        promised = headers.get("content-length", "")
        is_page = "text/html" in headers.get("accept", "") and not scope["path"].startswith("/api/")
        if not is_page and promised.isdecimal() and int(promised[:20]) > most_bytes:
            response = problem(413, "body-too-large", "The upload is too large", refusal)
            await response(scope, receive, send)
            return
        seen = 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > most_bytes:
                # A browser shows no answer before it has sent all: what is too much is read, not kept.
                while is_page and message.get("more_body") and seen <= _READ_AT_MOST * most_bytes:
                    message = await receive()
                    seen += len(message.get("body", b""))
                raise HTTPException(413, refusal)
            return message

        await self._app(scope, counted, send)
