"""Our way, in a process of its own: as many workers as cores, a fresh jail per notebook. JSON on stdout."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from pathlib import Path

from benchmarks.accounting import cpu_seconds
from benchmarks.notebooks import NOTEBOOKS
from grader.domain.notebook import Cell, CellKind, Notebook
from grader.domain.rubric import RunLimits
from grader.domain.run import NotebookRun, Verdict
from grader.evaluation.embedded import source_path
from grader.notebooks.execution.execute import DATA_TARGET, execute, shape_of_runs
from grader.sandbox.bubblewrap import open_sandbox
from grader.sandbox.jail import Jail, JailRequest, Mount, Sandbox
from grader.sandbox.running import BubblewrapJail
from grader.sandbox.warm_pool import PoolLimits, WarmPool
from grader.storage.blobs import Blobs

_SEED = 0
_LIMITS = RunLimits(
    cell_seconds=900,
    total_seconds=1800,
    memory_bytes=3 << 30,
    processes=256,
    output_bytes_per_cell=1_000_000,
    output_bytes=20_000_000,
    models=64,
    model_bytes=64_000_000,
)


def open_cold(scratch: Path) -> AbstractContextManager[Sandbox]:
    """Every jail is started when it is asked for."""
    return nullcontext(open_sandbox(scratch=scratch, hidden=(source_path(),)))


@contextmanager
def open_warm(scratch: Path, mounts: Sequence[Mount], jails: int, *, refill: bool) -> Iterator[Sandbox]:
    """Entered once ``jails`` jails stand warm; no more than these are made unless ``refill``."""
    sandbox = open_sandbox(scratch=scratch, hidden=(source_path(),))
    shape = shape_of_runs(_LIMITS, mounts, _SEED)
    if refill:
        with WarmPool(sandbox, PoolLimits(jails, age_seconds=3600, memory_bytes=8 << 30)) as pool:
            pool.expect([shape])
            while pool.ready() < jails:
                time.sleep(0.01)
            yield pool
        return
    with ExitStack() as held:
        ready = [held.enter_context(sandbox.prepare(shape)) for _ in range(jails)]
        for jail in ready:
            jail.hurry()
            jail.await_prepared()
        yield _Ready(ready)


class _Ready:
    """A sandbox that gives the jails it has and makes no more."""

    def __init__(self, jails: list[BubblewrapJail]) -> None:
        self._jails = jails

    def start(self, request: JailRequest) -> Jail:
        """Give the next one."""
        jail = self._jails.pop()
        jail.begin(request)
        return jail


def main() -> None:
    """Run the notebook ``--count`` times by ``--workers`` and print what it took."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--notebook", choices=NOTEBOOKS, required=True)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--workers", type=int, required=True)
    parser.add_argument("--sandbox", choices=("cold", "warm"), required=True)
    parser.add_argument("--scratch", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--group", type=Path)
    asked = parser.parse_args()
    cells = NOTEBOOKS[asked.notebook]
    notebook = Notebook(tuple(Cell(number, CellKind.CODE, cell) for number, cell in enumerate(cells)))
    blobs = Blobs(asked.scratch / "blobs")

    def run_one(sandbox: Sandbox) -> NotebookRun:
        return execute(
            notebook,
            _LIMITS,
            sandbox,
            mounts=mounts,
            store=blobs.put,
            on_cell=lambda _: None,
            on_start=lambda _: None,
            seed=_SEED,
        )

    # What the service itself needs to be up is spent once, not for each notebook.
    before = cpu_seconds(asked.group)
    warm = asked.sandbox == "warm"
    # Alone, a refill would be counted to a notebook that it does not serve; six are the service at work.
    refill = asked.count > asked.workers
    mounts = (Mount(asked.data, DATA_TARGET),)
    warmed = open_warm(asked.scratch, mounts, asked.workers, refill=refill)
    with warmed if warm else open_cold(asked.scratch) as sandbox:
        claimed, began = cpu_seconds(asked.group), time.monotonic()
        with ThreadPoolExecutor(asked.workers) as workers:
            runs = list(workers.map(run_one, [sandbox] * asked.count))
        wall, used = time.monotonic() - began, cpu_seconds(asked.group) - claimed
    for run in runs:
        if run.verdict is not Verdict.OK:
            raise SystemExit(f"the notebook went wrong: {run.verdict}: {run.detail}")
    told = {
        "wall_seconds": wall,
        "cpu_seconds": used + (claimed - before if warm else 0.0),
        "cpu_seconds_without_warming": used,
        "start_seconds": [run.start_seconds for run in runs],
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
