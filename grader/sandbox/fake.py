"""A sandbox without a jail, for tests of whoever uses one: it answers what it was told to answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from grader.sandbox.jail import ExitReason, Frame, JailExit, JailRequest

_COMPLETED = JailExit(ExitReason.COMPLETED, "exit status 0", 0.0)


class FakeSandbox:
    """Implements `grader.sandbox.jail.PreparingSandbox`: the n-th request gets the n-th script's answers."""

    def __init__(self, *scripts: Sequence[Frame], ends: JailExit = _COMPLETED) -> None:
        self.scripts = list(scripts)
        self.ends = ends
        self.requests: list[JailRequest] = []
        self.prepared: list[FakeJail] = []

    def start(self, request: JailRequest) -> FakeJail:
        """Note the request; ``IndexError`` where more jails are started than scripts were given."""
        jail = FakeJail(self, request)
        jail.begin(request)
        return jail

    def prepare(self, shape: JailRequest) -> FakeJail:
        """Note the jail; it is prepared at once."""
        self.prepared.append(FakeJail(self, shape))
        return self.prepared[-1]


class FakeJail:
    """Implements `grader.sandbox.jail.PreparedJail`."""

    def __init__(self, sandbox: FakeSandbox, shape: JailRequest) -> None:
        self._sandbox = sandbox
        self._script: list[Frame] = []
        self._ends = sandbox.ends
        self.shape = shape
        self.held_bytes = 0
        self.is_killed = False

    def await_prepared(self) -> bool:
        """Whether it has not been killed yet."""
        return not self.is_killed

    is_waiting = await_prepared

    def memory_bytes(self) -> int:
        """What the test says it holds."""
        return self.held_bytes

    def hurry(self) -> None:
        """There is nothing to hurry."""

    def begin(self, request: JailRequest) -> None:
        """Take the next script."""
        self._sandbox.requests.append(request)
        self._script = list(self._sandbox.scripts.pop(0))

    def frames(self) -> Iterator[Frame]:
        """Yield what is left of the script."""
        while self._script:
            yield self._script.pop(0)

    def exit(self) -> JailExit:
        """Return the exit it was told to have, or ``killed``."""
        return self._ends

    def kill(self) -> None:
        """Drop the rest of the script."""
        self.is_killed = True
        self._script, self._ends = [], JailExit(ExitReason.KILLED, "killed", 0.0)

    def __enter__(self) -> FakeJail:
        return self

    def __exit__(self, *_: object) -> None:
        self.is_killed = True
