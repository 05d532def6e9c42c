"""What a jail has as ``/proc``: a fresh one, or hardly any where the kernel lets none be mounted.

Container engines cover parts of ``/proc``, and the kernel mounts no fresh one for whoever sees it covered.
"""

from __future__ import annotations

import subprocess
from enum import StrEnum
from pathlib import Path

from grader.sandbox.launch import TOOLS_PATH

_TRIED_SECONDS = 20


class Proc(StrEnum):
    """How a jail's ``/proc`` comes about."""

    FRESH = "fresh"  # of the jail's own processes; a jail within the jail, or none, needs it
    BARE = "bare"  # two files that libraries read: without cpuinfo, "Error in cpuinfo" is a cell's output

    def arguments(self) -> list[str]:
        """Return bubblewrap's arguments that make it."""
        if self is Proc.FRESH:
            return ["--proc", "/proc"]
        return ["--dir", "/proc", *_shown("/proc/cpuinfo"), *_shown("/proc/meminfo")]

    def forbid_namespaces(self) -> list[str]:
        """Return the arguments that forbid namespaces inside; the system call filter does so too."""
        # It is a file below the outer /proc/sys that says so, which is read-only where /proc is covered.
        return ["--disable-userns"] if self is Proc.FRESH else []


def _shown(path: str) -> list[str]:
    return ["--ro-bind", path, path]


def find_proc(bwrap: Path) -> Proc:
    """Find what can be had here, by one trial or two of about 10 ms.

    Bare only where that works and fresh does not: whatever else is wrong is for the first jail to say.
    """
    return Proc.BARE if not _works(bwrap, Proc.FRESH) and _works(bwrap, Proc.BARE) else Proc.FRESH


def _works(bwrap: Path, proc: Proc) -> bool:
    namespaces = ["--unshare-user", "--unshare-pid", "--cap-drop", "ALL", *proc.forbid_namespaces()]
    # Not the whole root: what is mounted on the host's /proc would be bound over the one that is tried.
    system = ["--ro-bind", "/usr", "/usr"]
    for name in ("bin", "lib", "lib64"):
        system += ["--ro-bind-try", f"/{name}", f"/{name}"]
    command = [str(bwrap), *namespaces, *system, *proc.arguments(), "--", "/usr/bin/true"]
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            cwd="/",
            env={"PATH": TOOLS_PATH},
            timeout=_TRIED_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
