"""A sandbox without a jail, for tests of whoever uses one: it answers what it was told to answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from grader.sandbox.jail import ExitReason, Frame, JailExit, JailRequest

_COMPLETED = JailExit(ExitReason.COMPLETED, "exit status 0", 0.0)


class FakeSandbox:
    """Implements `grader.sandbox.jail.Sandbox`: the n-th start answers the n-th script."""

    def __init__(self, *scripts: Sequence[Frame], ends: JailExit = _COMPLETED) -> None:
        self._scripts = list(scripts)
        self._ends = ends
        self.requests: list[JailRequest] = []

    def start(self, request: JailRequest) -> FakeJail:
        """Note the request; ``IndexError`` where more jails are started than scripts were given."""
        self.requests.append(request)
        return FakeJail(self._scripts.pop(0), self._ends)


class FakeJail:
    """Implements `grader.sandbox.jail.Jail`."""

    def __init__(self, script: Sequence[Frame], ends: JailExit) -> None:
        self._script = list(script)
        self._ends = ends

    def frames(self) -> Iterator[Frame]:
        """Yield what is left of the script."""
        while self._script:
            yield self._script.pop(0)

    def exit(self) -> JailExit:
        """Return the exit it was told to have, or ``killed``."""
        return self._ends

    def kill(self) -> None:
        """Drop the rest of the script."""
        self._script, self._ends = [], JailExit(ExitReason.KILLED, "killed", 0.0)

    def __enter__(self) -> FakeJail:
        return self

    def __exit__(self, *_: object) -> None: ...
