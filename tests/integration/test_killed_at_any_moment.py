"""kill -9 of a worker at any moment leaves no jail, no control group and no folder on the machine."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

from grader.sandbox.bubblewrap import MACHINE_FOLDER, open_sandbox
from grader.sandbox.cgroups import find_parents
from grader.sandbox.owners import name_owner

# What a worker does all day: jails that wait are made, one runs a notebook, another measures.
WORKER = """
import sys
from pathlib import Path
from grader.sandbox.bubblewrap import open_sandbox
from grader.sandbox.warm_pool import PoolLimits, WarmPool
from tests.integration.notebook_runs import run_cells

sandbox = open_sandbox(scratch=Path(sys.argv[1]))
with WarmPool(sandbox, PoolLimits(jails=1, age_seconds=600, memory_bytes=2 << 30)) as pool:
    print("ready", flush=True)
    while True:
        run_cells(sandbox, "import subprocess, time", "subprocess.Popen(['sleep', '600'])")
        run_cells(pool, "import torch")
"""
MOMENTS = 100
AT_ONCE = 10
LONGEST_SECONDS = 3.0


def test_a_worker_that_is_killed_leaves_nothing(tmp_path: Path, repository: Path) -> None:
    moments = random.Random(5)
    folders_before = set(Path("/tmp").iterdir())
    killed: list[int] = []
    for round_number in range(MOMENTS // AT_ONCE):
        with ExitStack() as stack:
            workers = [
                stack.enter_context(_worker(tmp_path / f"{round_number}-{n}", repository))
                for n in range(AT_ONCE)
            ]
            for worker in workers:
                assert worker.stdout is not None
                assert worker.stdout.readline() == "ready\n"
            timers = [threading.Timer(moments.uniform(0, LONGEST_SECONDS), w.kill) for w in workers]
            for timer in timers:
                timer.start()
            for timer in timers:
                timer.join()
            killed += [worker.pid for worker in workers]
    _wait_until(lambda: not any(_groups_of(process) for process in killed))
    _wait_until(lambda: not list(_processes_of(tmp_path)))
    for scratch in tmp_path.iterdir():
        open_sandbox(scratch=scratch)  # what a next start would do
        assert list((scratch / "jails").iterdir()) == []
    assert not list((MACHINE_FOLDER / "stage").glob("*"))
    assert not {one for one in set(Path("/tmp").iterdir()) - folders_before if "jail" in one.name}


def _worker(scratch: Path, repository: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", WORKER, str(scratch)],
        stdout=subprocess.PIPE,
        text=True,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(repository)},
    )


def _groups_of(process: int) -> list[Path]:
    namespace = name_owner().split("-")[0]
    return [
        group for parent in find_parents() for group in parent.glob(f"notebook-jail-{namespace}-{process}-*")
    ]


def _processes_of(folder: Path) -> Iterator[str]:
    """The command line of every process, dead workers' watchdogs among them, that names the folder."""
    for place in Path("/proc").glob("[0-9]*"):
        try:
            words = (place / "cmdline").read_bytes()
        except OSError:
            continue
        if os.fsencode(folder) in words and b"pytest" not in words:
            yield words.decode()


def _wait_until(true: Callable[[], bool]) -> None:
    give_up = time.monotonic() + 60
    while not true():
        assert time.monotonic() < give_up
        time.sleep(0.05)
