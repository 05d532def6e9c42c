"""From what bubblewrap printed to the cause and the line to type."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from grader.sandbox.arguments import Environment

NO_BWRAP = "bubblewrap is not installed. Type: sudo apt-get install bubblewrap"
NO_CGROUP = (
    "No control group for jails can be made here, so a notebook could use up the machine's memory. "
    "On systemd, as an ordinary user, type: systemd-run --user --scope -p Delegate=yes COMMAND; "
    "as root: systemd-run --scope -p Delegate=yes COMMAND. "
    "In a container that has limits of its own, set GRADER_JAIL_LIMITS=container instead; "
    "for one class that you trust, GRADER_TRUSTED_CLASS=true."
)

_CAUSES = (
    (
        ("setting up uid map: Permission denied", "RTM_NEWADDR", "apparmor"),
        "This system restricts user namespaces. Type: "
        "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0 "
        "(for good: in /etc/sysctl.d), or install its profile for bwrap from apparmor-profiles.",
    ),
    (
        ("No permissions to create", "Creating new namespace failed", "user namespaces"),
        "This system forbids user namespaces. Type: sudo sysctl -w user.max_user_namespaces=15000 "
        "kernel.unprivileged_userns_clone=1",
    ),
    (
        ("mount proc on /newroot/proc",),
        "This container hides parts of /proc, so that no fresh one can be mounted. "
        "Start it with --security-opt systempaths=unconfined.",
    ),
    (
        ("Failed to make / slave", "pivot_root"),
        "This container forbids mounts. Start it with --security-opt seccomp=docker/seccomp.json and "
        "--security-opt apparmor=unconfined, as docker-compose.yml does.",
    ),
    (
        ("unshare: unshare failed", "mount: ", "setpriv: "),
        "Root in this container may not prepare a jail. Run the worker as an ordinary user.",
    ),
    (
        ("cgroup.procs",),
        NO_CGROUP,
    ),
    (
        ("Unknown option",),
        "This bubblewrap is too old; 0.8 or newer is needed. Type: sudo apt-get install bubblewrap",
    ),
)


def explain_failure(printed: str, environment: Environment) -> str:
    """Name the cause and what to type; the program's own words come last."""
    said = printed.strip().replace("\n", " | ")[-500:] or "nothing"
    unreadable = find_unreadable(environment)
    if unreadable is not None and ("denied" in printed or not printed.strip()):
        return f"{unreadable} (It said: {said})"
    for signs, advice in _CAUSES:
        if any(sign in printed for sign in signs):
            return f"No jail could be started. {advice} (It said: {said})"
    return f"No jail could be started, for a cause that is not known yet. (It said: {said})"


def find_unreadable(environment: Environment) -> str | None:
    """Name the first file or folder that a service uid may not read, with the line that mends it."""
    if os.geteuid() != 0:
        return None
    for mount in environment.mounts():
        root = mount.source
        samples = [root, *root.glob("*"), *root.glob("*/*.py"), *root.glob("lib/python3*/site-packages/*")]
        for path in samples:
            if path.exists() and not _all_may_read(path):
                return (
                    f"Jails run as a user of their own, who may not read {path}. Type: chmod -R a+rX {root}"
                )
    return None


def _all_may_read(path: Path) -> bool:
    mode = path.stat().st_mode
    wanted = stat.S_IROTH | (stat.S_IXOTH if stat.S_ISDIR(mode) else 0)
    return mode & wanted == wanted
