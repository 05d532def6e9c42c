"""What `grader doctor` makes of each kind of machine, laid out as a tree of the kernel's files."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from grader.errors import SetupIncomplete
from grader.sandbox import bubblewrap, doctor
from grader.sandbox.arguments import this_environment
from grader.sandbox.bubblewrap import BubblewrapSandbox
from grader.sandbox.cgroups import find_parents
from grader.sandbox.diagnosis import WITHOUT_GROUPS
from grader.sandbox.doctor import (
    Holds,
    Look,
    Needs,
    examine,
    look_at_groups,
    look_at_kernel,
    look_at_room,
    look_at_swap,
)
from grader.sandbox.machine import Machine, read_machine

ALL, NONE = "000001ffffffffff", "0000000000000000"
OF_DOCKER = "00000000a80425fb"  # without CAP_SYS_ADMIN
V2 = "30 24 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw\n24 1 0:22 / /proc rw - proc proc rw\n"
COVERS = (
    "40 24 0:22 /bus /proc/bus ro - proc proc rw\n41 24 0:99 / /proc/acpi ro - tmpfs tmpfs ro\n"
    "42 24 0:98 / /proc/sys/fs/binfmt_misc rw - autofs systemd-1 rw\n"
)
REFUSED = "bwrap: No permissions to create new namespace, likely because the kernel does not allow it"


def _status(capabilities: str = NONE, seccomp: int = 0) -> str:
    return (
        f"Name:\tpython\nCapEff:\t{capabilities}\nNoNewPrivs:\t0\nSeccomp:\t{seccomp}\nSeccomp_filters:\t1\n"
    )


LINUX = {
    "proc/self/status": _status(),
    "proc/self/mountinfo": V2,
    "proc/self/cgroup": "0::/user.slice/u.scope\n",
    "proc/sys/user/max_user_namespaces": "63000\n",
    "proc/meminfo": "MemTotal: 8000000 kB\nMemAvailable:    4194304 kB\n",
    "proc/swaps": "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n",
    "run/systemd/system/": "",
}
IN_DOCKER = LINUX | {
    "run/systemd/system/": None,
    ".dockerenv": "",
    "proc/self/cgroup": "0::/\n",
    "proc/self/status": _status(seccomp=2),
    "proc/self/mountinfo": V2 + COVERS,
}
DELEGATED = {
    f"sys/fs/cgroup/user.slice/u.scope/{name}": text
    for name, text in {"cgroup.procs": "", "cgroup.subtree_control": "cpu memory pids\n"}.items()
}


@dataclass(frozen=True)
class Kind:
    """A machine, what bubblewrap says there, and what doctor is to say: row → (holds, in the line)."""

    files: Mapping[str, str | None]
    tried: str | None
    expected: Mapping[str, tuple[Holds, str]]
    uid: int = 1000
    trusted_class: bool = False
    found: Mapping[str, str] = field(default_factory=dict)


GROUPS_AS_USER = {"control groups": (Holds.NO, "systemd-run --user --scope -p Delegate=yes grader serve")}
UBUNTU = {
    "sys/module/apparmor/parameters/enabled": "Y\n",
    "proc/sys/kernel/apparmor_restrict_unprivileged_userns": "1\n",
}
MACHINES = {
    "Ubuntu 24.04, restricted": Kind(
        LINUX | UBUNTU,
        "bwrap: setting up uid map: Permission denied",
        {"AppArmor": (Holds.NO, "kernel.apparmor_restrict_unprivileged_userns=0"), **GROUPS_AS_USER},
    ),
    "Ubuntu 24.04, restricted, without bubblewrap": Kind(
        LINUX | UBUNTU,
        None,
        {"AppArmor": (Holds.NO, "kernel.apparmor_restrict_unprivileged_userns=0"), **GROUPS_AS_USER},
    ),
    "Ubuntu 24.04 with a profile for bubblewrap": Kind(
        LINUX
        | UBUNTU
        | {"etc/apparmor.d/bwrap": "abi <abi/4.0>,\nprofile bwrap /usr/bin/bwrap flags=(unconfined) {}"},
        "",
        GROUPS_AS_USER,
        found={"AppArmor": "/etc/apparmor.d/bwrap"},
    ),
    "Debian 12, below systemd, delegated": Kind(
        LINUX | DELEGATED | {"sys/module/apparmor/parameters/enabled": "Y\n"},
        "",
        {},
        found={"control groups": "version 2, below", "AppArmor": "not restricted"},
    ),
    "Debian where only root may make namespaces": Kind(
        LINUX | DELEGATED | {"proc/sys/kernel/unprivileged_userns_clone": "0\n"},
        REFUSED,
        {"user namespaces": (Holds.NO, "sysctl -w kernel.unprivileged_userns_clone=1")},
    ),
    "user namespaces turned off": Kind(
        LINUX | DELEGATED | {"proc/sys/user/max_user_namespaces": "0\n"},
        "bwrap: Creating new namespace failed: nesting depth or max_*_namespaces exceeded (ENOSPC)",
        {"user namespaces": (Holds.NO, "sysctl -w user.max_user_namespaces=15000")},
    ),
    "Docker with its default profiles": Kind(
        IN_DOCKER,
        REFUSED,
        {
            "seccomp around us": (Holds.NO, "seccomp=docker/seccomp.json"),
            "/proc": (Holds.NO, "systempaths=unconfined"),
            "control groups": (Holds.NO, "GRADER_JAIL_LIMITS=container"),
        },
        found={"/proc": "/proc/bus, /proc/acpi."},
    ),
    "Docker with a profile for bubblewrap": Kind(
        IN_DOCKER | {"proc/self/mountinfo": V2},
        "",
        {"control groups": (Holds.WEAKER, "GRADER_JAIL_LIMITS=container")},
        trusted_class=True,
        found={"control groups": WITHOUT_GROUPS[0]},
    ),
    "Docker, confined by AppArmor": Kind(
        IN_DOCKER | {"proc/self/mountinfo": V2, "sys/module/apparmor/parameters/enabled": "Y\n"},
        "bwrap: Failed to make / slave: Permission denied",
        {
            "AppArmor": (Holds.NO, "apparmor=unconfined"),
            "control groups": (Holds.WEAKER, "--pids-limit 512"),
        },
        trusted_class=True,
    ),
    "root in Docker": Kind(
        IN_DOCKER | {"proc/self/mountinfo": V2, "proc/self/status": _status(OF_DOCKER, 2)},
        "",
        {"user": (Holds.NO, "docker run --user"), "control groups": (Holds.NO, "--memory 4608m")},
        uid=0,
    ),
    "root below systemd": Kind(
        LINUX | {"proc/self/status": _status(ALL)},
        "",
        {"control groups": (Holds.NO, "systemd-run --scope -p Delegate=yes grader serve")},
        uid=0,
    ),
    "a user without control groups and systemd": Kind(
        LINUX | {"run/systemd/system/": None},
        "",
        {"control groups": (Holds.NO, "sudo grader serve")},
    ),
    "root without any control group": Kind(
        LINUX
        | {
            "run/systemd/system/": None,
            "proc/self/status": _status(ALL),
            "proc/self/mountinfo": "24 1 0:22 / /proc rw - proc proc rw\n",
        },
        "",
        {"control groups": (Holds.NO, "mount -t cgroup2")},
        uid=0,
        found={"control groups": "none"},
    ),
    "a machine that tells nothing": Kind(
        {}, None, {"control groups": (Holds.NO, "sudo grader serve")}, found={"user namespaces": "not told"}
    ),
}


def _lay_out(folder: Path, files: Mapping[str, str | None]) -> Path:
    for name, text in files.items():
        place = folder / name
        if text is None:
            continue
        if name.endswith("/"):
            place.mkdir(parents=True)
        else:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text)
    return folder


def _machine(folder: Path, kind: Kind) -> Machine:
    return read_machine(_lay_out(folder, kind.files), kind.uid)


@pytest.mark.parametrize("name", MACHINES)
def test_each_kind_of_machine_is_told_what_it_lacks_and_nothing_else(tmp_path: Path, name: str) -> None:
    kind = MACHINES[name]
    machine = _machine(tmp_path, kind)
    parents = find_parents(tmp_path) if kind.files else ()
    groups = look_at_groups(machine, parents, trusted_class=kind.trusted_class)
    looks = {look.name: look for look in (*look_at_kernel(machine, kind.tried), groups)}
    assert {name for name, look in looks.items() if look.holds is not Holds.YES} == set(kind.expected)
    for row, (holds, line) in kind.expected.items():
        assert looks[row].holds is holds
        assert line in looks[row].line
    for row, found in kind.found.items():
        assert found in looks[row].found


def test_where_bubblewrap_works_a_file_that_says_otherwise_is_only_mentioned(tmp_path: Path) -> None:
    kind = MACHINES["Ubuntu 24.04, restricted"]
    looks = {look.name: look for look in look_at_kernel(_machine(tmp_path, kind), "")}
    assert looks["AppArmor"].holds is Holds.YES
    assert "works all the same" in looks["AppArmor"].found


def test_what_bubblewrap_says_is_shown_where_nobody_knows_its_cause(tmp_path: Path) -> None:
    machine = _machine(tmp_path, MACHINES["Debian 12, below systemd, delegated"])
    assert look_at_kernel(machine, "bwrap: something new")[-1] == Look(
        "bubblewrap, tried", "bwrap: something new", Holds.NO
    )


@pytest.mark.parametrize(
    ("settings", "holds"), [((), Holds.WEAKER), (("memory.swap.max",), Holds.YES)], ids=["not", "kept"]
)
def test_swap_is_a_weakness_where_jails_cannot_be_kept_from_it(
    tmp_path: Path, settings: tuple[str, ...], holds: Holds
) -> None:
    swapping = LINUX | {"proc/swaps": f"{LINUX['proc/swaps']}/dev/vda2 partition\t2097148\t\t0\t\t-2\n"}
    machine = _machine(tmp_path, Kind(swapping, None, {}))
    parent = tmp_path / "group"
    (parent / "jail").mkdir(parents=True)
    for name in settings:
        (parent / name).touch()
    look = look_at_swap(machine, (parent,))
    assert (look.holds, look.line) == (holds, "" if holds is Holds.YES else "sudo swapoff -a")
    assert "2047 MiB" in look.found


def test_the_memory_of_a_container_is_its_limit_and_says_how_many_workers_fit(tmp_path: Path) -> None:
    tight = IN_DOCKER | {"sys/fs/cgroup/memory.max": f"{3 << 30}\n"}
    machine = _machine(tmp_path, Kind(tight, None, {}))
    looks = look_at_room(machine, this_environment(), Needs(4, 1 << 30, tmp_path / "not" / "yet" / "there"))
    memory = next(look for look in looks if look.name == "memory")
    assert (memory.holds, memory.line) == (Holds.WEAKER, "GRADER_WORKERS=3 grader serve")


def test_a_full_disk_is_a_weakness(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = type(shutil.disk_usage(tmp_path))
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(1 << 40, 1 << 40, 1 << 20))
    looks = look_at_room(read_machine(tmp_path), this_environment(), Needs(1, 1 << 30, tmp_path))
    assert {look.name: look.holds for look in looks}["disk"] is Holds.WEAKER


def test_a_machine_without_anything_is_examined_to_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> BubblewrapSandbox:
        raise SetupIncomplete("Nothing is here. Type: sudo apt-get install everything")

    def no_library() -> bytes:
        raise SetupIncomplete("no libseccomp")

    def no_files() -> tuple[Path, ...]:
        raise FileNotFoundError("/proc/self/mountinfo")

    monkeypatch.setattr(bubblewrap, "TOOLS_PATH", str(tmp_path))
    monkeypatch.setattr(doctor, "TOOLS_PATH", str(tmp_path))
    monkeypatch.setattr(doctor, "compile_filter", no_library)
    monkeypatch.setattr(doctor, "find_parents", no_files)
    looks = examine(
        read_machine(tmp_path, os.geteuid()),
        this_environment(),
        Needs(1, 1 << 30, tmp_path),
        refuse,
        trusted_class=False,
    )
    lines = {look.name: look.line for look in looks if look.holds is Holds.NO}
    assert lines["bubblewrap"] == "sudo apt-get install bubblewrap"
    assert lines["util-linux"] == "sudo apt-get install util-linux"
    assert lines["libseccomp"] == "sudo apt-get install libseccomp2"
    assert lines["a jail"] == "sudo apt-get install everything"
