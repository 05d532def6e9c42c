"""What this machine can do for jails: what was looked at, what was found, the line to type."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from grader.errors import GraderError, SetupIncomplete
from grader.sandbox.arguments import Environment, system_arguments
from grader.sandbox.bubblewrap import BubblewrapSandbox, find_bwrap
from grader.sandbox.cgroups import find_parents
from grader.sandbox.container import JailLimits, find_container
from grader.sandbox.diagnosis import (
    APPARMOR,
    BARE_ROOT,
    CONTAINER_APPARMOR,
    COVERED_PROC,
    NO_LIBSECCOMP,
    NO_NAMESPACES,
    NO_TOOLS,
    ROOT_NAMESPACES,
    SECCOMP,
    WITHOUT_GROUPS,
    Cause,
    find_cause,
    find_unreadable,
    group_cause,
    namespace_cause,
)
from grader.sandbox.launch import TOOLS_PATH
from grader.sandbox.machine import Machine
from grader.sandbox.proc import find_proc
from grader.sandbox.selftest import check_sandbox
from grader.sandbox.slots import FIRST_UID
from grader.sandbox.syscalls import compile_filter

_LEAST_DISK_BYTES = 512 << 20  # with less the web process takes no uploads


class Holds(StrEnum):
    """Whether jails can rely on it."""

    YES = "yes"
    WEAKER = "weaker"
    NO = "no"


@dataclass(frozen=True, slots=True)
class Look:
    """One thing that was looked at."""

    name: str
    found: str
    holds: Holds = Holds.YES
    line: str = ""  # to type; empty where there is nothing to mend


@dataclass(frozen=True, slots=True)
class Needs:
    """What the jails of this service will take."""

    jails: int  # at a time
    memory_bytes: int  # each, at most
    home: Path  # where uploads and weights are kept


def examine(
    machine: Machine,
    environment: Environment,
    needs: Needs,
    open_sandbox: Callable[[], BubblewrapSandbox],
    *,
    trusted_class: bool,
    jail_limits: JailLimits = JailLimits.CGROUP,
) -> list[Look]:
    """Look at everything, then try a jail. Never raises for what a machine lacks.

    ``open_sandbox`` must open one without control groups, too: what else holds is then seen as well.
    """
    programs = list(look_at_programs())
    parents = _parents()
    return [
        *programs,
        *look_at_kernel(machine, _try_bubblewrap(machine) if programs[0].holds is Holds.YES else None),
        look_at_container()
        if jail_limits is JailLimits.CONTAINER
        else look_at_groups(machine, parents, trusted_class=trusted_class),
        look_at_swap(machine, parents),
        *look_at_room(machine, environment, needs),
        *_try_jails(open_sandbox),
    ]


def look_at_programs() -> Iterator[Look]:
    """bubblewrap, the programs that launch it, libseccomp."""
    try:
        place, version = find_bwrap()
        yield Look("bubblewrap", f"{version}, {place}")
    except (SetupIncomplete, OSError, subprocess.SubprocessError) as error:
        yield Look("bubblewrap", *_split(error))
    missing = [name for name in ("unshare", "setpriv", "prlimit") if not shutil.which(name, path=TOOLS_PATH)]
    yield _judge("util-linux", f"without {missing}" if missing else "complete", NO_TOOLS if missing else None)
    try:
        yield Look("libseccomp", f"compiles our filter to {len(compile_filter())} bytes")
    except (SetupIncomplete, OSError) as error:
        yield _judge("libseccomp", str(error.__cause__ or error), NO_LIBSECCOMP)


def look_at_kernel(machine: Machine, tried: str | None) -> list[Look]:
    """What may forbid a jail. ``tried``: what bubblewrap said; empty: it worked; None: it was not tried.

    A file tells what is likely, a try what is so: where bubblewrap worked, nothing here is in the way.
    """
    seen = namespace_cause(machine)
    met = find_cause(tried, machine) if tried else None
    confined = machine.restricts_anyone and not machine.bwrap_profile
    bare = machine.uid == 0 and not machine.root_may_prepare
    seccomp = f"a filter is on{' in ' + machine.container if machine.container else ''}"
    files: list[tuple[str, str, Cause | None, tuple[Cause, ...]]] = [
        (
            "user namespaces",
            "not told by this kernel" if machine.namespaces is None else f"{machine.namespaces} allowed",
            seen if seen is not SECCOMP else None,
            (NO_NAMESPACES, ROOT_NAMESPACES),
        ),
        (
            "AppArmor",
            _describe_apparmor(machine),
            APPARMOR if confined else None,
            (APPARMOR, CONTAINER_APPARMOR),
        ),
        ("seccomp around us", seccomp if machine.seccomp else "none", None, (SECCOMP,)),
        (
            "/proc",
            f"hidden in part: {', '.join(machine.covered)}" if machine.covered else "whole",
            COVERED_PROC if machine.covered else None,
            (COVERED_PROC,),
        ),
        ("user", _describe_user(machine), BARE_ROOT if bare else None, (BARE_ROOT,)),
    ]
    looks = []
    for name, found, suspected, possible in files:
        cause = met if met in possible else suspected
        if tried == "" and cause is not None and cause is not BARE_ROOT:
            looks.append(Look(name, f"{found}; bubblewrap works all the same"))
        else:
            looks.append(_judge(name, found, cause))
    if tried and met is None:
        looks.append(Look("bubblewrap, tried", tried.strip().replace("\n", " | ")[-300:], Holds.NO))
    return looks


def look_at_groups(machine: Machine, parents: tuple[Path, ...], *, trusted_class: bool) -> Look:
    """Control groups: version, and below which folders jails get theirs."""
    version = f"version {machine.groups_version}" if machine.groups_version else "none"
    if parents:
        return Look("control groups", f"{version}, below {', '.join(map(str, parents))}")
    look = _judge("control groups", version, group_cause(machine))
    if not trusted_class:
        return look
    return replace(look, found=f"{look.found} Weaker: {'; '.join(WITHOUT_GROUPS)}.", holds=Holds.WEAKER)


def look_at_container() -> Look:
    """The limits of this container, which stand in for a control group of each jail."""
    try:
        found = find_container()
    except SetupIncomplete as error:
        return Look("container limits", *_split(error))
    return Look(
        "container limits", f"{found.memory_bytes >> 20} MiB, {found.processes} processes; jails take turns"
    )


def look_at_swap(machine: Machine, parents: tuple[Path, ...]) -> Look:
    """Swap: a jail that may use it slows the whole machine down before its limit ends it."""
    if not machine.swap_bytes:
        return Look("swap", "none")
    found = f"{machine.swap_bytes >> 20} MiB"
    if any(any(parent.glob("memory.*sw*.*")) for parent in parents):
        return Look("swap", f"{found}; jails are kept from it")
    return Look("swap", f"{found}; jails cannot be kept from it", Holds.WEAKER, "sudo swapoff -a")


def look_at_room(machine: Machine, environment: Environment, needs: Needs) -> Iterator[Look]:
    """Whether the service uid can read Python, and whether memory and disk do for the jails."""
    yield _judge("Python environment", str(environment.prefix), find_unreadable(environment))
    available, wanted = machine.available_bytes, needs.jails * needs.memory_bytes
    memory = f"{needs.jails} jails at {needs.memory_bytes >> 20} MiB"
    if available is None:
        yield Look("memory", f"not told by this kernel; wanted: {memory}", Holds.WEAKER)
    elif available < wanted:
        fit = max(1, available // needs.memory_bytes)
        found = f"{available >> 20} MiB available; wanted at most: {memory}"
        yield Look("memory", found, Holds.WEAKER, f"GRADER_WORKERS={fit} grader serve")
    else:
        yield Look("memory", f"{available >> 20} MiB available for {memory}")
    there = next(folder for folder in (needs.home, *needs.home.parents) if folder.exists())
    free = shutil.disk_usage(there).free
    found = f"{free >> 20} MiB free in {there}"
    if free < _LEAST_DISK_BYTES:
        line = "GRADER_HOME=/a/folder/on/a/larger/disk grader serve"
        yield Look("disk", f"{found}; uploads need {_LEAST_DISK_BYTES >> 20}", Holds.WEAKER, line)
    else:
        yield Look("disk", found)


def _try_bubblewrap(machine: Machine) -> str:
    """Return what an empty jail without our filter, limits and staging says; empty where it works."""
    user = (
        ["--reuid", str(FIRST_UID), "--regid", str(FIRST_UID), "--clear-groups"] if machine.uid == 0 else []
    )
    proc = find_proc(find_bwrap()[0])
    jail = ["--unshare-user", "--unshare-pid", "--unshare-net", *proc.forbid_namespaces()]
    jail += [*system_arguments(), *proc.arguments(), "--dev", "/dev"]
    command = ["setpriv", "--no-new-privs", *user, "bwrap", *jail, "/usr/bin/true"]
    try:
        ran = subprocess.run(
            command,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=10,
            check=False,
            env={"PATH": TOOLS_PATH},
        )
    except (OSError, subprocess.SubprocessError) as error:
        return str(error)
    return "" if ran.returncode == 0 else ran.stderr.strip() or f"exit status {ran.returncode}"


def _try_jails(open_sandbox: Callable[[], BubblewrapSandbox]) -> Iterator[Look]:
    try:
        findings = check_sandbox(open_sandbox())
    except (GraderError, OSError, subprocess.SubprocessError) as error:
        yield Look("a jail", *_split(error))
        return
    for found in findings:
        yield Look(f"a jail: {found.name}", found.detail, Holds.YES if found.holds else Holds.NO)


def _parents() -> tuple[Path, ...]:
    try:
        return find_parents()
    except OSError:
        return ()


def _judge(name: str, found: str, cause: Cause | None) -> Look:
    return Look(name, found) if cause is None else Look(name, f"{found}. {cause.what}", Holds.NO, cause.line)


def _split(error: BaseException) -> tuple[str, Holds, str]:
    """Part an error's message into what was found and the line to type."""
    what, _, line = str(error).partition(" Type: ")
    line, _, said = line.partition(" (It said: ")
    return f"{what} (It said: {said}" if said else what, Holds.NO, line


def _describe_apparmor(machine: Machine) -> str:
    if not machine.has_apparmor:
        return "off"
    if not machine.restricts_anyone:
        return "on, user namespaces are not restricted"
    return f"on, user namespaces are restricted; profile for bubblewrap: {machine.bwrap_profile or 'none'}"


def _describe_user(machine: Machine) -> str:
    who = "root" if machine.uid == 0 else f"uid {machine.uid}"
    return f"{who}, in {machine.container}" if machine.container else who
