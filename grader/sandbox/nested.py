"""A jail within the jail, for student code: an entry of ours keeps beside it a process that it cannot name.

What runs in the inner one has process ids, users, a network, and temporary folders of its own. It can
neither see nor signal nor trace the entry that started it and that speaks for it on the wire.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from grader.sandbox.proc import Proc

JAIL_UID = 1000
HOME = "/home/student"
TEMPORARY = "/tmp"  # noqa: S108 - inside the jail
SHARED_MEMORY = "/dev/shm"  # noqa: S108 - inside the jail
INNER_BWRAP = "/opt/grader/bwrap"
INNER_FILTER = "/opt/grader/system-calls.bpf"

# When memory runs out let it be what runs in here, not the one that still has the results to hand over. The
# inner /proc is read-only, so that nothing in there can change its mind.
_OFFER = '{ echo 800 > /proc/self/oom_score_adj; } 2>/dev/null || :; exec "$@"'


def build_inner(
    command: Sequence[str], *, shared: Sequence[str], writable: Sequence[str], tmp_bytes: int, seccomp: int
) -> list[str]:
    """Build the command that runs ``command`` in an inner jail; only from an entry whose request ``nests``.

    ``shared`` are folders of this jail that both may write to; ``writable`` are more folders of the
    inner one, of ``tmp_bytes`` each like its home. ``seccomp`` is a descriptor of `open_filter`.
    """
    arguments = [
        *("--unshare-user", "--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-cgroup-try"),
        *("--die-with-parent", "--new-session", "--cap-drop", "ALL"),
        *("--uid", str(JAIL_UID), "--gid", str(JAIL_UID), "--ro-bind", "/", "/"),
        *("--dev", "/dev", *tmpfs(SHARED_MEMORY, tmp_bytes), "--remount-ro", "/dev"),
    ]
    if Path("/proc/self").exists():  # else there is hardly any, and the inner one has the same
        fresh = Proc.FRESH
        arguments += [*fresh.forbid_namespaces(), *fresh.arguments(), "--remount-ro", "/proc"]
    for target in (TEMPORARY, HOME, *writable):
        arguments += tmpfs(target, tmp_bytes)
    for folder in shared:
        arguments += ["--bind", folder, folder]
    arguments += ["--chdir", HOME, "--seccomp", str(seccomp)]
    return ["/bin/sh", "-c", _OFFER, "sh", INNER_BWRAP, *arguments, "--", *command]


def open_filter() -> int:
    """Open the system call filter for the inner jail; the descriptor can be handed on."""
    return os.open(Path(INNER_FILTER), os.O_RDONLY)


def tmpfs(target: str, size: int) -> list[str]:
    """The arguments for an empty folder in memory, of at most ``size`` bytes."""
    return ["--size", str(size), "--perms", "1777", "--tmpfs", target]
