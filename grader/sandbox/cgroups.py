"""Control groups, version 1 and 2: limit what a whole jail uses, count it, end all of it at once."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

_NEEDED = ("memory", "pids")
_CPU_PERIOD_MICROSECONDS = 100_000
_PROCESSOR_WEIGHTS = {"cpu.weight": ("100", "25"), "cpu.shares": ("1024", "256")}  # the usual, and a quarter
_TCP_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class Cgroup:
    """One jail's groups: one folder for version 2, one per controller for version 1."""

    folders: tuple[Path, ...]

    def make(self, *, memory_bytes: int, processes: int, cpus: float | None) -> None:
        """Make the folders and set the limits. ``OSError`` where the kernel refuses."""
        for folder in self.folders:
            folder.mkdir()
        _Settings(self).write(memory_bytes, processes, cpus)

    def processes(self) -> list[int]:
        """Every process in it, by its id outside."""
        found: set[int] = set()
        for folder in self.folders:
            with contextlib.suppress(OSError):
                found.update(map(int, (folder / "cgroup.procs").read_text().split()))
        return sorted(found)

    def kill(self, patience_seconds: float = 5.0) -> None:
        """End everything in it. Nothing can be born while this runs, so it comes to an end."""
        give_up = time.monotonic() + patience_seconds
        for name, value in (("pids.max", "0"), ("cgroup.kill", "1")):
            with contextlib.suppress(OSError):  # removed meanwhile by another thread
                _write_where_present(self.folders, name, value)
        while (left := self.processes()) and time.monotonic() < give_up:
            for process in left:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(process, signal.SIGKILL)
            time.sleep(0.005)

    def remove(self, patience_seconds: float = 2.0) -> bool:
        """Remove the folders; False where one is still in use."""
        give_up = time.monotonic() + patience_seconds
        while not all(map(_remove, self.folders)):
            if time.monotonic() > give_up:
                return False
            time.sleep(0.005)
        return True

    def out_of_memory_kills(self) -> int:
        """How many of its processes the kernel ended for want of memory."""
        return max(self._field("memory.events", "oom_kill"), self._field("memory.oom_control", "oom_kill"))

    def memory_bytes(self) -> int:
        """What it uses now; 0 where the kernel does not tell."""
        for name in ("memory.current", "memory.usage_in_bytes"):
            for text in self._read(name):
                return int(text)
        return 0

    def yield_processor(self, *, to_others: bool) -> None:
        """Take a quarter of a jail's share, or a whole one, where processors are shared out by group."""
        for name, weights in _PROCESSOR_WEIGHTS.items():
            _write_where_present(self.folders, name, weights[to_others])

    def peak_memory_bytes(self) -> int:
        """The most it ever used; 0 where the kernel does not tell."""
        for name in ("memory.peak", "memory.max_usage_in_bytes"):
            for text in self._read(name):
                return int(text)
        return 0

    def _field(self, name: str, key: str) -> int:
        for text in self._read(name):
            for line in text.splitlines():
                if line.startswith(key + " "):
                    return int(line.split()[1])
        return 0

    def _read(self, name: str) -> list[str]:
        texts = []
        for folder in self.folders:
            with contextlib.suppress(OSError):
                texts.append((folder / name).read_text(encoding="ascii"))
        return texts


@dataclass(frozen=True, slots=True)
class _Settings:
    group: Cgroup

    def write(self, memory_bytes: int, processes: int, cpus: float | None) -> None:
        self._set("pids.max", str(processes))
        if self._has("memory.max"):
            self._set("memory.max", str(memory_bytes))
            self._set("memory.swap.max", "0", optional=True)
            self._set("memory.oom.group", "0", optional=True)
            if cpus is not None:
                quota = f"{int(cpus * _CPU_PERIOD_MICROSECONDS)} {_CPU_PERIOD_MICROSECONDS}"
                self._set("cpu.max", quota, optional=True)
            return
        self._set("memory.limit_in_bytes", str(memory_bytes))
        self._set("memory.memsw.limit_in_bytes", str(memory_bytes), optional=True)
        # Version 1 counts what lies in TCP's buffers apart, and otherwise not at all.
        self._set("memory.kmem.tcp.limit_in_bytes", str(min(memory_bytes, _TCP_BYTES)), optional=True)
        if cpus is not None:
            self._set("cpu.cfs_quota_us", str(int(cpus * _CPU_PERIOD_MICROSECONDS)), optional=True)

    def _has(self, name: str) -> bool:
        return any((folder / name).exists() for folder in self.group.folders)

    def _set(self, name: str, value: str, *, optional: bool = False) -> None:
        if not _write_where_present(self.group.folders, name, value) and not optional:
            raise FileNotFoundError(f"no {name} in {', '.join(map(str, self.group.folders))}")


def find_parents(root: Path = Path("/")) -> tuple[Path, ...]:
    """Find the folders below which this process may make groups; empty where there are none.

    Always below its own groups, so that limits set on the service hold for its jails too.
    """
    own = _own_groups_below(root)
    if all(name in own for name in _NEEDED):
        if not all(_is_writable(own[name]) for name in _NEEDED):
            return ()
        wanted = [own[name] for name in (*_NEEDED, "cpu") if name in own and _is_writable(own[name])]
        return tuple(dict.fromkeys(wanted))
    return find_unified(own[""]) if "" in own else ()


def find_own() -> tuple[Path, ...]:
    """Find the folders of the groups that this very process is in, whether or not it may write there."""
    own = _own_groups_below(Path("/"))
    if all(name in own for name in _NEEDED):
        return tuple(dict.fromkeys(own[name] for name in _NEEDED))
    return (own[""],) if "" in own else ()


def _own_groups_below(root: Path) -> dict[str, Path]:
    mounts, groups = ((root / "proc/self" / name).read_text("utf-8") for name in ("mountinfo", "cgroup"))
    return {name: root / folder.relative_to("/") for name, folder in own_groups(mounts, groups).items()}


def find_unified(own: Path) -> tuple[Path, ...]:
    """Find the same for version 2, from this process's own group.

    The group above serves too where root may write there: a slice of systemd, beside our own scope.
    """
    for parent in (own, own.parent):
        if _is_writable(parent) and _carries(parent, "cgroup.subtree_control"):
            return (parent,)
    if _is_delegated(own) and _carries(own, "cgroup.controllers") and _hand_down(own):
        return (own,)
    return ()


def _hand_down(own: Path) -> bool:
    # A group with processes may not hand controllers down: they move to a leaf of their own first.
    leaf = own / "supervisor"
    try:
        leaf.mkdir(exist_ok=True)
        for process in (own / "cgroup.procs").read_text(encoding="ascii").split():
            with contextlib.suppress(ProcessLookupError):
                (leaf / "cgroup.procs").write_text(process, encoding="ascii")
        (own / "cgroup.subtree_control").write_text("+memory +pids", encoding="ascii")
        with contextlib.suppress(OSError):
            (own / "cgroup.subtree_control").write_text("+cpu", encoding="ascii")
    except OSError:
        return False
    return _carries(own, "cgroup.subtree_control")


def _is_delegated(own: Path) -> bool:
    if not _is_writable(own):
        return False
    if own.stat().st_uid == os.geteuid() != 0:
        return True
    with contextlib.suppress(OSError):
        if os.getxattr(own, "user.delegate") == b"1":
            return True
    # The topmost group that a container shows is the container's own; the machine's has no events.
    return (own / "cgroup.events").exists() and not (own.parent / "cgroup.procs").exists()


def _carries(group: Path, name: str) -> bool:
    try:
        return set(_NEEDED) <= set((group / name).read_text(encoding="ascii").split())
    except OSError:
        return False


def _is_writable(folder: Path) -> bool:
    return os.access(folder, os.W_OK) and os.access(folder / "cgroup.procs", os.W_OK)


def own_groups(mounts: str, own: str) -> dict[str, Path]:
    """Return the folder of this process's group per version-1 controller; version 2 under ``""``.

    ``mounts`` and ``own`` are the texts of ``/proc/self/mountinfo`` and ``/proc/self/cgroup``.
    """
    mounted: dict[str, tuple[str, Path]] = {}
    for line in mounts.splitlines():
        left, _, right = line.partition(" - ")
        kind, _, options = right.split()[:3]
        root, point = left.split()[3:5]
        if kind == "cgroup2":
            mounted[""] = (root, Path(point))
        elif kind == "cgroup":
            mounted.update({option: (root, Path(point)) for option in options.split(",")})
    groups: dict[str, Path] = {}
    for line in own.splitlines():
        _, controllers, path = line.split(":", 2)
        for controller in controllers.split(","):
            if controller in mounted:
                top, folder = mounted[controller]
                inside = path.removeprefix(top) if top != "/" else path
                groups[controller] = folder / inside.lstrip("/")
    return groups


def _write_where_present(folders: tuple[Path, ...], name: str, value: str) -> bool:
    written = False
    for folder in folders:
        # Opened without O_CREAT: a missing file is a missing controller, not a file to make.
        with contextlib.suppress(FileNotFoundError, PermissionError):
            handle = os.open(folder / name, os.O_WRONLY)
            try:
                os.write(handle, value.encode("ascii"))
                written = True
            finally:
                os.close(handle)
    return written


def _remove(folder: Path) -> bool:
    try:
        folder.rmdir()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True
