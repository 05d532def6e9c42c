"""From our process to bubblewrap: join the cgroups, stage what is mounted, drop to a service uid."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

TOOLS_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# Each step is handed its values as arguments (nothing is ever spliced into a script) and replaces
# itself by the next one, so that all of it is one process from the first step to bubblewrap.
# Where memory runs out, a jail is to go before whoever holds its result; that needs no privilege.
_JOIN = """
set -eu
echo 500 > /proc/self/oom_score_adj || :  # a service may have been given more
count=$1; shift
while [ "$count" -gt 0 ]; do echo "$$" > "$1/cgroup.procs"; shift; count=$((count - 1)); done
exec "$@"
"""

# Folders below one that only root may enter cannot be reached once the uid is dropped. Here, in a
# mount namespace that ends with the jail, they are bound to a place that everyone may enter.
_STAGE = """
set -eu
stage=$1; count=$2; shift 2
mount -t tmpfs -o mode=0755,size=1m jail-stage "$stage"
number=0
while [ "$number" -lt "$count" ]; do
  if [ -d "$1" ]; then mkdir "$stage/$number"; else : > "$stage/$number"; fi
  mount --rbind "$1" "$stage/$number"
  shift; number=$((number + 1))
done
exec "$@"
"""

# The signal of a parent's death is set just before: a parent that died earlier shows here.
_GUARD = """
[ "$PPID" = "$1" ] || exit 1
shift
exec "$@"
"""


@dataclass(frozen=True, slots=True)
class Staging:
    """How root hands a jail over to a service uid."""

    folder: Path  # an empty folder that everyone may enter; covered in a namespace of the jail's own
    uid: int


def staged_sources(sources: Sequence[Path], staging: Staging | None) -> dict[Path, str]:
    """Say where each source is found by bubblewrap."""
    if staging is None:
        return {source: str(source) for source in sources}
    return {source: str(staging.folder / str(number)) for number, source in enumerate(sources)}


def build_chain(
    bubblewrap: Sequence[str], groups: Sequence[Path], sources: Sequence[Path], staging: Staging | None
) -> list[str]:
    """Build the command that ends up as ``bubblewrap``, inside ``groups`` and with ``sources`` staged."""
    chain = ["/bin/sh", "-c", _JOIN, "sh", str(len(groups)), *map(str, groups)]
    dropped = ["--no-new-privs", "--pdeathsig", "KILL"]
    if staging is not None:
        chain += ["unshare", "--mount", "--propagation", "private"]
        chain += ["/bin/sh", "-c", _STAGE, "sh", str(staging.folder), str(len(sources)), *map(str, sources)]
        dropped += ["--reuid", str(staging.uid), "--regid", str(staging.uid), "--clear-groups"]
    chain += ["setpriv", *dropped, "/bin/sh", "-c", _GUARD, "sh", str(os.getpid())]
    return [*chain, *bubblewrap]


def hand_over(contents: Mapping[str, bytes]) -> dict[str, int]:
    """Put each content into an anonymous file, to be read once from its start; return its descriptor."""
    handles: dict[str, int] = {}
    try:
        for name, content in contents.items():
            handles[name] = os.memfd_create(Path(name).name, os.MFD_CLOEXEC)
            with open(handles[name], "wb", closefd=False) as file:
                file.write(content)
            os.lseek(handles[name], 0, os.SEEK_SET)
    except BaseException:
        close_all(handles)
        raise
    return handles


def close_all(handles: Mapping[str, int]) -> None:
    """Close every descriptor."""
    for handle in handles.values():
        os.close(handle)
