"""Build real jails and look whether they hold, before anything untrusted runs in one."""

from __future__ import annotations

import os
import secrets
import socket
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader.errors import SandboxUnavailable
from grader.sandbox.arguments import Environment
from grader.sandbox.bubblewrap import BubblewrapSandbox
from grader.sandbox.diagnosis import find_unreadable
from grader.sandbox.jail import ExitReason, Frame, JailRequest, Limits
from grader.sandbox.proc import Proc
from grader.sandbox.running import BubblewrapJail
from grader.sandbox.slots import real_uid

_ENTRY = "grader.sandbox.probe"
_PROCESSES = 24
_FILE_BYTES = 1 << 20
_LIMITS = Limits(wall_seconds=20.0, memory_bytes=96 << 20, processes=_PROCESSES, file_bytes=_FILE_BYTES)
_BOMB_BYTES = 1 << 30
_PATIENCE_SECONDS = 5.0  # for the kernel to take down what was killed


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a jail must hold."""

    name: str  # "no network"
    holds: bool
    detail: str  # what was seen, and what to do where it does not hold


def check_sandbox(sandbox: BubblewrapSandbox) -> list[Finding]:
    """Try two small jails, under a second; return everything that was tried.

    `SandboxUnavailable` where no jail could be built at all, with its cause.
    """
    unreadable = find_unreadable(sandbox.environment)
    if unreadable is not None:
        return [Finding("environment can be read", holds=False, detail=str(unreadable))]
    findings = _look_around(sandbox)
    if sandbox.proc is Proc.FRESH:
        findings.append(_try_nesting(sandbox))
    # A container's limit was read when the sandbox was opened; used up, it would hurt this very process.
    return findings if sandbox.one_at_a_time else [*findings, _try_memory(sandbox)]


def require_working(sandbox: BubblewrapSandbox) -> None:
    """Raise `SandboxUnavailable`, naming what does not hold and what to do, unless everything does."""
    broken = [f"{found.name}: {found.detail}" for found in check_sandbox(sandbox) if not found.holds]
    if broken:
        raise SandboxUnavailable("Jails do not hold on this machine. " + " ".join(broken))


def _look_around(sandbox: BubblewrapSandbox) -> list[Finding]:
    with ExitStack() as stack:
        port = _listen(stack, socket.AF_INET, ("127.0.0.1", 0)).getsockname()[1]
        name = f"notebook-jail-{secrets.token_hex(8)}"
        _listen(stack, socket.AF_UNIX, "\0" + name)
        canary = sandbox.scratch.absolute() / f"canary-{secrets.token_hex(8)}"
        canary.write_text("a jail that can read this does not hold", encoding="ascii")
        stack.callback(canary.unlink)
        asked = {
            "port": port,
            "socket": name,
            "paths": [str(canary), *_places(sandbox.environment)],
            "forks": 4 * _PROCESSES,
            "bytes": 2 * _FILE_BYTES,
            "stay_seconds": _LIMITS.wall_seconds,
        }
        jail = stack.enter_context(sandbox.start(JailRequest(_ENTRY, (Frame(asked),), _LIMITS)))
        answer = next(jail.frames(), None)
        uids = {real_uid(process) for process in jail.processes()}
        ended = None if answer is None else _try_to_end(jail)
    if answer is None or ended is None:
        return [Finding("probe", holds=False, detail=f"it ended without a word: {jail.exit().detail}")]
    return [*_judge(answer.header, uids), ended]


def _try_to_end(jail: BubblewrapJail) -> Finding:
    """Kill it, although one of its processes has left its session and ignores what can be ignored."""
    namespaces = {_namespace_of(process) for process in jail.processes()} - {_namespace_of(os.getpid()), ""}
    before = _processes_in(namespaces)
    jail.kill()
    for _ in jail.frames():
        pass
    give_up = time.monotonic() + _PATIENCE_SECONDS
    while (left := _processes_in(namespaces)) and time.monotonic() < give_up:
        time.sleep(0.005)
    return Finding(
        "ends when killed", bool(before) and not left, f"{len(before)} processes, {len(left)} after a kill."
    )


def _namespace_of(process: int) -> str:
    with suppress(OSError):  # it ended meanwhile, or is another user's
        return str(Path(f"/proc/{process}/ns/pid").readlink())
    return ""


def _processes_in(namespaces: Collection[str]) -> list[int]:
    found = []
    for folder in Path("/proc").iterdir():
        with suppress(OSError):
            if folder.name.isdigit() and _namespace_of(int(folder.name)) in namespaces:
                state = (folder / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()[0]
                if state not in "ZX":  # dead, and only not yet collected by the machine's process 1
                    found.append(int(folder.name))
    return found


def _places(environment: Environment) -> list[str]:
    """Name what no jail may see; a home that holds the environment itself shows that much and no more."""
    homes = [Path("/root"), Path.home()]
    shown = [Path(mount.target) for mount in environment.mounts()]
    closed = [home for home in homes if not any(target.is_relative_to(home) for target in shown)]
    return [str(path) for path in dict.fromkeys([*closed, Path("/etc/shadow"), *environment.hidden])]


def _judge(seen: Mapping[str, Any], uids: Collection[int | None]) -> Iterator[Finding]:
    reached = [way for way in ("tcp", "abstract") if seen[way] == "connected"]
    others = [name for name in seen["interfaces"] if name != "lo"]
    said = f"a listener of this host was reached by {reached or 'no way'}; interfaces: {others or 'none'}."
    yield Finding("no network", not reached and not others, said)
    yield Finding("no host files", not seen["seen"], f"it could read {seen['seen'] or 'none of them'}.")
    more = seen["processes"]
    yield Finding("no host processes", not more, f"beside its own, /proc shows {more or 'none'}.")
    yield Finding("nothing to write", not seen["written"], f"it could write to {seen['written'] or 'none'}.")
    forks = int(seen["forks"])
    yield Finding("process limit", forks < _PROCESSES, f"{forks} processes at a limit of {_PROCESSES}.")
    size = int(seen["file_bytes"])
    yield Finding("file limit", size <= _FILE_BYTES, f"a file of {size} bytes at a limit of {_FILE_BYTES}.")
    yield Finding(
        "system call filter",
        seen["seccomp"] == 2 and seen["no_new_privileges"] == 1,
        f"Seccomp {seen['seccomp']}, NoNewPrivs {seen['no_new_privileges']} (wanted: 2, 1).",
    )
    none_left = not any(seen["capabilities"].values())
    yield Finding("no capabilities", none_left, f"capability masks {seen['capabilities']}.")
    yield Finding("not root outside", bool(uids) and 0 not in uids, f"it runs as host uids {list(uids)}.")


def _try_nesting(sandbox: BubblewrapSandbox) -> Finding:
    """Whether a kernel can be kept from the process that reports for it."""
    request = JailRequest(_ENTRY, (Frame({"nest": True}),), _LIMITS, nests=True)
    with sandbox.start(request) as jail:
        answer = next(jail.frames(), None)
        for _ in jail.frames():
            pass
    said = str(answer.header["nested"]) if answer else jail.exit().detail
    return Finding("a jail within it", said == "/proc/1 /proc/2", f"it sees the processes {said}.")


def _try_memory(sandbox: BubblewrapSandbox) -> Finding:
    bomb = Frame({"memory_bytes": _BOMB_BYTES})
    with sandbox.start(JailRequest(_ENTRY, (bomb,), _LIMITS)) as jail:
        for _ in jail.frames():
            pass
    ended = jail.exit()
    per_process = not sandbox.limits_memory
    how = f"{ended.reason} ({ended.detail.splitlines()[-1]})"
    return Finding(
        "memory limit" + " per process" * per_process,
        ("MemoryError" in ended.detail) if per_process else ended.reason is ExitReason.MEMORY_LIMIT,
        f"{_BOMB_BYTES} bytes at a limit of {_LIMITS.memory_bytes} ended as {how}.",
    )


def _listen(stack: ExitStack, family: int, address: Any) -> socket.socket:
    listener = stack.enter_context(socket.socket(family))
    listener.bind(address)
    listener.listen(1)
    return listener
