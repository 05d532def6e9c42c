"""Take the model files that the kernel left. It is not trusted: no link, pipe or giant is read."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

_MOST_NAMES = 1000


def collect_models(folder: Path, limit_bytes: int) -> Iterator[bytes]:
    """Yield and delete each finished model file of at most ``limit_bytes``, in the order of their names."""
    try:
        with os.scandir(folder) as entries:
            found = islice(entries, _MOST_NAMES)
            names = sorted(entry.name for entry in found if entry.name.endswith(".safetensors"))
    except OSError:
        return
    for name in names:
        data = read_regular_file(folder / name, limit_bytes)
        try:
            (folder / name).unlink()
        except OSError:
            continue  # unread it would come again after every cell
        if data:
            yield data


def read_regular_file(path: Path, limit_bytes: int) -> bytes | None:
    """The whole file; None where it is missing, no regular file, a link, or larger than the limit."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    about = os.fstat(handle)
    if not stat.S_ISREG(about.st_mode) or about.st_size > limit_bytes:
        os.close(handle)
        return None
    with os.fdopen(handle, "rb") as file:
        data = file.read(limit_bytes + 1)
    return data if len(data) <= limit_bytes else None
