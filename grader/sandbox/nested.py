"""A jail within the jail, for student code: an entry of ours keeps beside it a process that it cannot name.

What runs in the inner one has process ids, users, a network, and temporary folders of its own. It can
neither see nor signal nor trace the entry that started it and that speaks for it on the wire.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass

from grader.sandbox.proc import Proc

JAIL_UID = 1000
HOME = "/home/student"
TEMPORARY = "/tmp"  # noqa: S108 - inside the jail
SHARED_MEMORY = "/dev/shm"  # noqa: S108 - inside the jail
# Terminals are the machine's, and few: whoever takes all of them leaves none to the others.
DEVICES = ("--dev", "/dev", "--size", "4096", "--tmpfs", "/dev/pts", "--remount-ro", "/dev/pts")
INNER_BWRAP = "/opt/grader/bwrap"
# Tells an entry that it may (bubblewrap cannot where there is hardly any /proc), and which mounts lie below
# folders that the inner jail has for itself, as a JSON list.
MAY_NEST = "GRADER_MAY_NEST"
INNER_FILTER = "/opt/grader/system-calls.bpf"

# When memory runs out let it rather be what runs in here than the one that still has the results to hand
# over. The inner /proc is read-only, so that nothing in there can change that.
_OFFER = '{ echo 800 > /proc/self/oom_score_adj; } 2>/dev/null || :; exec "$@"'
_OFFERED = ("/bin/sh", "-c", _OFFER, "sh")


@dataclass(frozen=True, slots=True)
class Inner:
    """What an inner jail has that is not read-only."""

    shared: tuple[str, ...]  # folders of the outer jail that both may write to
    writable: tuple[str, ...]  # folders of its own, beside its home and the temporary ones
    tmp_bytes: int  # each of its own folders


def build_inner(command: Sequence[str], inner: Inner) -> tuple[list[str], tuple[int, ...]]:
    """Return what runs ``command`` in an inner jail, and the descriptors that it is to be handed.

    Where this jail may not nest, it runs beside the entry and under the same filter: student code can then
    end its own reporter.
    """
    if MAY_NEST not in os.environ:
        return [*_OFFERED, *command], ()
    seccomp = os.open(INNER_FILTER, os.O_RDONLY)
    arguments = [
        *("--unshare-user", "--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-cgroup-try"),
        *("--die-with-parent", "--new-session", "--cap-drop", "ALL"),
        *("--uid", str(JAIL_UID), "--gid", str(JAIL_UID), "--ro-bind", "/", "/"),
        *(*DEVICES, *tmpfs(SHARED_MEMORY, inner.tmp_bytes), "--remount-ro", "/dev"),
    ]
    arguments += [*Proc.FRESH.forbid_namespaces(), *Proc.FRESH.arguments(), "--remount-ro", "/proc"]
    for target in (TEMPORARY, HOME, *inner.writable):
        arguments += tmpfs(target, inner.tmp_bytes)
    for target in json.loads(os.environ[MAY_NEST]):
        arguments += ["--ro-bind", target, target]
    for folder in inner.shared:
        arguments += ["--bind", folder, folder]
    arguments += ["--chdir", HOME, "--seccomp", str(seccomp)]
    return [*_OFFERED, INNER_BWRAP, *arguments, "--", *command], (seccomp,)


def tmpfs(target: str, size: int) -> list[str]:
    """The arguments for an empty folder in memory, of at most ``size`` bytes."""
    return ["--size", str(size), "--perms", "1777", "--tmpfs", target]
