"""Every attack of the suite, as a test of its own, against the real jail."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.attacks.cases import Case, load_cases
from tests.attacks.runner import SETUP_STATUS

REPOSITORY = Path(__file__).parents[2]
CASES = load_cases()
# One of each kind that leans on something else than control groups: files, network, calls, daemons, benign.
ELSEWHERE = (
    "escape_files: the rubric can be reached in no way",
    "escape_files: secrets of the service's environment are in nobody's",
    "network: a listener of the host cannot be reached over TCP",
    "network: an abstract socket of the host cannot be reached",
    "kernel_calls: nobody becomes somebody else",
    "proc_and_devices: settings of the kernel cannot be written",
    "left_behind: a daemon that outlives its kernel ends with the run",
    "time: an interrupt that is ignored costs the kernel",
    "benign: multiprocessing in all its forms",
    "bombs: memory in small pieces ends the kernel",
)
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")


class Attacker:
    """The runner, a process of its own that is asked for one case after the other."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def run(self, name: str) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(name, file=self._process.stdin, flush=True)
        line = self._process.stdout.readline()
        assert line, f"the runner ended with status {self._process.wait()}"
        result: dict[str, Any] = json.loads(line)
        return result


@contextmanager
def start_runner(*options: str) -> Iterator[Attacker]:
    with subprocess.Popen(_command("--serve", *options), **_PIPES) as process:
        yield Attacker(process)


@pytest.fixture(scope="module")
def attacker() -> Iterator[Attacker]:
    with start_runner() as attacker:
        yield attacker


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_attack_is_held(attacker: Attacker, case: Case) -> None:
    result = attacker.run(str(case))
    assert not result["problems"], "\n".join(result["problems"])
    if not result["verdict"]:
        pytest.skip(result["note"])


def test_there_are_at_least_a_hundred() -> None:
    assert len(CASES) >= 100
    assert {case.family for case in CASES} >= {"bombs", "escape_files", "the_reporter", "testimony", "benign"}


@needs_root
@pytest.mark.parametrize("machine", ["--as-user", "--without-cgroups"])
def test_without_control_groups_no_jail_is_started_unless_the_class_is_trusted(machine: str) -> None:
    ran = subprocess.run(
        _command(machine, "--json"), check=False, capture_output=True, text=True, cwd=REPOSITORY, env=_ENV
    )
    assert ran.returncode == SETUP_STATUS, ran.stderr
    assert "No control group" in ran.stderr
    assert "grader --trusted-class" in ran.stderr


@needs_root
@pytest.mark.parametrize("machine", ["--as-user", "--without-cgroups"])
def test_for_a_trusted_class_all_else_holds_without_control_groups(machine: str) -> None:
    with start_runner(machine, "--trusted-class") as attacker:
        results = [attacker.run(name) for name in ELSEWHERE]
    assert {result["name"]: result["problems"] for result in results if result["problems"]} == {}
    assert [result["note"] for result in results if not result["verdict"]] == [
        "no control groups: the machine's memory is not guarded"
    ]


_ENV = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
_PIPES: dict[str, Any] = {
    "stdin": subprocess.PIPE,
    "stdout": subprocess.PIPE,
    "text": True,
    "cwd": REPOSITORY,
    "env": _ENV,
}


def _command(*options: str) -> list[str]:
    return [sys.executable, "-m", "tests.attacks.runner", *options]
