"""The image, the compose file and the seccomp profile agree with the command line and with the jail."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from grader.assignments import load_assignments
from grader.cli.settings import Settings
from grader.errors import SandboxUnavailable, SetupIncomplete
from grader.sandbox.arguments import Environment, build_arguments
from grader.sandbox.container import JailLimits, read_container
from grader.sandbox.jail import JailRequest, Limits
from grader.sandbox.proc import Proc
from grader.sandbox.profile import NEEDED_BY_THE_LAUNCH, container_profile, refused_in_container
from grader.sandbox.syscalls import DENIED

_UNITS = {"g": 1 << 30, "m": 1 << 20}


@pytest.fixture(scope="module")
def services(repository: Path) -> dict[str, Any]:
    loaded = YAML(typ="safe").load(repository / "docker-compose.yml")
    return dict(loaded["services"])


def test_the_compose_file_is_valid_by_the_compose_specification(repository: Path) -> None:
    checker = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    done = subprocess.run(
        [*checker, str(repository / "docker-compose.yml")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_web_and_worker_share_one_home(services: dict[str, Any], repository: Path) -> None:
    home = "/var/lib/grader/home"
    assert f"GRADER_HOME={home}" in (repository / "Dockerfile").read_text()
    assert {name: service["volumes"] for name, service in services.items()} == {
        "web": [f"home:{home}"],
        "worker": [f"home:{home}"],
    }


def test_the_worker_container_is_tight_and_has_no_network(services: dict[str, Any]) -> None:
    worker = services["worker"]
    assert worker["network_mode"] == "none"
    assert worker["read_only"] is True
    assert worker["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in worker["security_opt"]
    assert worker["mem_limit"] == worker["memswap_limit"]
    assert worker["tmpfs"] == ["/tmp:size=64m,mode=1777"]
    assert not {"privileged", "cap_add", "devices", "pid", "ipc", "user"} & set(worker)
    assert not any("docker.sock" in volume for volume in worker["volumes"])


def test_the_worker_container_takes_our_profile_and_no_other(
    services: dict[str, Any], repository: Path
) -> None:
    [named] = [option for option in services["worker"]["security_opt"] if option.startswith("seccomp")]
    profile = repository / named.removeprefix("seccomp=")
    assert profile.read_text() == container_profile(), (
        "Type: python -m grader.sandbox.profile > docker/seccomp.json"
    )


def test_the_profile_refuses_all_that_a_jail_is_refused_but_what_builds_one() -> None:
    profile = json.loads(container_profile())
    [rule] = profile["syscalls"]
    assert (profile["defaultAction"], rule["action"]) == ("SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO")
    assert set(rule["names"]) | NEEDED_BY_THE_LAUNCH == set(DENIED)
    assert not NEEDED_BY_THE_LAUNCH & set(refused_in_container())
    assert set(DENIED) > NEEDED_BY_THE_LAUNCH
    assert all(entry["subArchitectures"] == [] for entry in profile["archMap"])


def test_an_old_compose_can_leave_out_the_option_that_it_does_not_know(services: dict[str, Any]) -> None:
    options = services["worker"]["security_opt"]
    assert options[-1] == "${JAIL_PROC:-systempaths=unconfined}"
    assert len({*options[:-1], "no-new-privileges"}) == len(options)  # compose refuses one said twice


def test_the_worker_container_has_room_for_what_every_rubric_allows(
    services: dict[str, Any], repository: Path
) -> None:
    worker = services["worker"]
    assert worker["environment"]["GRADER_JAIL_LIMITS"] == JailLimits.CONTAINER
    memory = int(worker["mem_limit"][:-1]) * _UNITS[worker["mem_limit"][-1]]
    limits = [assignment.rubric.run_limits for assignment in load_assignments(repository).values()]
    assert memory >= max(limit.memory_bytes for limit in limits) + (1408 << 20)
    assert worker["pids_limit"] >= max(limit.processes for limit in limits) + 128


LIMITS = {
    "version 1": {"memory.limit_in_bytes": "536870912", "pids.max": "100"},
    "version 2": {"memory.max": "536870912", "pids.max": "100"},
}
NO_LIMITS = {
    "memory, version 1": ({"memory.limit_in_bytes": "9223372036854771712", "pids.max": "100"}, "memory"),
    "memory, version 2": ({"memory.max": "max", "pids.max": "100"}, "memory"),
    "processes": ({"memory.max": "536870912", "pids.max": "max"}, "processes"),
    "both": ({}, "memory and the processes"),
}


def _group(folder: Path, files: dict[str, str]) -> tuple[Path, ...]:
    for name, text in files.items():
        (folder / name).write_text(text + "\n")
    return (folder,)


@pytest.mark.parametrize("version", LIMITS)
def test_the_limits_of_the_container_are_read(tmp_path: Path, version: str) -> None:
    found = read_container(_group(tmp_path, LIMITS[version]))
    assert (found.memory_bytes, found.processes) == (512 << 20, 100)


@pytest.mark.parametrize("missing", NO_LIMITS)
def test_a_container_without_limits_is_refused_with_the_line_to_type(tmp_path: Path, missing: str) -> None:
    files, named = NO_LIMITS[missing]
    with pytest.raises(SetupIncomplete, match=rf"limits the {named} of this.*--memory .*--pids-limit"):
        read_container(_group(tmp_path, files))


def test_who_cannot_have_a_turn_is_told_to_run_one_worker_per_container(tmp_path: Path) -> None:
    files = _group(tmp_path, LIMITS["version 2"])
    first, second = read_container(files), read_container(files)
    turn = first.take_turn()
    with pytest.raises(SandboxUnavailable, match="--scale worker"):
        second.take_turn(patience_seconds=0)
    os.close(turn)
    os.close(second.take_turn(patience_seconds=0))


def test_what_an_earlier_jail_used_does_not_count_for_the_next(tmp_path: Path) -> None:
    files = {**LIMITS["version 2"], "memory.events": "oom 3\noom_kill 3", "memory.peak": "500"}
    usage = read_container(_group(tmp_path, files)).count()
    assert (usage.out_of_memory_kills(), usage.peak_memory_bytes()) == (0, 0)
    _group(tmp_path, {"memory.events": "oom 5\noom_kill 5", "memory.peak": "700"})
    assert (usage.out_of_memory_kills(), usage.peak_memory_bytes()) == (2, 700)


def test_a_bare_proc_holds_two_files_and_needs_nothing_of_the_covered_one(tmp_path: Path) -> None:
    environment = Environment(Path("/usr/bin/python3"), Path("/usr"), Path("/usr"), tmp_path)
    request = JailRequest("told", (), Limits(wall_seconds=1, memory_bytes=1))
    sources = {tmp_path: str(tmp_path)}
    handles = {"seccomp": 1, "status": 2}
    words = build_arguments(environment, request, sources, handles, Path("/usr/bin/bwrap"), proc=Proc.BARE)
    assert not {"--proc", "--disable-userns"} & set(words)
    assert [word for word in words if word.startswith("/proc/")] == ["/proc/cpuinfo"] * 2 + [
        "/proc/meminfo"
    ] * 2


def test_every_setting_in_the_compose_file_exists(services: dict[str, Any]) -> None:
    known = {f"GRADER_{name.upper()}" for name in Settings.model_fields}
    assert {name for service in services.values() for name in service.get("environment", {})} <= known


def test_the_image_runs_as_nobody_special_and_holds_the_content(repository: Path) -> None:
    lines = (repository / "Dockerfile").read_text().splitlines()
    assert "USER 10001:10001" in lines
    assert any("useradd --uid 10001" in line for line in lines)
    assert {"COPY rubrics ./rubrics", "COPY reference ./reference"} <= set(lines)
    assert any("bubblewrap" in line and "libseccomp2" in line for line in lines)
