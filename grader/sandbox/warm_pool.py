"""Jails made ahead of need: all is imported when a notebook comes. Each serves one request and ends."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

from grader.sandbox.jail import Jail, JailRequest, PreparedJail, PreparingSandbox, begin_or_end

_log = logging.getLogger(__name__)

_LOOK_SECONDS = 5.0
_PATIENCE_SECONDS = 30.0  # with a jail that is half made
_SHORTEST_PAUSE_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 60.0
_EXPECTED_BYTES = 400 << 20  # of a jail that is not there yet: a kernel with torch


@dataclass(frozen=True, slots=True)
class PoolLimits:
    """How much may wait."""

    jails: int  # of each entry module; 0: every jail is started when it is needed
    age_seconds: float  # an older one is replaced
    memory_bytes: int  # of all that wait together


@dataclass(slots=True, eq=False)
class _Waiting:
    shape: JailRequest
    born: float
    jail: PreparedJail | None = None
    ready: bool = False

    def is_fit(self, oldest: float) -> bool:
        return self.jail is not None and self.jail.is_waiting() and self.born >= oldest


class WarmPool:
    """Implements `grader.sandbox.jail.Sandbox` in front of another one. Safe to use from several threads.

    It keeps jails of the shapes that were asked for last, and of those that it was told to `expect`. A
    thread of its own makes them, so that no request waits for the next one's jail.
    """

    def __init__(
        self,
        sandbox: PreparingSandbox,
        limits: PoolLimits,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sandbox = sandbox
        self._limits = limits
        self._clock = clock
        self._changed = threading.Condition()
        self._shapes: list[JailRequest] = []  # newest first
        self._waiting: list[_Waiting] = []
        self._pause = 0.0
        self._closed = False
        self._thread = threading.Thread(target=self._keep_filled, name="warm-pool", daemon=True)

    def __enter__(self) -> Self:
        if self._limits.jails > 0:
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            for one in self._waiting:
                if one.jail is not None:
                    one.jail.kill()
        if self._thread.is_alive():
            self._thread.join()
        self._end(self._waiting)

    def expect(self, shapes: Sequence[JailRequest]) -> None:
        """Make jails of these shapes from now on; the first is the likeliest."""
        with self._changed:
            for shape in reversed(shapes):
                self._put_first(shape)
            self._changed.notify_all()

    def ready(self) -> int:
        """How many wait now."""
        with self._changed:
            return sum(one.ready for one in self._waiting)

    def start(self, request: JailRequest) -> Jail:
        """Give a jail that waited, or that is about to be ready; else start one. As `Sandbox.start`."""
        jail = self._take(request.shape()) if request.serves_ahead else None
        if jail is None:
            return self._sandbox.start(request)
        begin_or_end(jail, request)
        return jail

    def _take(self, shape: JailRequest) -> PreparedJail | None:
        give_up = self._clock() + _PATIENCE_SECONDS
        with self._changed:
            self._put_first(shape)
            self._changed.notify_all()
            while not self._closed and self._clock() < give_up:
                fitting = [one for one in self._waiting if one.shape == shape]
                ready = [one for one in fitting if one.ready and one.is_fit(oldest=0)]
                if ready:
                    self._waiting.remove(ready[0])
                    return ready[0].jail
                making = [one.jail for one in fitting if not one.ready]
                if not making:
                    return None
                for jail in filter(None, making):
                    jail.hurry()
                self._changed.wait(_LOOK_SECONDS)  # half of its work is done: sooner ready than a new one
            return None

    def _put_first(self, shape: JailRequest) -> None:
        if shape in self._shapes:
            self._shapes.remove(shape)
        self._shapes.insert(0, shape)

    def _keep_filled(self) -> None:
        while not self._closed:
            self._end(self._drop_unfit())
            with self._changed:
                missing = None if self._closed else self._find_missing()
                if missing is None:
                    self._changed.wait(_LOOK_SECONDS)
                    continue
                self._waiting.append(missing)
            self._fill(missing)

    def _drop_unfit(self) -> list[_Waiting]:
        """Take out what is dead, too old, or of a shape that nobody asks for any more."""
        with self._changed:
            oldest = self._clock() - self._limits.age_seconds
            wanted = self._wanted()
            unfit = [
                one for one in self._waiting if one.ready and not (one.is_fit(oldest) and one.shape in wanted)
            ]
            self._waiting = [one for one in self._waiting if one not in unfit]
            return unfit

    def _wanted(self) -> list[JailRequest]:
        """The shapes that may wait, as often as they may: the newest, one each, and more of the first."""
        wanted: list[JailRequest] = []
        for entry in dict.fromkeys(shape.entry for shape in self._shapes):
            shapes = [shape for shape in self._shapes if shape.entry == entry][: self._limits.jails]
            wanted += shapes + [shapes[0]] * (self._limits.jails - len(shapes))
        return wanted

    def _find_missing(self) -> _Waiting | None:
        there = [one.shape for one in self._waiting]
        held = [one.jail.memory_bytes() or _EXPECTED_BYTES for one in self._waiting if one.jail is not None]
        if sum(held) + max([_EXPECTED_BYTES, *held]) > self._limits.memory_bytes:
            return None
        for shape in self._wanted():
            if shape not in there:
                return _Waiting(shape, self._clock())
            there.remove(shape)
        return None

    def _fill(self, missing: _Waiting) -> None:
        made = self._prepare(missing)
        with self._changed:
            if made:
                missing.ready, self._pause = True, 0.0
                self._changed.notify_all()
                return
            self._waiting.remove(missing)
            self._changed.notify_all()
            self._pause = min(max(2 * self._pause, _SHORTEST_PAUSE_SECONDS), _LONGEST_PAUSE_SECONDS)
            self._changed.wait_for(lambda: self._closed, self._pause)

    def _prepare(self, missing: _Waiting) -> bool:
        try:
            jail = self._sandbox.prepare(missing.shape)
        except Exception as error:  # whatever it is, the next one may succeed, and requests are served cold
            _log.warning("no jail could be made ahead of need: %s", error)
            return False
        with self._changed:
            missing.jail = jail
            if self._closed:
                jail.kill()
            self._changed.notify_all()
        if jail.await_prepared():
            return True
        jail.__exit__(None, None, None)
        if not self._closed:
            why = jail.exit().detail
            _log.warning("a jail for %s ended while it was prepared: %s", missing.shape.entry, why)
        return False

    @staticmethod
    def _end(jails: Sequence[_Waiting]) -> None:
        for one in jails:
            if one.jail is not None:
                one.jail.__exit__(None, None, None)
