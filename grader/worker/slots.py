"""Which worker this is. A worker that is started again is the one that died, and resumes its job at once."""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from grader.errors import SetupIncomplete, StorageUnavailable

_MOST_WORKERS = 1024


@contextmanager
def hold_slot(home: Path) -> Iterator[str]:
    """Hold the lowest free slot of this machine and yield the worker's id, unique among live processes.

    The lock ends with the process, however it ends. Raises `StorageUnavailable` where ``home``
    cannot be written, `SetupIncomplete` where every slot is taken.
    """
    try:
        folder = home / "workers"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        machine = _name_machine(home / "machine")
        number, lock = _take_slot(folder)
    except OSError as error:
        raise StorageUnavailable(f"{home} cannot be used ({error.strerror}): mend its permissions.") from None
    try:
        yield f"{machine}-slot-{number}"
    finally:
        os.close(lock)


def _take_slot(folder: Path) -> tuple[int, int]:
    for number in range(_MOST_WORKERS):
        lock = os.open(folder / f"slot-{number}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            continue
        return number, lock
    raise SetupIncomplete(f"{_MOST_WORKERS} workers run already on {folder}: set GRADER_WORKERS lower.")


def _name_machine(file: Path) -> str:
    """A random name that stays; two machines may bear the same host name."""
    if not file.exists():
        drawn = file.with_name(f"{file.name}-{secrets.token_hex(8)}")
        drawn.write_text(secrets.token_hex(6))
        try:
            os.link(drawn, file)  # the first of several processes wins, and the file is whole
        except FileExistsError:
            pass
        finally:
            drawn.unlink()
    return file.read_text().strip()
