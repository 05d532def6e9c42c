"""Both ends of a jail's life that nobody waits for: what is fed to its stdin, what is kept of its stderr."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Sequence
from typing import IO, BinaryIO, cast

from grader.sandbox.frames import write_frame
from grader.sandbox.jail import Frame

_KEPT_BYTES = 64 << 10


class Feeder:
    """Writes frames to a jail in a thread of its own: a jail that does not read holds nobody up."""

    def __init__(self, stdin: IO[bytes]) -> None:
        self._stdin = stdin
        self._thread: threading.Thread | None = None

    def feed(self, frames: Sequence[Frame], *, is_all: bool) -> None:
        """Write these after what came before; ``is_all`` ends the stream behind them."""
        thread = threading.Thread(
            target=self._write, args=(self._thread, tuple(frames), is_all), name="jail-feeder", daemon=True
        )
        self._thread = thread
        thread.start()

    def close(self, patience_seconds: float) -> None:
        """End, once the jail has: nothing reads any more."""
        if self._thread is not None:
            self._thread.join(patience_seconds)
        with contextlib.suppress(OSError):  # what was still to be written to a dead jail
            self._stdin.close()

    def _write(self, earlier: threading.Thread | None, frames: tuple[Frame, ...], is_all: bool) -> None:
        if earlier is not None:
            earlier.join()
        # A jail that ends before it has read everything is no error of ours.
        with contextlib.suppress(OSError, ValueError):
            for frame in frames:
                write_frame(cast(BinaryIO, self._stdin), frame)
            if is_all:
                self._stdin.close()


class StderrTail:
    """Reads a jail's stderr to its end and keeps the last of it."""

    def __init__(self, stderr: IO[bytes]) -> None:
        self._stderr = stderr
        self._kept = b""
        self._thread = threading.Thread(target=self._read, name="jail-stderr", daemon=True)
        self._thread.start()

    def text(self) -> str:
        """What was kept so far."""
        return self._kept.decode("utf-8", "replace").strip()

    def close(self, patience_seconds: float) -> None:
        """Read what is left, once the jail has ended."""
        self._thread.join(patience_seconds)
        self._stderr.close()

    def _read(self) -> None:
        while part := os.read(self._stderr.fileno(), _KEPT_BYTES):
            self._kept = (self._kept + part)[-_KEPT_BYTES:]
