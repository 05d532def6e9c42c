"""Finding our own control groups, on every kind of machine, and reading what they count."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.sandbox.cgroups import Cgroup, find_unified, own_groups

V1 = """\
30 24 0:26 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755
31 30 0:27 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
32 30 0:28 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids
33 30 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct
34 30 0:30 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
"""
V1_OWN = "4:memory:/system.slice/a\n3:pids:/\n2:cpu,cpuacct:/system.slice\n1:name=systemd:/\n0::/\n"
V2 = "30 24 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
DOCKER_V1 = "31 30 0:27 /docker/abc /sys/fs/cgroup/memory ro,relatime master:9 - cgroup cgroup rw,memory\n"

MACHINES = {
    "version 1": (
        V1,
        V1_OWN,
        {
            "memory": "/sys/fs/cgroup/memory/system.slice/a",
            "pids": "/sys/fs/cgroup/pids",
            "cpu": "/sys/fs/cgroup/cpu,cpuacct/system.slice",
            "cpuacct": "/sys/fs/cgroup/cpu,cpuacct/system.slice",
            "": "/sys/fs/cgroup/unified",
        },
    ),
    "version 2": (V2, "0::/user.slice/u.scope\n", {"": "/sys/fs/cgroup/user.slice/u.scope"}),
    "version 2 in a container": (V2, "0::/\n", {"": "/sys/fs/cgroup"}),
    "version 1 in a container": (
        DOCKER_V1,
        "4:memory:/docker/abc\n",
        {"memory": "/sys/fs/cgroup/memory"},
    ),
    "none": ("30 24 0:26 / / rw - ext4 /dev/vda rw\n", "0::/\n", {}),
}


@pytest.mark.parametrize("machine", MACHINES)
def test_own_groups_are_found(machine: str) -> None:
    mounts, own, expected = MACHINES[machine]
    assert {name: str(folder) for name, folder in own_groups(mounts, own).items()} == expected


def _group(folder: Path, **files: str) -> Path:
    folder.mkdir(parents=True)
    for name, text in {"procs": "", **files}.items():
        (folder / f"cgroup.{name}").write_text(text)
    return folder


def test_a_group_that_hands_controllers_down_is_used(tmp_path: Path) -> None:
    own = _group(tmp_path / "own", subtree_control="cpu memory pids\n")
    assert find_unified(own) == (own,)


def test_the_group_above_serves_where_it_hands_controllers_down(tmp_path: Path) -> None:
    above = _group(tmp_path / "slice", subtree_control="memory pids\n")
    assert find_unified(_group(above / "supervisor", subtree_control="\n")) == (above,)


def test_a_group_without_the_controllers_is_of_no_use(tmp_path: Path) -> None:
    own = _group(tmp_path / "own", subtree_control="\n", controllers="cpu\n", events="populated 1\n")
    assert find_unified(own) == ()


def test_a_container_moves_its_processes_aside_to_hand_controllers_down(tmp_path: Path) -> None:
    own = _group(
        tmp_path / "own", subtree_control="\n", controllers="memory pids\n", events="", procs="1\n7\n"
    )
    # No kernel behind these files: what was asked of it is what can be seen.
    assert find_unified(own) == ()
    assert (own / "supervisor" / "cgroup.procs").read_text() == "7"
    assert (own / "cgroup.subtree_control").read_text() == "+cpu"


COUNTED = {
    "version 1": {
        "memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n",
        "memory.max_usage_in_bytes": "4096\n",
    },
    "version 2": {"memory.events": "low 0\nmax 9\noom 3\noom_kill 2\n", "memory.peak": "4096\n"},
}


@pytest.mark.parametrize("version", COUNTED)
def test_what_the_kernel_counted_is_read(tmp_path: Path, version: str) -> None:
    for name, text in COUNTED[version].items():
        (tmp_path / name).write_text(text)
    group = Cgroup((tmp_path,))
    assert (group.out_of_memory_kills(), group.peak_memory_bytes()) == (2, 4096)


def test_a_group_that_is_gone_counts_nothing(tmp_path: Path) -> None:
    group = Cgroup((tmp_path / "gone",))
    assert (group.processes(), group.out_of_memory_kills(), group.peak_memory_bytes()) == ([], 0, 0)
    assert group.remove()
