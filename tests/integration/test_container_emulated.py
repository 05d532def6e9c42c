"""Jails work, and hold, in the worker's container: emulated by limits, uid, mounts and seccomp profile."""

from __future__ import annotations

import errno
import json
import os
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from grader.sandbox.cgroups import find_parents
from grader.sandbox.proc import Proc
from grader.sandbox.profile import NEEDED_BY_THE_LAUNCH, container_profile
from tests.integration.container_runs import UID, run_contained

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or not find_parents(), reason="a container is made by root, with control groups"
)


@pytest.fixture(scope="module")
def profile(repository: Path) -> str:
    return (repository / "docker" / "seccomp.json").read_text()


@pytest.fixture(params=list(Proc))
def proc(request: pytest.FixtureRequest) -> Proc:
    found: Proc = request.param
    return found


def test_jails_hold_and_the_kind_of_proc_is_found(proc: Proc, profile: str) -> None:
    seen = run_contained("look", proc, profile)
    assert (seen["proc"], seen["uid"], seen["writable"]) == (proc.value, UID, [])
    assert set(seen["findings"].values()) == {True}


def test_a_notebook_trains_a_model(proc: Proc, profile: str) -> None:
    ran = run_contained("notebook", proc, profile, memory_bytes=3 << 30)
    assert (ran["states"], ran["widths"]) == (["ok"] * 3, [8])


def test_a_memory_bomb_ends_as_such_and_does_not_count_for_the_next_jail(proc: Proc, profile: str) -> None:
    ran = run_contained("bomb", proc, profile)
    assert ran["bomb"] == "memory_limit"
    assert ran["kills"] > 0
    assert ran["peak"] > 256 << 20
    assert (ran["after"], ran["kills_after"]) == ("completed", 0)


def test_many_small_processes_are_ended_before_the_worker_is(proc: Proc, profile: str) -> None:
    ran = run_contained("swarm", proc, profile)
    assert (ran["reason"], ran["kills"] > 0) == ("memory_limit", True)


def test_jails_take_turns(proc: Proc, profile: str) -> None:
    ran = sorted(run_contained("turns", proc, profile), key=lambda jail: jail["began"])
    assert len(ran) == 3
    assert all(first["ended"] < second["began"] for first, second in pairwise(ran))


def test_a_jail_that_is_ended_leaves_nothing_alive(proc: Proc, profile: str) -> None:
    assert run_contained("killed", proc, profile) == []


def test_a_jail_that_asks_for_more_than_the_container_has_is_refused(profile: str) -> None:
    assert "Set mem_limit and memswap_limit" in run_contained("too_large", Proc.FRESH, profile)


def test_the_profile_itself_refuses_what_jails_are_refused(profile: str) -> None:
    errors = run_contained("refused", Proc.FRESH, profile)
    assert {name for name, error in errors.items() if error != errno.EPERM} <= NEEDED_BY_THE_LAUNCH
    without = run_contained("refused", Proc.FRESH, _profile(refused=()))
    assert len([name for name, error in without.items() if error != errno.EPERM]) > 40


@pytest.mark.parametrize("call", sorted(NEEDED_BY_THE_LAUNCH))
def test_no_call_is_allowed_that_the_launch_could_do_without(call: str, profile: str) -> None:
    refused = json.loads(profile)["syscalls"][0]["names"]
    assert run_contained("small", Proc.FRESH, _profile(refused=refused)) == "completed"
    assert "No jail could be started" in run_contained(
        "small", Proc.FRESH, _profile(refused=[*refused, call])
    )


def _profile(refused: Any) -> str:
    profile = json.loads(container_profile())
    profile["syscalls"][0]["names"] = list(refused)
    return json.dumps(profile)
