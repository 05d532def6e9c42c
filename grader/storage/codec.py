"""Domain values as JSON documents and back: strict, versioned."""

from __future__ import annotations

import json
from collections.abc import Hashable
from functools import cache
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from grader.errors import EvidenceMissing

T = TypeVar("T")

VERSION = 1


def dump(value: object) -> str:
    """Write a frozen dataclass as ``{"version", "type", "data"}``. Lone surrogates become ``?``."""
    kind = type(value)
    envelope = _envelope(kind).model_construct(version=VERSION, type=kind.__name__, data=value)
    try:
        return envelope.model_dump_json()
    except ValueError:
        # Words from notebooks may hold half a character, which no database takes.
        document = envelope.model_dump(mode="json")
        return json.dumps(document, ensure_ascii=False).encode("utf-8", "replace").decode()


def load(kind: type[T], document: str) -> T:
    """Read what `dump` wrote. Raises `EvidenceMissing` for any other version, type or shape."""
    try:
        envelope: Any = _envelope(kind).model_validate_json(document, strict=True)
        version, name = envelope.version, envelope.type
    except ValidationError as error:
        version, name = _told(document)
        if (version, name) in ((VERSION, kind.__name__), (None, None)):
            raise EvidenceMissing(f"a stored {kind.__name__} cannot be read: {error}") from None
    if (version, name) != (VERSION, kind.__name__):
        raise EvidenceMissing(
            f"a stored {kind.__name__} has version {version!r} and type {name!r}; this release reads "
            f"version {VERSION}: run the release that wrote it, or a newer one."
        )
    loaded: T = envelope.data
    return loaded


def _told(document: str) -> tuple[Any, Any]:
    """What a document that cannot be read says of itself."""
    try:
        envelope = json.loads(document)
        return envelope["version"], envelope["type"]
    except (ValueError, KeyError, TypeError):
        return None, None


def _envelope(kind: Any) -> type[BaseModel]:
    return _envelope_of(kind)


@cache
def _envelope_of(kind: Hashable) -> type[BaseModel]:
    # Read and written in one go: thousands of documents are, when a class is judged again.
    form: Any = kind
    fields: dict[str, Any] = {"version": (int, ...), "type": (str, ...), "data": (form, ...)}
    return create_model("Stored", __config__=ConfigDict(ser_json_inf_nan="constants"), **fields)
