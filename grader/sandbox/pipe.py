"""The reading end of a jail's stdout: it never waits past the deadline, however slowly bytes drip in."""

from __future__ import annotations

import io
import os
import select
import time
from collections.abc import Callable

_LOOK_AGAIN_SECONDS = 0.25


class OutOfTime(Exception):
    """The deadline passed before the bytes came."""


class DeadlinePipe(io.RawIOBase):
    """Reads whole blocks from a pipe or socket; `OutOfTime` at the deadline.

    ``ended`` says whether the jail's outermost process is gone: then a process that still holds the
    pipe open is a straggler, and what lies in the pipe is all that will be read. The handle stays
    its owner's to close.
    """

    def __init__(self, handle: int, deadline: Callable[[], float], ended: Callable[[], bool]) -> None:
        super().__init__()
        os.set_blocking(handle, False)
        self._handle = handle
        self._deadline = deadline
        self._ended = ended
        self.received = 0
        self.at_end = False

    def readable(self) -> bool:
        """A pipe's reading end is."""
        return True

    def read(self, size: int = -1, /) -> bytes:
        """Return exactly ``size`` bytes, or fewer at the end of the stream."""
        if size < 0:
            raise ValueError("say how many bytes to read")
        block = bytearray(size)
        filled = 0
        # One block of the wanted size, filled in place: a million one-byte pieces would cost far more.
        with memoryview(block) as view:
            while filled < size and not self.at_end:
                filled += self._receive(view[filled:])
        self.received += filled
        return bytes(block[:filled]) if filled < size else bytes(block)

    def _receive(self, into: memoryview) -> int:
        ended = self._ended()
        try:
            count = os.readv(self._handle, [into])
        except BlockingIOError:
            left = self._deadline() - time.monotonic()
            if ended:
                self.at_end = True
            elif left <= 0:
                raise OutOfTime from None
            else:
                self._wait(min(left, _LOOK_AGAIN_SECONDS))
            return 0
        self.at_end = count == 0
        return count

    def _wait(self, seconds: float) -> None:
        poll = select.poll()
        poll.register(self._handle, select.POLLIN | select.POLLHUP | select.POLLERR)
        poll.poll(max(1, int(seconds * 1000)))
