"""Read a submission's multipart form, after it is known who sends it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import Depends, Request
from starlette.datastructures import FormData, UploadFile

from grader.storage.people.keys import ApiKey
from grader.web.bounds import is_moment
from grader.web.deps import get_submitting_key
from grader.web.problems import InvalidFields

# FastAPI would read the body before it asks for the key; so the form is read by hand and described here.
FORM_SCHEMA: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file", "userId"],
                    "properties": {
                        "file": {"type": "string", "format": "binary", "description": "the .ipynb"},
                        "userId": {"type": "string", "maxLength": 255},
                        "submittedAt": {
                            "type": "string",
                            "format": "date-time",
                            "description": "RFC 3339; when it is missing, now",
                        },
                    },
                }
            }
        },
    }
}


@dataclass(frozen=True, slots=True)
class UploadForm:
    """What the form holds."""

    user: str
    filename: str
    data: bytes
    submitted_at: datetime | None


async def read_form(request: Request, _key: Annotated[ApiKey, Depends(get_submitting_key)]) -> UploadForm:
    """Read the form. Raises `InvalidFields` for what is missing or malformed."""
    async with request.form(max_files=1, max_fields=16, max_part_size=64 << 10) as form:
        wrong: list[tuple[str, str]] = []
        file = form.get("file")
        if not isinstance(file, UploadFile):
            wrong.append(("file", "missing: send the notebook as multipart/form-data with a file name."))
        user = _text(form, "userId")
        if not user:
            wrong.append(("userId", "missing: say whose notebook it is."))
        submitted_at = None
        if _text(form, "submittedAt"):
            submitted_at = _time(_text(form, "submittedAt"))
            if submitted_at is None:
                wrong.append(("submittedAt", "no RFC 3339 time with its zone, like 2026-01-31T12:00:00Z."))
        if wrong or not isinstance(file, UploadFile):
            raise InvalidFields(wrong)
        return UploadForm(user, file.filename or "", await file.read(), submitted_at)


def _text(form: FormData, name: str) -> str:
    value = form.get(name)
    return value.strip() if isinstance(value, str) else ""


def _time(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None and is_moment(moment) else None
