"""Run the suite as on another machine: as an ordinary user, or as root without a right to control groups."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

USER = 60990
_REPOSITORY = Path(__file__).parents[2]

# Folders below one that only root may enter are bound, in a mount namespace of this run's own, below an
# empty stand-in of that folder which everyone may enter.
_OPEN = """
set -eu
stage=$1; closed=$2; needed=$3; shift 3
mount -t tmpfs -o mode=0755 stage "$stage"
for part in $needed; do mkdir -p "$stage$part"; mount --rbind "$part" "$stage$part"; done
for part in $closed; do mount -t tmpfs -o mode=0755 open "$part"; done
for part in $needed; do mkdir -p "$part"; mount --rbind "$stage$part" "$part"; done
umount -l "$stage"; rmdir "$stage"
exec "$@"
"""
_FREEZE = """
set -eu
frozen=$1; shift
for part in $frozen; do mount -o remount,bind,ro "$part"; done
exec "$@"
"""


def as_user(command: Sequence[str]) -> list[str]:
    """The command as an ordinary user, who may read this checkout and its Python whatever lies above them."""
    if os.geteuid() != 0:
        return list(command)
    needed = dict.fromkeys(
        str(place.resolve()) for place in (Path(sys.base_prefix), Path(sys.prefix), _REPOSITORY)
    )
    closed = dict.fromkeys(above for place in needed if (above := _closed_above(Path(place))))
    hidden = [place for place in needed if any(Path(place).is_relative_to(above) for above in closed)]
    drop = ["setpriv", "--reuid", str(USER), "--regid", str(USER), "--clear-groups", "--no-new-privs"]
    stage = tempfile.mkdtemp(prefix="attacks-stage-")
    opened = ["/bin/sh", "-c", _OPEN, "sh", stage, " ".join(closed), " ".join(hidden)]
    return ["unshare", "--mount", *opened, *drop, *command]


def without_cgroups(command: Sequence[str]) -> list[str]:
    """The command where no control group can be made, as in a container that was given none."""
    lines = Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()
    frozen = [line.split()[4] for line in lines if line.partition(" - ")[2].startswith("cgroup")]
    return ["unshare", "--mount", "/bin/sh", "-c", _FREEZE, "sh", " ".join(frozen), *command]


def _closed_above(place: Path) -> str:
    """The outermost folder on the way there that only its owner may enter; empty where there is none."""
    return next((str(above) for above in reversed(place.parents) if not above.stat().st_mode & 0o001), "")
