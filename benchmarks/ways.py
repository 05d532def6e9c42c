"""The ways of running a notebook that are compared, each in processes of its own."""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.accounting import open_account
from benchmarks.notebooks import NOTEBOOKS, as_notebook, as_script
from grader.evaluation.embedded import build_embedded
from grader.evaluation.prepared import prepare

REPOSITORY = Path(__file__).resolve().parents[1]
CORES = len(os.sched_getaffinity(0))

# What `jupyter execute` does, with the kernel that ipykernel brings along.
_STOCK = """
import sys, nbclient, nbformat
notebook = nbformat.read(sys.argv[1], as_version=4)
nbclient.execute(notebook, timeout=None, kernel_name="python3")
"""


@dataclass(frozen=True, slots=True)
class Sample:
    """What one measured run took, in seconds."""

    wall_seconds: float
    cpu_seconds: float  # of everything that was started, warming included
    cpu_seconds_without_warming: float
    start_seconds: list[float] = field(default_factory=list)  # ours: from the claim to `ready`, per notebook


@dataclass(frozen=True, slots=True)
class Scene:
    """Where the runs find their files."""

    scratch: Path
    student: Path  # the data set as jails get it
    raw: Path  # the same, unpacked: what an earlier download would have left in ./data

    def environment(self, one_thread: bool) -> dict[str, str]:
        """The caller's own environment, with private caches and the threads that a way asks for."""
        kept = {name: value for name, value in os.environ.items() if name not in _THREADS}
        return {
            **kept,
            "PYTHONPATH": str(REPOSITORY),
            "MPLCONFIGDIR": str(self.scratch / "mpl"),
            "IPYTHONDIR": str(self.scratch / "ipython"),
            **({"OMP_NUM_THREADS": "1"} if one_thread else {}),
        }


_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OMP_WAIT_POLICY", "MPLBACKEND", "PYTHONPATH")


@dataclass(frozen=True, slots=True)
class Way:
    """One way of running ``count`` notebooks, ``at_once`` of them at a time."""

    name: str
    kind: str  # "bare", "stock", "cold", "warm"
    count: int = 1
    at_once: int = 1
    one_thread: bool = False


ALONE = (
    Way("bare", "bare"),
    Way("bare, 1 thread", "bare", one_thread=True),
    Way("stock nbclient", "stock"),
)
SIX = (
    Way("bare, in a row", "bare", 6),
    Way("bare, 1 thread, in a row", "bare", 6, one_thread=True),
    Way("stock nbclient, 6 at once", "stock", 6, 6, one_thread=True),
    Way(f"stock nbclient, {CORES} at once", "stock", 6, CORES, one_thread=True),
)


def ours(sandbox: str, count: int) -> Way:
    """Ours, from a ``cold`` or a ``warm`` sandbox."""
    return Way(f"ours, {sandbox}", sandbox, count, min(count, CORES), one_thread=True)


@contextlib.contextmanager
def open_scene() -> Iterator[Scene]:
    """Make the data set where it is missing and a folder for one benchmark."""
    student = prepare(REPOSITORY / "var" / "data" / "mnist-embedded", build_embedded).folder / "student"
    with TemporaryDirectory(prefix="grader-benchmark-") as folder:
        scratch = Path(folder)
        raw = scratch / "downloaded" / "MNIST" / "raw"
        raw.mkdir(parents=True)
        for packed in student.glob("*.gz"):
            (raw / packed.stem).write_bytes(gzip.decompress(packed.read_bytes()))
        yield Scene(scratch, student, raw)


def measure(way: Way, notebook: str, scene: Scene) -> Sample:
    """Run it once. ``RuntimeError`` with the end of what it printed where it failed."""
    if way.kind in ("cold", "warm"):
        return _measure_ours(way, notebook, scene)
    with open_account() as account, TemporaryDirectory(dir=scene.scratch) as folder:
        commands = [account.command(_command(way, notebook, Path(folder))) for _ in range(way.count)]
        (Path(folder) / "data").symlink_to(scene.raw.parents[1])
        environment = scene.environment(way.one_thread)
        if way.kind == "bare":
            environment["MPLBACKEND"] = "agg"
        used, began = account.seconds(), time.monotonic()
        with ThreadPoolExecutor(way.at_once) as starters:
            list(starters.map(lambda command: _run(command, Path(folder), environment), commands))
        wall, used = time.monotonic() - began, account.seconds() - used
    return Sample(wall, used, used)


def _command(way: Way, notebook: str, folder: Path) -> list[str]:
    cells = NOTEBOOKS[notebook]
    if way.kind == "bare":
        script = folder / "script.py"
        script.write_text(as_script(cells))
        return [sys.executable, str(script)]
    file = folder / "notebook.ipynb"
    file.write_text(as_notebook(cells))
    return [sys.executable, "-c", _STOCK, str(file)]


def _measure_ours(way: Way, notebook: str, scene: Scene) -> Sample:
    with open_account() as account, TemporaryDirectory(dir=scene.scratch) as scratch:
        command = [
            *(sys.executable, "-m", "benchmarks.ours", "--notebook", notebook, "--sandbox", way.kind),
            *("--count", str(way.count), "--workers", str(way.at_once)),
            *("--scratch", scratch, "--data", str(scene.student)),
            *(("--group", str(account.group)) if account.group else ()),
        ]
        told = _run(account.command(command), REPOSITORY, scene.environment(way.one_thread))
    return Sample(**json.loads(told.splitlines()[-1]))


def _run(command: list[str], folder: Path, environment: dict[str, str]) -> str:
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=3600
    )
    if done.returncode:
        raise RuntimeError(f"exit status {done.returncode}: {(done.stdout + done.stderr)[-2000:]}")
    return done.stdout
