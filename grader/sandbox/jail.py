"""The seam: a jail is a function from frames in to a capped stream of frames out, then an exit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self


@dataclass(frozen=True, slots=True)
class Frame:
    """One message across the border: a small JSON object and, at times, raw bytes."""

    header: Mapping[str, Any]
    payload: bytes = b""


@dataclass(frozen=True, slots=True)
class Mount:
    """A file or folder of the host that the jail may read, at ``target`` inside."""

    source: Path
    target: str


@dataclass(frozen=True, slots=True)
class Limits:
    """What a jail may use before it is ended. Sizes in bytes, times in seconds."""

    wall_seconds: float
    memory_bytes: int
    processes: int = 256
    frame_bytes: int = 64 << 20  # one frame out, header and payload
    total_bytes: int = 512 << 20  # all frames out
    frames: int = 20_000
    tmp_bytes: int = 256 << 20
    file_bytes: int = 256 << 20
    open_files: int = 1024


AHEAD_OF_NEED = "GRADER_AHEAD_OF_NEED"
_ANSWER_BYTES = 1 << 16  # what a jail may say while it prepares
PREPARED = "prepared"  # the kind of the frame by which an entry says that its ``opening`` is done with


@dataclass(frozen=True, slots=True)
class JailRequest:
    """Run ``python -m entry`` in a fresh jail, feed it ``opening`` and ``frames``, read what it answers.

    ``opening`` holds nothing of any student, so that a jail can be made and fed with it before it is
    needed. An entry that is given one answers it with one frame of the kind `PREPARED`, which the jail
    keeps to itself.
    """

    entry: str  # a module of this project: "grader.notebooks.inside.child"
    frames: tuple[Frame, ...]
    limits: Limits
    mounts: tuple[Mount, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    writable: tuple[str, ...] = ()  # more folders inside that may be written to, each of `Limits.tmp_bytes`
    opening: tuple[Frame, ...] = ()
    serves_ahead: bool = True  # False: what is done ahead of need would not serve it, so it starts without
    nests: bool = False  # the entry builds a jail within its own with `grader.sandbox.nested`, where it can

    def shape(self) -> JailRequest:
        """Leave out what is decided only when a jail is used: one made early serves any of its shape."""
        limits = replace(self.limits, frame_bytes=_ANSWER_BYTES, total_bytes=_ANSWER_BYTES, frames=1)
        return replace(self, frames=(), limits=limits, serves_ahead=True)


class ExitReason(StrEnum):
    """Why a jail ended."""

    COMPLETED = "completed"  # the entry module returned, exit status 0
    DIED = "died"  # it ended with another status or by a signal
    DEADLINE = "deadline"
    MEMORY_LIMIT = "memory_limit"
    OUTPUT_LIMIT = "output_limit"
    PROTOCOL_ERROR = "protocol_error"
    FORBIDDEN_CALL = "forbidden_call"
    KILLED = "killed"  # by us, through `Jail.kill`


@dataclass(frozen=True, slots=True)
class JailExit:
    """How a jail ended. ``detail`` is for engineers: exit status and the end of its stderr."""

    reason: ExitReason
    detail: str
    seconds: float
    peak_memory_bytes: int = 0  # 0 where it could not be measured
    oom_kills: int = (
        0  # processes inside that the kernel ended for want of memory; the entry may outlive them
    )


class Jail(Protocol):
    """One running jail. Use it as a context manager: leaving it leaves nothing of it behind."""

    def frames(self) -> Iterator[Frame]:
        """Yield each frame as it comes; ends when the jail has ended. Never raises for what the jail did."""
        ...

    def exit(self) -> JailExit:
        """How it ended. Only after `frames` is exhausted."""
        ...

    def kill(self) -> None:
        """End it now, from any thread. `frames` then ends and `exit` says ``killed``."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class PreparedJail(Jail, Protocol):
    """A jail that was made ahead of need and waits for its request."""

    def await_prepared(self) -> bool:
        """Wait until its entry is prepared; False where it ended instead. Once, before `begin`."""
        ...

    def is_waiting(self) -> bool:
        """Whether it still lives."""
        ...

    def memory_bytes(self) -> int:
        """What it holds now; 0 where that cannot be told."""
        ...

    def hurry(self) -> None:
        """Someone waits for it: from now on it has a whole share of the processor."""
        ...

    def begin(self, request: JailRequest) -> None:
        """Serve this request, of the shape that it was made for: time and budgets count from now."""
        ...


def begin_or_end(jail: PreparedJail, request: JailRequest) -> None:
    """Begin; where that fails, nobody else will end the jail."""
    try:
        jail.begin(request)
    except BaseException:
        jail.__exit__(None, None, None)
        raise


class Sandbox(Protocol):
    """Starts jails."""

    def start(self, request: JailRequest) -> Jail:
        """Start one jail; `SandboxUnavailable` where none can be started (our failure, not the student's)."""
        ...


class PreparingSandbox(Sandbox, Protocol):
    """Starts jails, also ahead of need."""

    def prepare(self, shape: JailRequest) -> PreparedJail:
        """Start a jail of this shape without a request; `SandboxUnavailable` as `start`.

        Its entry finds `AHEAD_OF_NEED` in its environment, and then also does early what only most
        requests need.
        """
        ...
