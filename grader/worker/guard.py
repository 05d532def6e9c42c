"""Stops what a thread does in a jail, from another thread."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from grader.errors import OurFailure
from grader.sandbox.jail import Jail


class Stopped(Exception):
    """Someone stopped this work: it is neither done nor failed."""


class JailGuard:
    """Knows the jails that one piece of work started; `stop` ends them, now and for good."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._jails: list[Jail] = []
        self._timer: threading.Timer | None = None  # of a deadline that has not begun
        self._stopped = threading.Event()

    def watch(self, jail: Jail) -> None:
        """Take charge of a jail that has just started."""
        with self._lock:
            self._jails.append(jail)
            timer, self._timer = self._timer, None
        if timer is not None:
            timer.start()
        if self._stopped.is_set():
            jail.kill()

    def stop(self) -> None:
        """Kill every jail, also those to come."""
        self._stopped.set()
        self._kill_all()

    @property
    def is_stopped(self) -> bool:
        """Whether `stop` was called."""
        return self._stopped.is_set()

    def check(self) -> None:
        """Raise `Stopped` after `stop`."""
        if self._stopped.is_set():
            raise Stopped

    def pause(self, seconds: float) -> None:
        """Wait, unless stopped meanwhile: then raise `Stopped` at once."""
        if self._stopped.wait(seconds):
            raise Stopped

    @contextmanager
    def deadline(self, seconds: float) -> Iterator[None]:
        """Kill the jails after so long and raise `OurFailure`: a jail should have ended itself before.

        It begins with the first jail: waiting for one is no jail's fault.
        """
        expired = threading.Event()

        def expire() -> None:
            expired.set()
            self._kill_all()

        timer = threading.Timer(seconds, expire)
        timer.daemon = True
        with self._lock:
            self._jails.clear()
            self._timer = timer
        try:
            yield
        except Exception:
            if not expired.is_set():
                raise
        finally:
            with self._lock:
                self._timer = None
            timer.cancel()
        if expired.is_set():
            raise OurFailure(f"a jail outlived its own deadline; it was killed after {seconds:.0f} s.")

    def _kill_all(self) -> None:
        with self._lock:
            jails = list(self._jails)
        for jail in jails:
            jail.kill()
