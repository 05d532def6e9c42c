"""Every known cause why jails do not hold here, and the line to type: for errors and `doctor` alike."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from grader.sandbox.arguments import Environment
from grader.sandbox.machine import Machine, read_machine


@dataclass(frozen=True, slots=True)
class Cause:
    """What is in the way, and what to type against it."""

    what: str
    line: str
    signs: tuple[str, ...] = ()  # one of them stands in what bubblewrap and its launcher print

    def __str__(self) -> str:
        return f"{self.what} Type: {self.line}"


NO_BWRAP = Cause("bubblewrap is not installed.", "sudo apt-get install bubblewrap")
OLD_BWRAP = Cause(
    "This bubblewrap is too old; 0.8 or newer is needed: Debian 12, Ubuntu 24.04 and later have it.",
    "sudo apt-get update && sudo apt-get install bubblewrap",
    ("Unknown option",),
)
NO_TOOLS = Cause("unshare, setpriv or prlimit is not installed.", "sudo apt-get install util-linux")
NO_LIBSECCOMP = Cause("libseccomp cannot be loaded.", "sudo apt-get install libseccomp2")
APPARMOR = Cause(
    "This system restricts user namespaces (Ubuntu 23.10 and later do), and no AppArmor profile frees "
    "bubblewrap of it.",
    "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0 (for good: in /etc/sysctl.d), or free "
    "bubblewrap alone with the profile that docs/operations.md shows",
    ("setting up uid map: Permission denied", "RTM_NEWADDR", "apparmor"),
)
NO_NAMESPACES = Cause("This system forbids user namespaces.", "sudo sysctl -w user.max_user_namespaces=15000")
ROOT_NAMESPACES = Cause(
    "This system lets only root make user namespaces, and jails never run as root.",
    "sudo sysctl -w kernel.unprivileged_userns_clone=1",
)
SECCOMP = Cause(
    "A system call filter around this process refuses user namespaces: a container's default profile, or "
    "RestrictNamespaces= of a systemd unit.",
    "docker run --security-opt seccomp=docker/seccomp.json ..., as docker-compose.yml does; in a unit: "
    "RestrictNamespaces=no",
)
NAMESPACES = Cause(
    "This system forbids user namespaces.",
    f"{NO_NAMESPACES.line} kernel.unprivileged_userns_clone=1",
    ("No permissions to create", "Creating new namespace failed", "user namespaces"),
)
CONTAINER_APPARMOR = Cause(
    "An AppArmor profile around this process refuses to mount.",
    "docker run --security-opt apparmor=unconfined ...",
    ("Failed to make / slave", "pivot_root"),
)
COVERED_PROC = Cause(
    "This container hides parts of /proc, so that no fresh one can be mounted.",
    "docker run --security-opt systempaths=unconfined ...",
    ("mount proc on /newroot/proc",),
)
BARE_ROOT = Cause(
    "Root in this container may not prepare a jail. Run the worker as an ordinary user.",
    "docker run --user 10001 ...",
    ("unshare: unshare failed", "mount: ", "setpriv: "),
)
CONTAINER_LIMITS = "--memory 4608m --memory-swap 4608m --pids-limit 512"  # as docker-compose.yml has them
_GROUPS_OF_USER = "systemd-run --user --scope -p Delegate=yes"
_GROUPS_OF_ROOT = "systemd-run --scope -p Delegate=yes"
NO_CGROUP = Cause(
    "No control group for jails can be made here, so a notebook could use up the machine's memory.",
    f"{_GROUPS_OF_USER} COMMAND (on systemd, as an ordinary user) or {_GROUPS_OF_ROOT} COMMAND (as root). "
    "In a container that has limits of its own: GRADER_JAIL_LIMITS=container. "
    "For one class that you trust: grader --trusted-class COMMAND. `grader doctor` says more.",
    ("cgroup.procs",),
)

_PRINTED = (APPARMOR, NAMESPACES, COVERED_PROC, CONTAINER_APPARMOR, BARE_ROOT, NO_CGROUP, OLD_BWRAP)

WITHOUT_GROUPS = (
    "memory is limited for each process, not for a jail as a whole",
    "processes are counted per user id, not per jail",
    "inodes, page tables, shared memory and what fills /tmp are charged to nobody",
    "a jail is ended by its process namespace, not by its group",
)


def find_cause(printed: str, machine: Machine) -> Cause | None:
    """Find what is meant by what bubblewrap or its launcher printed; None where that is not known."""
    for cause in _PRINTED:
        if any(sign in printed for sign in cause.signs):
            return (namespace_cause(machine) or cause) if cause is NAMESPACES else cause
    return None


def namespace_cause(machine: Machine) -> Cause | None:
    """Say which of the ways to forbid user namespaces this machine shows; None where it shows none."""
    if machine.namespaces == 0:
        return NO_NAMESPACES
    if not machine.lets_anyone:
        return ROOT_NAMESPACES
    return SECCOMP if machine.seccomp else None


def group_cause(machine: Machine) -> Cause:
    """`NO_CGROUP` with the one line that mends it on this machine."""
    if machine.has_systemd:
        line = f"{_GROUPS_OF_ROOT if machine.uid == 0 else _GROUPS_OF_USER} grader serve"
    elif machine.container:
        line = (
            f"docker run {CONTAINER_LIMITS} -e GRADER_JAIL_LIMITS=container ... grader work "
            "(one jail at a time: the container's limits are the jail's)"
        )
    elif machine.uid != 0:
        line = "sudo grader serve"
    elif machine.groups_version:
        line = "mount -o remount,rw /sys/fs/cgroup"
    else:
        line = "mount -t cgroup2 cgroup2 /sys/fs/cgroup"
    return Cause(NO_CGROUP.what, line)


def explain_failure(printed: str, environment: Environment) -> str:
    """Name the cause and what to type; the program's own words come last."""
    said = printed.strip().replace("\n", " | ")[-500:] or "nothing"
    unreadable = find_unreadable(environment)
    if unreadable is not None and ("denied" in printed or not printed.strip()):
        return f"{unreadable} (It said: {said})"
    cause = find_cause(printed, read_machine())
    if cause is not None:
        return f"No jail could be started. {cause} (It said: {said})"
    return f"No jail could be started, for a cause that is not known yet. (It said: {said})"


def find_unreadable(environment: Environment) -> Cause | None:
    """Name the first file or folder that whoever runs a jail may not read, with the line that mends it."""
    if os.geteuid() != 0:
        if os.access(environment.python, os.X_OK):
            return None
        return Cause(
            f"This user may not run {environment.python}: it leads below a folder that is closed to others.",
            f"/usr/bin/python3 -m venv {environment.prefix}",
        )
    for mount in environment.mounts():
        root = mount.source
        samples = [root, *root.glob("*"), *root.glob("*/*.py"), *root.glob("lib/python3*/site-packages/*")]
        for path in samples:
            if path.exists() and not _all_may_read(path):
                return Cause(
                    f"Jails run as a user of their own, who may not read {path}.", f"chmod -R a+rX {root}"
                )
    return None


def _all_may_read(path: Path) -> bool:
    mode = path.stat().st_mode
    wanted = stat.S_IROTH | (stat.S_IXOTH if stat.S_ISDIR(mode) else 0)
    return mode & wanted == wanted
