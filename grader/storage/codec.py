"""Domain values as JSON documents and back: strict, versioned."""

from __future__ import annotations

import json
from collections.abc import Hashable
from functools import cache
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from grader.errors import EvidenceMissing

T = TypeVar("T")

VERSION = 1


def dump(value: object) -> str:
    """Write a frozen dataclass as ``{"version", "type", "data"}``. Lone surrogates become ``?``."""
    data = _adapter(type(value)).dump_python(value, mode="json")
    document = {"version": VERSION, "type": type(value).__name__, "data": data}
    # Words from notebooks may hold half a character, which no database takes.
    return json.dumps(document, ensure_ascii=False).encode("utf-8", "replace").decode()


def load(kind: type[T], document: str) -> T:
    """Read what `dump` wrote. Raises `EvidenceMissing` for any other version, type or shape."""
    try:
        envelope = json.loads(document)
        if envelope["version"] != VERSION or envelope["type"] != kind.__name__:
            raise EvidenceMissing(
                f"a stored {kind.__name__} has version {envelope['version']!r} and type "
                f"{envelope['type']!r}; this release reads version {VERSION}: "
                "run the release that wrote it, or a newer one."
            )
        loaded: T = _adapter(kind).validate_json(json.dumps(envelope["data"]), strict=True)
    except (ValueError, KeyError, TypeError, ValidationError) as error:
        raise EvidenceMissing(f"a stored {kind.__name__} cannot be read: {error}") from None
    return loaded


def _adapter(kind: Any) -> TypeAdapter[Any]:
    return _adapter_of(kind)


@cache
def _adapter_of(kind: Hashable) -> TypeAdapter[Any]:
    form: Any = kind
    return TypeAdapter(form)
