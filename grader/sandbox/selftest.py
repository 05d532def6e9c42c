"""Build real jails and look whether they hold, before anything untrusted runs in one."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader.errors import SandboxUnavailable
from grader.sandbox.arguments import Environment
from grader.sandbox.bubblewrap import BubblewrapSandbox
from grader.sandbox.diagnosis import find_unreadable
from grader.sandbox.jail import ExitReason, Frame, JailRequest, Limits
from grader.sandbox.slots import real_uid

_ENTRY = "grader.sandbox.probe"
_PROCESSES = 24
_LIMITS = Limits(wall_seconds=20.0, memory_bytes=96 << 20, processes=_PROCESSES)
_BOMB_BYTES = 1 << 30


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
        return [Finding("environment can be read", holds=False, detail=unreadable)]
    findings = _look_around(sandbox)
    if sandbox.limits_memory:
        findings.append(_try_memory(sandbox))
    return findings


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
            "stay_seconds": _LIMITS.wall_seconds,
        }
        jail = stack.enter_context(sandbox.start(JailRequest(_ENTRY, (Frame(asked),), _LIMITS)))
        answer = next(jail.frames(), None)
        uids = {real_uid(process) for process in jail.processes()}
    if answer is None:
        return [Finding("probe", holds=False, detail=f"it ended without a word: {jail.exit().detail}")]
    return list(_judge(answer.header, uids))


def _places(environment: Environment) -> list[str]:
    """Name what no jail may see; a home that holds the environment itself shows that much and no more."""
    homes = [Path("/root"), Path.home()]
    shown = [Path(mount.target) for mount in environment.mounts()]
    closed = [home for home in homes if not any(target.is_relative_to(home) for target in shown)]
    return [str(path) for path in dict.fromkeys([*closed, Path("/etc/shadow"), *environment.hidden])]


def _judge(seen: Mapping[str, Any], uids: Collection[int | None]) -> Iterator[Finding]:
    reached = [way for way in ("tcp", "abstract") if seen[way] == "connected"]
    yield Finding("no network", not reached, f"a listener of this host was reached by {reached or 'no way'}.")
    yield Finding("no host files", not seen["seen"], f"it could read {seen['seen'] or 'none of them'}.")
    yield Finding("nothing to write", not seen["written"], f"it could write to {seen['written'] or 'none'}.")
    forks = int(seen["forks"])
    yield Finding("process limit", forks < _PROCESSES, f"{forks} processes at a limit of {_PROCESSES}.")
    yield Finding(
        "system call filter",
        seen["seccomp"] == 2 and seen["no_new_privileges"] == 1,
        f"Seccomp {seen['seccomp']}, NoNewPrivs {seen['no_new_privileges']} (wanted: 2, 1).",
    )
    none_left = not any(seen["capabilities"].values())
    yield Finding("no capabilities", none_left, f"capability masks {seen['capabilities']}.")
    yield Finding("not root outside", bool(uids) and 0 not in uids, f"it runs as host uids {list(uids)}.")


def _try_memory(sandbox: BubblewrapSandbox) -> Finding:
    bomb = Frame({"memory_bytes": _BOMB_BYTES})
    with sandbox.start(JailRequest(_ENTRY, (bomb,), _LIMITS)) as jail:
        for _ in jail.frames():
            pass
    ended = jail.exit()
    return Finding(
        "memory limit",
        ended.reason is ExitReason.MEMORY_LIMIT,
        f"{_BOMB_BYTES} bytes at a limit of {_LIMITS.memory_bytes} ended as {ended.reason} ({ended.detail}).",
    )


def _listen(stack: ExitStack, family: int, address: Any) -> socket.socket:
    listener = stack.enter_context(socket.socket(family))
    listener.bind(address)
    listener.listen(1)
    return listener
