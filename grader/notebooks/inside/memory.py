"""In the kernel: let an exercise run out of memory with an exception, before the jail ends the kernel.

A soft limit on the process's own data. What fails then is one allocation: the cell stops with an error,
the models trained so far are kept, and the next exercise goes on. It is a courtesy and no wall: code may
lift it, and then meets the jail's own limit.
"""

from __future__ import annotations

import resource
from pathlib import Path
from typing import Any

ALLOWANCE = "allowance"  # a file of the harvest's folder: an exercise's key and bytes; the child writes it
_UNLIMITED = resource.RLIM_INFINITY


class MemoryAllowance:
    """What one exercise may take beyond what was there when its first cell began."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / ALLOWANCE
        self._began_with: dict[str, int] = {}
        self._hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
        self._set = resource.setrlimit  # as it is before a student can replace it

    def begin(self, *_: Any) -> None:
        """Before a cell: limit it as the child says. Never raises an `Exception`."""
        try:
            exercise, told = self._file.read_text(encoding="ascii").split()
            allowed = int(told)
        except (OSError, ValueError):
            return
        limit = self._began_with.setdefault(exercise, data_bytes()) + allowed
        self._limit(limit if self._hard == _UNLIMITED else min(limit, self._hard))

    def end(self) -> None:
        """After a cell: what comes now is ours, and must not fail for what a student left behind."""
        self._limit(self._hard)

    def _limit(self, soft: int) -> None:
        try:
            self._set(resource.RLIMIT_DATA, (soft, self._hard))
        except (OSError, ValueError):  # the hard limit was lowered by student code: theirs holds
            return


def data_bytes() -> int:
    """Private data of the calling process in bytes, as ``RLIMIT_DATA`` counts it."""
    try:
        for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmData:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError):  # a jail with hardly any /proc
        pass
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
