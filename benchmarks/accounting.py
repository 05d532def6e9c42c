"""The CPU time of a program and all that it started, also of what was killed or ran in jails."""

from __future__ import annotations

import contextlib
import itertools
import os
import resource
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from grader.sandbox.cgroups import find_parents, own_groups

_JOIN = 'echo "$$" > "$1/cgroup.procs"; shift; exec "$@"'
_PATIENCE_SECONDS = 5.0
_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Account:
    """Where CPU time is counted: a control group, or, where none can be made, this process's children.

    Children count once they are waited for, so a process that outlives its parent is missed then.
    """

    group: Path | None
    leaf: Path | None  # where the program itself goes: version 2 keeps processes out of inner groups

    def command(self, command: Sequence[str]) -> list[str]:
        """The command that starts the program inside."""
        if self.leaf is None:
            return list(command)
        return ["/bin/sh", "-c", _JOIN, "sh", str(self.leaf), *command]

    def seconds(self) -> float:
        """User and system time so far."""
        return cpu_seconds(self.group)


def cpu_seconds(group: Path | None) -> float:
    """User and system time that ``group`` used so far; without one, this process's and its children's."""
    if group is None:
        used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        return sum(part.ru_utime + part.ru_stime for part in used)
    if (group / "cpuacct.usage").exists():
        return int((group / "cpuacct.usage").read_text()) / 1e9
    lines = (group / "cpu.stat").read_text().splitlines()
    return int(dict(line.split() for line in lines)["usage_usec"]) / 1e6


@contextlib.contextmanager
def open_account() -> Iterator[Account]:
    """Make a group for one program. What is left of it at the end is removed."""
    account = _make()
    try:
        yield account
    finally:
        for folder in dict.fromkeys((account.leaf, account.group)):
            if folder is not None:
                _remove(folder)


def how_counted() -> str:
    """One word for the table."""
    with open_account() as account:
        return "control group" if account.group else "getrusage"


def _make() -> Account:
    own = own_groups(Path("/proc/self/mountinfo").read_text(), Path("/proc/self/cgroup").read_text())
    name = f"grader-benchmark-{os.getpid()}-{next(_numbers)}"
    try:
        if "cpuacct" in own:
            group = own["cpuacct"] / name
            group.mkdir()
            return Account(group, group)
        if "memory" not in own and (parents := find_parents()):
            # Jails are made below or beside the program's own group; both lie in this one.
            group = parents[0] / name
            group.mkdir()
            (group / "cgroup.subtree_control").write_text("+memory +pids +cpu")
            (group / "program").mkdir()
            return Account(group, group / "program")
    except OSError:
        pass
    return Account(None, None)


def _remove(folder: Path) -> None:
    give_up = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < give_up:
        with contextlib.suppress(OSError):
            folder.rmdir()
            return
        time.sleep(0.01)  # the sandbox's watchdog ends a moment after its owner
