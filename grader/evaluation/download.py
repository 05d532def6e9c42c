"""Get one known file over HTTP: from several mirrors, resumed where it broke off, checked in the end."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from grader.errors import SetupIncomplete

_PIECE = 1 << 16
_SECONDS = 30.0  # of silence, before a connection is given up
_PAUSES = (0.5, 2.0, 5.0)  # before the next try of a mirror that failed without giving one more byte
_COME_BACK = frozenset({408, 425, 429, 500, 502, 503, 504})  # statuses that may pass
_RANGE = re.compile(r"bytes (\d+)-")

Progress = Callable[[str, int, int], None]  # the file's name, bytes so far, bytes in all


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """What is to be had, and how it is known when it is there."""

    name: str
    size: int  # bytes
    sha256: str


class _Unusable(Exception):
    """Trying this mirror again is of no use: it has not got the file."""


def download(
    file: RemoteFile,
    folder: Path,
    mirrors: Sequence[str],
    *,
    progress: Progress,
    pause: Callable[[float], None] = time.sleep,
) -> Path:
    """Return ``folder/<name>``, whole and checked; what is there already is kept.

    ``mirrors`` are addresses that end with a slash, asked in order. Bytes that came wait in
    ``<name>.part``, also for a later call. Raises `SetupIncomplete` naming what each mirror did.
    """
    path, part = folder / file.name, folder / f"{file.name}.part"
    if _is_whole(path, file):
        return path
    failures: list[str] = []
    for mirror in mirrors:
        try:
            _fetch(mirror + file.name, part, file, progress, pause)
            part.replace(path)
            return path
        except (_Unusable, OSError, HTTPException, ValueError) as error:
            failures.append(f"{mirror}: {error or type(error).__name__}")
    raise SetupIncomplete(f"{file.name} could not be downloaded ({'; '.join(failures)})")


def _fetch(
    url: str, part: Path, file: RemoteFile, progress: Progress, pause: Callable[[float], None]
) -> None:
    """Have one mirror complete ``part``; what is wrong of another's bytes is fetched anew once."""
    fruitless = 0
    while True:
        began_with = _size(part)
        try:
            if began_with < file.size:
                _read_on(url, part, file, progress)
            if _is_whole(part, file):
                return
            complete = _size(part) >= file.size
            if complete:
                part.unlink(missing_ok=True)
                if began_with == 0:
                    raise _Unusable("its file has another checksum")
                continue  # some of it came from elsewhere
            reason: Exception = OSError(f"the connection ended after {_size(part)} of {file.size} bytes")
        except HTTPError as error:
            if error.code not in _COME_BACK:
                raise _Unusable(f"status {error.code}") from None
            reason = error
        except (OSError, HTTPException) as error:
            reason = error
        fruitless = 0 if _size(part) > began_with else fruitless + 1
        if fruitless > len(_PAUSES):
            raise reason
        pause(_PAUSES[max(fruitless, 1) - 1])


def _read_on(url: str, part: Path, file: RemoteFile, progress: Progress) -> None:
    """Append what is missing; begin anew where the server does not go on from there."""
    have = _size(part)
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    try:
        answer = urlopen(Request(url, headers=headers), timeout=_SECONDS)  # noqa: S310  the admin's mirrors
    except HTTPError as error:
        if error.code != 416 or not have:
            raise
        part.unlink()  # it knows a shorter file than we have of it
        return
    with answer:
        resumed = answer.status == 206
        found = _RANGE.match(answer.headers.get("Content-Range") or "")
        if resumed and (found is None or int(found[1]) != have):
            part.unlink(missing_ok=True)
            raise OSError("it answered with another range than was asked for")
        length = answer.headers.get("Content-Length")
        if length is not None and int(length) != file.size - (have if resumed else 0):
            part.unlink(missing_ok=True)
            raise _Unusable(f"it has another file of that name, of {length} bytes")
        with part.open("ab" if resumed else "wb") as target:
            while piece := answer.read(_PIECE):
                target.write(piece)
                if target.tell() > file.size:
                    raise _Unusable(f"its file is longer than {file.size} bytes")
                progress(file.name, target.tell(), file.size)


def _is_whole(path: Path, file: RemoteFile) -> bool:
    if _size(path) != file.size:
        return False
    return hashlib.sha256(path.read_bytes()).hexdigest() == file.sha256


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
