"""Who owns what a jail leaves on the machine, so that what a dead owner left is removed, and only that."""

from __future__ import annotations

import logging
import os
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path

from grader.sandbox.cgroups import Cgroup

_log = logging.getLogger(__name__)

# Reads a pipe that only the owner can write to: when the owner is gone, however it went, the read
# ends, and every jail that carries the owner's name is ended too. A jail that is still being built
# then cannot join its group any more and gives up by itself.
_WATCH = """
records=$1; shift
cat > /dev/null
tries=0
while [ "$tries" -lt 200 ]; do
  left=0
  for prefix in "$@"; do
    for group in "$prefix"*; do
      [ -d "$group" ] || continue
      left=1
      { echo 0 > "$group/pids.max"; echo 1 > "$group/cgroup.kill"; } 2>/dev/null
      { while read -r process; do kill -9 "$process"; done < "$group/cgroup.procs"; } 2>/dev/null
      rmdir "$group" 2>/dev/null
    done
  done
  if [ "$left" = 0 ]; then rm -f -- "$records"*; exit 0; fi
  tries=$((tries + 1))
  sleep 0.05
done
"""


def name_owner() -> str:
    """Name this process so that no other one, now or later, has the same name."""
    namespace = Path("/proc/self/ns/pid").stat().st_ino
    return f"{namespace}-{os.getpid()}-{_start_time(os.getpid())}"


def owner_is_alive(name: str) -> bool:
    """Whether the process whose name this begins with still runs; True where that cannot be told."""
    namespace, process, started = (int(part) for part in name.split("-")[:3])
    if namespace != Path("/proc/self/ns/pid").stat().st_ino:
        return True
    return _start_time(process) == started


def _start_time(process: int) -> int | None:
    try:
        status = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = status.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else int(fields[19])


class Records:
    """One small file per jail, naming its cgroups: written before they are made, removed after them."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder

    def write(self, name: str, cgroup: Cgroup) -> None:
        """Note which groups the jail ``name`` will have."""
        (self.folder / name).write_text("\n".join(map(str, cgroup.folders)), encoding="utf-8")

    def forget(self, name: str) -> None:
        """Drop the note; the groups are gone."""
        (self.folder / name).unlink(missing_ok=True)

    def clean(self) -> int:
        """End and remove what dead owners left; return how many jails that were."""
        cleaned = 0
        for record in sorted(self.folder.iterdir()):
            try:
                if owner_is_alive(record.name):
                    continue
                lines = record.read_text(encoding="utf-8").splitlines()
            except (ValueError, FileNotFoundError):
                continue
            group = Cgroup(tuple(Path(line) for line in lines))
            group.kill()
            if group.remove():
                record.unlink(missing_ok=True)
                cleaned += 1
        if cleaned:
            _log.info("removed what %d jails of a killed service had left", cleaned)
        return cleaned


class Watchdog:
    """A process that outlives us just long enough to end our jails when we are killed."""

    def __init__(self, prefixes: Sequence[Path], records: Path) -> None:
        self._arguments = [str(records), *map(str, prefixes)]
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def ensure(self) -> None:
        """Start it, or start it again where someone ended it."""
        with self._lock:
            if self._process is None or self._process.poll() is not None:
                if self._process is not None and self._process.stdin is not None:
                    self._process.stdin.close()
                self._process = subprocess.Popen(
                    ["/bin/sh", "-c", _WATCH, "sh", *self._arguments],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    cwd="/",
                    env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
                    start_new_session=True,
                )
