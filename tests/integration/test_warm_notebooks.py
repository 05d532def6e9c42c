"""Notebooks in jails that were made ahead of need: as in any other, only sooner."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from grader.domain.run import Verdict
from grader.errors import RunIncomplete
from grader.notebooks.execution.execute import shape_of_runs
from grader.sandbox.bubblewrap import BubblewrapSandbox, open_sandbox
from grader.sandbox.cgroups import find_parents
from grader.sandbox.jail import Jail
from grader.sandbox.running import BubblewrapJail
from grader.sandbox.warm_pool import PoolLimits, WarmPool
from tests.integration.notebook_runs import AUTOENCODER, LIMITS, run_cells

SHAPE = shape_of_runs(LIMITS, (), 7)
NUMBERS = "import random, numpy, torch\nprint(random.random(), numpy.random.rand(), torch.rand(1).item())"


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> BubblewrapSandbox:
    return open_sandbox(scratch=tmp_path_factory.mktemp("scratch"))


@pytest.fixture(scope="module")
def pool(sandbox: BubblewrapSandbox) -> Iterator[WarmPool]:
    with WarmPool(sandbox, PoolLimits(jails=1, age_seconds=600, memory_bytes=2 << 30)) as pool:
        pool.expect([SHAPE])
        while not pool.ready():
            time.sleep(0.05)
        yield pool


def test_all_that_takes_long_to_import_is_there_before_the_first_cell(pool: WarmPool) -> None:
    wanted = "{'torch', 'torch._dynamo', 'torchvision', 'numpy', 'matplotlib.pyplot'}"
    outcome = run_cells(pool, f"import sys\nprint({wanted} - set(sys.modules))\nprint('torch' in dir())")
    assert outcome.text(0) == "set()\nFalse\n"
    assert outcome.run.verdict is Verdict.OK


def test_a_warm_kernel_and_a_cold_one_draw_the_same_numbers(
    pool: WarmPool, sandbox: BubblewrapSandbox
) -> None:
    assert run_cells(pool, NUMBERS).text(0) == run_cells(sandbox, NUMBERS).text(0)


def test_every_notebook_has_a_jail_of_its_own(pool: WarmPool) -> None:
    mark = "import os, torch\nprint(os.path.exists('left'), 'left' in dir())\nleft = open('left', 'w')"
    assert run_cells(pool, mark).text(0) == run_cells(pool, mark).text(0) == "False False\n"


def test_models_trained_in_a_warm_kernel_are_harvested(pool: WarmPool) -> None:
    assert run_cells(pool, AUTOENCODER, "fit(AE(2))\nfit(AE(3))").widths == [2, 3]


def test_a_warm_jail_has_the_limits_of_any_other(pool: WarmPool) -> None:
    hoard = "hoard = [bytearray(b'x' * (1 << 24)) for _ in range(10_000)]"
    outcome = run_cells(pool, "import torch", hoard, "1")
    assert outcome.states == ["ok", "error", "not_run"]
    assert outcome.run.verdict is Verdict.MEMORY_LIMIT


def test_a_jail_whose_kernel_dies_while_it_waits_ends_so_that_nobody_gets_it(
    sandbox: BubblewrapSandbox,
) -> None:
    with sandbox.prepare(SHAPE) as jail:
        jail.hurry()
        assert jail.await_prepared()
        for process in jail.processes():
            if b"inside.kernel\0" in _command_line(process):
                os.kill(process, signal.SIGKILL)
        while jail.is_waiting():
            time.sleep(0.01)


def test_a_kernel_that_died_just_before_its_notebook_is_our_failure_and_never_the_students(
    sandbox: BubblewrapSandbox,
) -> None:
    with sandbox.prepare(SHAPE) as jail:
        jail.hurry()
        assert jail.await_prepared()
        kernel = [one for one in jail.processes() if b"inside.kernel\0" in _command_line(one)]
        for process in kernel:
            os.kill(process, signal.SIGKILL)
        while set(kernel) & set(jail.processes()):
            time.sleep(0.001)
        with pytest.raises(RunIncomplete):
            run_cells(_Given(jail), "print('never')")


def test_a_jail_that_waits_is_ended_with_its_pool(sandbox: BubblewrapSandbox) -> None:
    before = _groups()
    with WarmPool(sandbox, PoolLimits(jails=1, age_seconds=600, memory_bytes=2 << 30)) as pool:
        pool.expect([SHAPE])
        assert run_cells(pool, "import torch").states == ["ok"]
        while _groups() <= before:  # until the next one is being made
            time.sleep(0.01)
    assert _groups() <= before


def _groups() -> set[Path]:
    return {group for parent in find_parents() for group in parent.glob(f"*-{os.getpid()}-*")}


def _command_line(process: int) -> bytes:
    return Path(f"/proc/{process}/cmdline").read_bytes()


class _Given:
    """A sandbox that has just this one jail."""

    def __init__(self, jail: BubblewrapJail) -> None:
        self._jail = jail

    def start(self, request: object) -> Jail:
        self._jail.begin(request)  # type: ignore[arg-type]
        return self._jail
