"""What bubblewrap says about the jail it runs: who is its first process, and how the command ended."""

from __future__ import annotations

import os
import re
import threading

_CHILD = re.compile(rb'"child-pid": *(\d+)')
_EXIT = re.compile(rb'"exit-code": *(\d+)')


class StatusPipe:
    """The reading end of ``--json-status-fd``. Only bubblewrap itself holds the other end."""

    def __init__(self, handle: int) -> None:
        os.set_blocking(handle, False)
        self._handle = handle
        self._lock = threading.Lock()
        self._said = b""
        self._open = True

    def first_process(self) -> int | None:
        """Return the process that holds the jail's pid namespace, by its id outside; None until then."""
        found = _CHILD.search(self._read())
        return int(found[1]) if found else None

    def exit_status(self) -> int | None:
        """Return the command's exit status (128 + signal); None where it never started or has not ended."""
        found = _EXIT.search(self._read())
        return int(found[1]) if found else None

    def close(self) -> None:
        """Read what is left, then close. What was said stays known."""
        self._read()
        with self._lock:
            if self._open:
                os.close(self._handle)
                self._open = False

    def _read(self) -> bytes:
        with self._lock:
            while self._open:
                try:
                    part = os.read(self._handle, 4096)
                except BlockingIOError:
                    break
                if not part:
                    break
                self._said += part
            return self._said
