"""The seam: a jail is a function from frames in to a capped stream of frames out, then an exit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
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


@dataclass(frozen=True, slots=True)
class JailRequest:
    """Run ``python -m entry`` in a fresh jail, feed it ``frames``, read what it answers."""

    entry: str  # a module of this project: "grader.notebooks.inside.child"
    frames: tuple[Frame, ...]
    limits: Limits
    mounts: tuple[Mount, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    writable: tuple[str, ...] = ()  # more folders inside that may be written to, each of `Limits.tmp_bytes`


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


class Sandbox(Protocol):
    """Starts jails."""

    def start(self, request: JailRequest) -> Jail:
        """Start one jail; `SandboxUnavailable` where none can be started (our failure, not the student's)."""
        ...
