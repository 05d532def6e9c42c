"""A container that holds one jail at a time: its own limits stand in for a control group per jail."""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from grader.errors import SandboxUnavailable, SetupIncomplete
from grader.sandbox.cgroups import Cgroup, find_own
from grader.sandbox.diagnosis import CONTAINER_LIMITS
from grader.sandbox.jail import Limits

_UNLIMITED = 1 << 60  # version 1 writes "none" as the largest number of pages
_PATIENCE_SECONDS = 3600.0  # longer than a rubric lets a notebook run
_POLL_SECONDS = 0.05
_OUR_PROCESSES = 64  # the worker's threads, and the jails that wait


class JailLimits(StrEnum):
    """What limits a jail's memory and processes as a whole."""

    CGROUP = "cgroup"  # a control group for each
    CONTAINER = "container"  # the container that this process runs in; jails take turns in it


@dataclass(frozen=True, slots=True)
class Usage:
    """What the container counts from here on: what one jail did, as there is no other."""

    group: Cgroup
    kills_before: int
    peak_before: int

    def out_of_memory_kills(self) -> int:
        """How many processes the kernel ended for want of memory."""
        return self.group.out_of_memory_kills() - self.kills_before

    def peak_memory_bytes(self) -> int:
        """The most that the container used, this process with it; 0 where an earlier jail used more."""
        peak = self.group.peak_memory_bytes()
        return peak if peak > self.peak_before else 0


@dataclass(frozen=True, slots=True)
class Container:
    """The control group that this process itself is in. Its limits are set from outside."""

    group: Cgroup
    memory_bytes: int
    processes: int

    def take_turn(self, patience_seconds: float = _PATIENCE_SECONDS) -> int:
        """Wait until no other jail runs here, of whatever process; closing the descriptor ends the turn.

        `SandboxUnavailable` where that takes too long.
        """
        # The lock is on the group itself: who shares the limits shares the lock, and nobody else.
        handle = os.open(self.group.folders[0], os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        give_up = time.monotonic() + patience_seconds
        while True:
            with suppress(BlockingIOError):
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return handle
            if time.monotonic() >= give_up:
                os.close(handle)
                raise SandboxUnavailable(
                    "Another jail runs in this container, which holds one at a time, and does not end. "
                    "Run one worker in each container: docker compose up --scale worker=2"
                )
            time.sleep(_POLL_SECONDS)

    def require_room(self, limits: Limits) -> None:
        """Raise `SandboxUnavailable` where a jail may use more than the whole container has."""
        for asked, has, option in (
            (limits.memory_bytes, self.memory_bytes, "mem_limit and memswap_limit"),
            (limits.processes + _OUR_PROCESSES, self.processes, "pids_limit"),
        ):
            if asked > has:
                raise SandboxUnavailable(
                    f"A jail may use {asked} where its container has {has}. Set {option} of the worker in "
                    f"docker-compose.yml to more than {asked}, then type: docker compose up -d"
                )

    def count(self) -> Usage:
        """Begin to count."""
        return Usage(self.group, self.group.out_of_memory_kills(), self.group.peak_memory_bytes())


def find_container() -> Container:
    """Find the limits that this process runs under; `SetupIncomplete` where one of them is missing."""
    return read_container(find_own())


def read_container(folders: tuple[Path, ...]) -> Container:
    """Read the limits of the control groups in ``folders``; `SetupIncomplete` as `find_container`."""
    memory = _read_limit(folders, "memory.max", "memory.limit_in_bytes")
    processes = _read_limit(folders, "pids.max")
    if memory is None or processes is None:
        missing = [name for name, found in (("memory", memory), ("processes", processes)) if found is None]
        raise SetupIncomplete(
            f"GRADER_JAIL_LIMITS=container, but nothing limits the {' and the '.join(missing)} of this "
            f"process. Type: docker run {CONTAINER_LIMITS} ..., as docker-compose.yml does. Without a "
            "container, leave that setting out."
        )
    return Container(Cgroup(folders), memory, processes)


def _read_limit(folders: tuple[Path, ...], *names: str) -> int | None:
    for folder in folders:
        for name in names:
            with suppress(OSError, ValueError):  # "max" is no number
                limit = int((folder / name).read_text(encoding="ascii"))
                if limit < _UNLIMITED:
                    return limit
    return None
