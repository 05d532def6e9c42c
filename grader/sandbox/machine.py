"""What the kernel's own files tell of a machine: whether jails can be built here, and what is in the way."""

from __future__ import annotations

import contextlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

from grader.sandbox.cgroups import own_groups

_SYS_ADMIN, _SETUID = 21, 7
# Folders of /proc that are always empty: what is mounted there hides nothing.
_EMPTY_IN_PROC = ("/proc/sys/fs/binfmt_misc", "/proc/fs/nfsd", "/proc/fs/nfs")
_CONTAINER_SIGNS = ("docker", "kubepods", "containerd", "libpod", "lxc")
_PROFILE_OF_BWRAP = re.compile(r"^\s*profile\b.*\bbwrap\b|^bwrap\b", re.MULTILINE)
_NO_LIMIT_BYTES = 1 << 60  # version 1 writes "none" as a number near the largest


@dataclass(frozen=True, slots=True)
class Machine:
    """Read from files alone; None where this kernel has no such file."""

    uid: int
    capabilities: int  # effective, as the kernel's mask
    seccomp: int  # 0: none, 2: a filter
    container: str  # "Docker", "a container"; empty outside
    has_systemd: bool
    namespaces: int | None  # how many user namespaces it allows
    lets_anyone: bool  # whether others than root may make them
    has_apparmor: bool
    restricts_anyone: bool  # Ubuntu: namespaces of unconfined programs are worth nothing
    bwrap_profile: str  # the AppArmor profile that frees bubblewrap of it; empty: none
    covered: tuple[str, ...]  # what hides parts of /proc, so that the kernel allows no fresh one
    groups_version: int  # of control groups; 0: none
    available_bytes: int | None  # memory, also within the limit of our own group
    swap_bytes: int

    @property
    def root_may_prepare(self) -> bool:
        """Whether root here has what it takes to stage a jail and to leave it to another user."""
        return all(self.capabilities >> bit & 1 for bit in (_SYS_ADMIN, _SETUID))


def read_machine(root: Path = Path("/"), uid: int | None = None) -> Machine:
    """Look below ``root``. Never raises: what cannot be read counts as missing."""
    status = dict(re.findall(r"^(\w+):\s*(\S+)", _read(root, "proc/self/status"), re.MULTILINE))
    mounts = _read(root, "proc/self/mountinfo")
    groups = own_groups(mounts, _read(root, "proc/self/cgroup"))
    kernel = "proc/sys/kernel"
    return Machine(
        uid=os.geteuid() if uid is None else uid,
        capabilities=int(status.get("CapEff", "0"), 16),
        seccomp=int(status.get("Seccomp", "0")),
        container=_name_container(root),
        has_systemd=(root / "run/systemd/system").is_dir(),
        namespaces=_number(_read(root, "proc/sys/user/max_user_namespaces")),
        lets_anyone=_number(_read(root, f"{kernel}/unprivileged_userns_clone")) != 0,
        has_apparmor=_read(root, "sys/module/apparmor/parameters/enabled").strip() == "Y",
        restricts_anyone=_number(_read(root, f"{kernel}/apparmor_restrict_unprivileged_userns")) == 1,
        bwrap_profile=_find_profile(root),
        covered=_find_covers(mounts),
        groups_version=1 if {"memory", "pids"} <= set(groups) else 2 if "" in groups else 0,
        available_bytes=_available_memory(root, groups),
        swap_bytes=sum(int(size) << 10 for size in re.findall(r"\s(\d+)\s+\d+\s+-?\d+$", _swaps(root), re.M)),
    )


def _read(root: Path, name: str) -> str:
    with contextlib.suppress(OSError):
        return (root / name).read_text(encoding="utf-8", errors="replace")
    return ""


def _number(text: str) -> int | None:
    return int(text) if text.strip().isdigit() else None


def _name_container(root: Path) -> str:
    if (root / ".dockerenv").exists():
        return "Docker"
    if (root / "run/.containerenv").exists():
        return "Podman"
    signs = _read(root, "proc/1/cgroup") + _read(root, "run/systemd/container")
    return "a container" if any(sign in signs for sign in _CONTAINER_SIGNS) else ""


def _find_profile(root: Path) -> str:
    loaded = root / "sys/kernel/security/apparmor/profiles"  # for root only
    folder = root / "etc/apparmor.d"
    for place in (loaded, *(sorted(folder.iterdir()) if folder.is_dir() else ())):
        if place.is_file() and _PROFILE_OF_BWRAP.search(_read(place.parent, place.name)):
            return f"/{place.relative_to(root)}"
    return ""


def _find_covers(mounts: str) -> tuple[str, ...]:
    points = [line.split()[4] for line in mounts.splitlines() if len(line.split()) > 4]
    inside = (point for point in points if point.startswith("/proc/"))
    return tuple(dict.fromkeys(point for point in inside if point not in _EMPTY_IN_PROC))


def _available_memory(root: Path, groups: dict[str, Path]) -> int | None:
    found = re.search(r"^MemAvailable:\s+(\d+) kB", _read(root, "proc/meminfo"), re.MULTILINE)
    bounds = [int(found[1]) << 10] if found else []
    own = groups.get("memory", groups.get(""))
    for name in ("memory.max", "memory.limit_in_bytes") if own is not None else ():
        limit = _number(_read(root, f"{str(own).lstrip('/')}/{name}"))
        bounds += [limit] if limit is not None and limit < _NO_LIMIT_BYTES else []
    return min(bounds, default=None)


def _swaps(root: Path) -> str:
    return _read(root, "proc/swaps")
