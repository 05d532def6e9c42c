"""What a module's class was made with, read from its own ``__init__`` as that calls ours. Testimony."""

from __future__ import annotations

import json
from types import FrameType
from typing import Any

_MOST_CHARACTERS = 1000
_MOST_FRAMES = 16  # of classes that inherit from each other
_VARIADIC = 0x04 | 0x08  # code flags of *args and **kwargs


def read_arguments(module: Any, frame: FrameType | None) -> str:
    """JSON of the outermost ``__init__``'s arguments; empty where one is no plain number, text or list."""
    try:
        made_by: FrameType | None = None
        for _ in range(_MOST_FRAMES):
            if frame is None or frame.f_code.co_name != "__init__":
                break
            if frame.f_locals.get(frame.f_code.co_varnames[0]) is module:
                made_by = frame
            frame = frame.f_back
        if made_by is None:
            return ""
        code = made_by.f_code
        if code.co_flags & _VARIADIC:
            return ""
        names = code.co_varnames[1 : code.co_argcount + code.co_kwonlyargcount]
        values = {name: made_by.f_locals[name] for name in names}
        if not all(_is_plain(value) for value in values.values()):
            return ""
        text = json.dumps(values, allow_nan=False)
    except Exception:
        return ""
    return text if len(text) <= _MOST_CHARACTERS else ""


def _is_plain(value: Any, depth: int = 0) -> bool:
    if type(value) is list or (type(value) is tuple and depth == 0):
        return len(value) <= 64 and all(_is_plain(one, depth + 1) for one in value)
    return value is None or type(value) in (bool, int, float, str)
