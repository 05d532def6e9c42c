"""What a jail looks like from inside: the arguments of bubblewrap, as pure data."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from grader.errors import SandboxUnavailable
from grader.sandbox.jail import JailRequest, Mount
from grader.sandbox.nested import (
    DEVICES,
    HOME,
    INNER_BWRAP,
    JAIL_UID,
    MAY_NEST,
    SHARED_MEMORY,
    TEMPORARY,
    tmpfs,
)
from grader.sandbox.proc import Proc

PACKAGE_TARGET = "/opt/grader/grader"
HARVEST = "/run/harvest"
HARVEST_BYTES = 256 << 20
HASH_SEED = 0  # of Python's strings: the order of sets is the same in every run

_FILES: Mapping[str, str] = {
    "/etc/passwd": "root:x:0:0::/nonexistent:/bin/false\nstudent:x:1000:1000::/home/student:/bin/sh\n"
    "nobody:x:65534:65534::/nonexistent:/bin/false\n",
    "/etc/group": "root:x:0:\nstudent:x:1000:\nnogroup:x:65534:\n",
    "/etc/hosts": "127.0.0.1 localhost sandbox\n",
    "/etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
}


@dataclass(frozen=True, slots=True)
class Environment:
    """The Python that jails run, as it lies on the host."""

    python: Path  # the interpreter to start, unresolved: a venv is found through it
    prefix: Path
    base_prefix: Path
    package: Path  # the folder of this very package
    hidden: tuple[Path, ...] = ()  # covered by something empty wherever a mount would show them

    def mounts(self) -> tuple[Mount, ...]:
        """Everything that a jail needs beside the system's /usr, outer folders first."""
        places: list[Path] = []
        for folder in (self.base_prefix, self.base_prefix.resolve(), self.prefix, self.prefix.resolve()):
            if not any(folder.is_relative_to(known) for known in (Path("/usr"), *places)):
                places.append(folder)
        mounts = [Mount(place, str(place)) for place in places]
        return (*mounts, Mount(self.package, PACKAGE_TARGET))


def this_environment(hidden: Sequence[Path] = ()) -> Environment:
    """Return the environment that this process itself runs in."""
    return Environment(
        python=Path(sys.executable),
        prefix=Path(sys.prefix),
        base_prefix=Path(sys.base_prefix),
        package=Path(__file__).resolve().parents[1],
        hidden=tuple(path.resolve() for path in hidden),
    )


def files_inside() -> Mapping[str, bytes]:
    """Return the few files of /etc that a jail has, by their path inside."""
    return {target: text.encode("ascii") for target, text in _FILES.items()}


def build_arguments(
    environment: Environment,
    request: JailRequest,
    sources: Mapping[Path, str],
    handles: Mapping[str, int],
    bwrap: Path,
    *,
    proc: Proc = Proc.FRESH,
) -> list[str]:
    """Build all of them but the command.

    ``sources`` says where each mount's source is to be found when bubblewrap runs; ``handles`` are
    the descriptors of `files_inside` by path, and of ``seccomp`` and ``status``. ``bwrap`` is shown
    inside to an entry that nests.
    """
    limits = request.limits
    mounts = (*environment.mounts(), *request.mounts)
    arguments = [
        *("--unshare-user", "--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts"),
        *("--unshare-cgroup-try", "--die-with-parent", "--new-session", "--cap-drop", "ALL"),
        *([] if request.nests else proc.forbid_namespaces()),
        *("--uid", str(JAIL_UID), "--gid", str(JAIL_UID), "--hostname", "sandbox", "--clearenv"),
    ]
    for name, value in _variables(environment, request).items():
        arguments += ["--setenv", name, value]
    arguments += system_arguments()
    for target, handle in handles.items():
        if target.startswith("/"):
            arguments += ["--perms", "0444", "--file", str(handle), target]
    arguments += ["--symlink", "/usr/share/zoneinfo/UTC", "/etc/localtime"]
    arguments += [*proc.arguments(), *DEVICES, *tmpfs(SHARED_MEMORY, limits.tmp_bytes)]
    arguments += ["--remount-ro", "/dev", *tmpfs(TEMPORARY, limits.tmp_bytes)]
    arguments += [*tmpfs(HOME, limits.tmp_bytes), *tmpfs(HARVEST, HARVEST_BYTES)]
    for target in request.writable:
        arguments += tmpfs(target, limits.tmp_bytes)
    for mount in mounts:
        arguments += ["--ro-bind", sources[mount.source], mount.target]
    if request.nests:
        arguments += ["--ro-bind", str(bwrap), INNER_BWRAP]
    arguments += _covers(environment.hidden, mounts)
    arguments += ["--remount-ro", "/", "--chdir", HOME]
    arguments += ["--seccomp", str(handles["seccomp"]), "--json-status-fd", str(handles["status"])]
    return arguments


def _variables(environment: Environment, request: JailRequest) -> dict[str, str]:
    given = dict(request.environment)
    extra_paths = given.pop("PYTHONPATH", "")
    return {
        "PATH": f"{environment.python.parent}:/usr/bin:/bin",
        "HOME": HOME,
        "USER": "student",
        "TMPDIR": TEMPORARY,
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "MPLCONFIGDIR": f"{TEMPORARY}/mpl",
        "IPYTHONDIR": f"{TEMPORARY}/ipy",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "OMP_NUM_THREADS": "1",
        "OMP_WAIT_POLICY": "PASSIVE",
        "PYTHONHASHSEED": str(HASH_SEED),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": ":".join(filter(None, [str(Path(PACKAGE_TARGET).parent), extra_paths])),
        **({MAY_NEST: json.dumps(_below_own_folders(environment, request))} if request.nests else {}),
        **given,
    }


def _below_own_folders(environment: Environment, request: JailRequest) -> list[str]:
    """The mounts that an inner jail would cover with folders of its own: an environment below /tmp, say."""
    own = (TEMPORARY, HOME, *request.writable)
    targets = [mount.target for mount in (*environment.mounts(), *request.mounts)]
    return [target for target in targets if any(Path(target).is_relative_to(folder) for folder in own)]


def system_arguments() -> Iterator[str]:
    """The system's programs and libraries, as bubblewrap shows them."""
    yield from ("--ro-bind", "/usr", "/usr")
    for name in ("bin", "sbin", "lib", "lib32", "lib64", "libx32"):
        folder = Path("/") / name
        if folder.is_symlink():
            yield from ("--symlink", str(folder.readlink()), str(folder))
        elif folder.is_dir():
            yield from ("--ro-bind", str(folder), str(folder))
    for path in ("/etc/ld.so.cache", "/etc/alternatives", "/etc/fonts"):
        yield from ("--ro-bind-try", path, path)


def _covers(hidden: Sequence[Path], mounts: Sequence[Mount]) -> Iterator[str]:
    shown = (*mounts, Mount(Path("/usr"), "/usr"))
    for path in hidden:
        for mount in shown:
            source = mount.source.resolve()
            if not path.is_relative_to(source) or not path.exists():
                continue
            if path == source and mount in mounts:
                raise SandboxUnavailable(
                    f"{path} is both hidden from jails and mounted into them at {mount.target}. "
                    "Keep content and environment in folders of their own."
                )
            target = os.path.normpath(Path(mount.target) / path.relative_to(source))
            if path.is_dir():
                yield from ("--tmpfs", target, "--remount-ro", target)
            else:
                yield from ("--ro-bind", "/dev/null", target)


def processes_with_ours(request: JailRequest) -> int:
    """What the jail's group may hold, threads counted: bubblewrap, and what reports for a nested kernel."""
    return request.limits.processes + (16 if request.nests else 2)


def build_command(
    environment: Environment, request: JailRequest, wire: int, *, in_group: bool = True
) -> list[str]:
    """Build what runs inside: the entry module, under limits per process. ``wire`` becomes its stdout.

    Where the jail is in no control group, which would count for all of it, each process has the whole limit.
    """
    limits = request.limits
    processor_seconds = int(limits.wall_seconds * (os.cpu_count() or 1)) + 60
    # Set inside, where the count of processes starts from none.
    processes = processes_with_ours(request) if request.nests else limits.processes
    return [
        *("/usr/bin/prlimit", f"--nproc={processes}", f"--nofile={limits.open_files}"),
        *(f"--fsize={limits.file_bytes}", f"--cpu={processor_seconds}", "--core=0", "--msgqueue=0"),
        *([] if in_group else [f"--data={limits.memory_bytes}"]),
        *("--", str(environment.python), "-s", "-P", "-B"),
        *("-m", "grader.sandbox.entry", str(wire), request.entry),
    ]
