"""Run a scenario of `contained` as the worker's container would hold it, without an engine.

Its own control group, mount and process namespaces, an ordinary uid without capabilities, a read-only root,
and the project's seccomp profile. As root only.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from grader.sandbox.cgroups import Cgroup, find_parents
from grader.sandbox.proc import Proc

UID = 10001
PROCESSES = 512
_REPOSITORY = Path(__file__).parents[2]
# Some of what an engine covers, unless it is started with systempaths=unconfined.
_COVERED = ("/proc/kcore", "/proc/keys", "/proc/timer_list")

_CONTAIN = """
set -eu
stage=$1; covered=$2; closed=$3; shown=$4; shift 4
mount -t proc proc /proc
mount -t tmpfs -o mode=0755 stage "$stage"
number=0
for path in $shown; do
  mkdir "$stage/$number"; mount --rbind "$path" "$stage/$number"; number=$((number + 1))
done
# From a place below a folder that only root may enter to the same place below one that is open.
for path in $closed; do mount -t tmpfs -o mode=0755 open "$path"; done
number=0
mount -t tmpfs -o mode=1777,size=64m tmp /tmp  # before what is shown: that may lie below it
for path in $shown; do
  mkdir -p "$path"; mount --rbind "$stage/$number" "$path"; number=$((number + 1))
done
mount -o remount,bind,ro /
for path in $covered; do
  [ ! -e "$path" ] || mount --bind /dev/null "$path"
done
if [ -n "$covered" ]; then
  mount --bind /proc/sys /proc/sys
  mount -o remount,bind,ro /proc/sys
fi
exec "$@"
"""
_JOIN = 'for group in $1; do echo "$$" > "$group/cgroup.procs"; done; shift; exec "$@"'


def run_contained(scenario: str, proc: Proc, profile: str, memory_bytes: int = 512 << 20) -> Any:
    """Run it in a container of ``memory_bytes`` whose ``/proc`` is covered or not; what it told."""
    shown = [Path(sys.base_prefix).resolve(), Path(sys.prefix), _REPOSITORY / "grader", _REPOSITORY / "tests"]
    covered = _COVERED if proc is Proc.BARE else ()
    user = ["setpriv", "--reuid", str(UID), "--regid", str(UID), "--clear-groups"]
    dropped = ["--no-new-privs", "--bounding-set", "-all", "--inh-caps", "-all"]
    python = [sys.executable, "-B", "-m", "tests.integration.contained"]
    with _own_group(memory_bytes) as group:
        done = subprocess.run(
            [
                *("/bin/sh", "-c", _JOIN, "sh", _words(group.folders)),
                *("unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child"),
                *("/bin/sh", "-c", _CONTAIN, "sh", "/mnt", _words(covered), _words(_closed(shown))),
                *(_words(shown), *user, *dropped, *python),
                *(profile, scenario),
            ],
            capture_output=True,
            text=True,
            cwd="/",
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/tmp", "PYTHONPATH": str(_REPOSITORY)},
            check=False,
        )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@contextmanager
def _own_group(memory_bytes: int) -> Iterator[Cgroup]:
    name = f"contained-{os.getpid()}-{secrets.token_hex(4)}"
    group = Cgroup(tuple(parent / name for parent in find_parents()))
    group.make(memory_bytes=memory_bytes, processes=PROCESSES, cpus=None)
    try:
        yield group
    finally:
        group.kill()
        assert group.remove()


def _closed(shown: list[Path]) -> list[Path]:
    """The outermost folders above these that an ordinary user may not enter."""
    above = {
        next((folder for folder in reversed(path.parents) if not folder.stat().st_mode & 0o001), None)
        for path in shown
    }
    return sorted(folder for folder in above if folder is not None)


def _words(paths: Any) -> str:
    words = [str(path) for path in paths]
    assert not any(" " in word for word in words)
    return " ".join(words)
