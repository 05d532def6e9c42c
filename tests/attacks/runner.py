"""Run the attacks against the real jail and print what held: ``python -m tests.attacks.runner``.

A light process of its own: what it weighs is what the parent of a jail weighs.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import json
import os
import platform
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path
from time import monotonic
from typing import Any

from grader.domain.notebook import Notebook
from grader.domain.rubric import UploadLimits
from grader.domain.run import CellRun, NotebookRun
from grader.errors import SetupIncomplete
from grader.notebooks.execution.execute import execute
from grader.notebooks.read import read_notebook
from grader.sandbox.bubblewrap import open_sandbox
from tests.attacks.canaries import Canaries
from tests.attacks.cases import FOLDER, Case, load_cases
from tests.attacks.elsewhere import as_user, without_cgroups
from tests.attacks.judge import PARENT_MB, judge_run
from tests.attacks.overhear import OverheardSandbox
from tests.attacks.table import print_table

SETUP_STATUS = 3
_UPLOAD_LIMITS = UploadLimits(bytes=10_000_000, cells=500, nesting=64)


@dataclass(frozen=True, slots=True)
class Result:
    """One case, tried."""

    family: str
    name: str
    verdict: str  # of the run; "" where it was not tried, "raised" where `execute` did
    problems: tuple[str, ...]  # what did not hold
    seconds: float = 0.0
    parent_mb: float = 0.0  # the most that this process used while the case ran
    note: str = ""  # "testimony", or why it was not tried


class Runner:
    """Runs cases one after the other, in jails of one sandbox, among the same canaries."""

    def __init__(self, folder: Path, canaries: Canaries, *, trusted_class: bool) -> None:
        sandbox = open_sandbox(scratch=folder / "scratch", trusted_class=trusted_class)
        self._limits_memory = sandbox.limits_memory
        self._sandbox = OverheardSandbox(sandbox, canaries.is_in)
        self._records = folder / "scratch" / "jails"
        self._blobs = folder / "blobs"
        self._blobs.mkdir()
        self._canaries = canaries

    def run(self, case: Case) -> Result:
        """Try one, and hold against it what it expects and what always holds."""
        blank = Result(case.family, case.name, "", ())
        if case.needs == "cgroup" and not self._limits_memory:
            return replace(blank, note=f"no control groups: {case.weaker}")
        if case.needs == "x86_64" and platform.machine() != "x86_64":
            return replace(blank, note="numbers of another architecture")
        told: list[CellRun] = []
        self._leaked_blobs = 0
        self._sandbox.last = None
        _forget_peak()
        began = monotonic()
        try:
            run = self._execute(case, told)
        except Exception as error:
            return replace(blank, verdict="raised", problems=(f"{type(error).__name__}: {error}",))
        seconds, peak = monotonic() - began, _peak_mb()
        problems = tuple(self._judge(case, run, told, peak))
        note = "testimony" if case.testimony else ""
        return Result(case.family, case.name, run.verdict, problems, seconds, peak, note)

    def _execute(self, case: Case, told: list[CellRun]) -> NotebookRun:
        return execute(
            _notebook(case, self._canaries.places),
            case.limits,
            self._sandbox,
            mounts=(),
            store=self._store,
            on_cell=told.append,
            on_start=lambda jail: None,
            seed=0,
        )

    def _judge(
        self, case: Case, run: NotebookRun, told: Sequence[CellRun], parent_mb: float
    ) -> Iterator[str]:
        yield from judge_run(case, run, told, (self._blobs / run.executed_sha256).read_bytes())
        yield from self._canaries.complaints()
        if self._leaked_blobs:
            yield "a secret of the host is in a stored blob"
        if self._sandbox.last is not None:
            if self._sandbox.last.leaked:
                yield "a secret of the host left the jail"
            yield from self._sandbox.last.left_over(self._records)
        if parent_mb > PARENT_MB:
            yield f"this process used {parent_mb:.0f} MB, more than {PARENT_MB}"
        for blob in self._blobs.iterdir():
            blob.unlink()

    def _store(self, blob: bytes) -> str:
        name = sha256(blob).hexdigest()
        (self._blobs / name).write_bytes(blob)
        self._leaked_blobs += self._canaries.is_in(blob)
        return name


def main() -> int:
    """Print the table; exit 1 where something did not hold, 3 where no sandbox could be made."""
    asked = _parse_arguments()
    if elsewhere := _elsewhere(asked):
        os.execvp(elsewhere[0], elsewhere)
    try:
        with _runner(trusted_class=asked.trusted_class) as runner:
            if asked.serve:
                return _serve(runner)
            wanted = [case for case in load_cases() if all(word in str(case) for word in asked.only)]
            results = [runner.run(case) for case in _one_by_one(wanted, quiet=asked.json)]
    except SetupIncomplete as error:
        print(error, file=sys.stderr)
        return SETUP_STATUS
    if asked.json:
        print(json.dumps([asdict(result) for result in results], indent=1))
    else:
        print_table(results)
    return int(not results or any(result.problems for result in results))


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.attacks.runner", description=__doc__)
    parser.add_argument("--only", action="append", default=[], help="cases whose family or name holds this")
    parser.add_argument("--json", action="store_true", help="one object per case instead of the table")
    parser.add_argument("--serve", action="store_true", help="read cases' names from stdin, answer in JSON")
    parser.add_argument("--trusted-class", action="store_true", help="go on without control groups")
    parser.add_argument("--as-user", action="store_true", help="as an ordinary user (from root)")
    parser.add_argument("--without-cgroups", action="store_true", help="as root, control groups read-only")
    return parser.parse_args()


def _elsewhere(asked: argparse.Namespace) -> list[str]:
    kept = [word for word in sys.argv[1:] if word not in ("--as-user", "--without-cgroups")]
    command = [sys.executable, "-m", "tests.attacks.runner", *kept]
    if asked.as_user:
        command = as_user(command)
    if asked.without_cgroups:
        command = without_cgroups(command)
    return command if asked.as_user or asked.without_cgroups else []


@contextmanager
def _runner(*, trusted_class: bool) -> Iterator[Runner]:
    with tempfile.TemporaryDirectory(prefix="attacks-") as name:
        folder = Path(name)
        with Canaries(folder / "host") as canaries:
            yield Runner(folder, canaries, trusted_class=trusted_class)


def _serve(runner: Runner) -> int:
    cases = {str(case): case for case in load_cases()}
    for line in sys.stdin:
        print(json.dumps(asdict(runner.run(cases[line.rstrip("\n")]))), flush=True)
    return 0


def _one_by_one(cases: Sequence[Case], *, quiet: bool) -> Iterator[Case]:
    for number, case in enumerate(cases, 1):
        if not quiet and sys.stderr.isatty():
            print(f"\r\033[K{number}/{len(cases)} {case}"[:110], end="", file=sys.stderr, flush=True)
        yield case
    if not quiet and sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr)


def _notebook(case: Case, places: Mapping[str, str]) -> Notebook:
    """As it is uploaded: a file, with whatever the case has it claim."""
    helpers = (FOLDER / "helpers.py").read_text(encoding="utf-8")
    sources = [f"{helpers}\n{case.helpers}\nprint('begun')", *case.cells, "print('after')"]
    pattern = re.compile("|".join(re.escape(f"{{{name}}}") for name in places))
    bare: dict[str, Any] = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None}
    cells = [
        bare
        | (case.cell_claims if 0 < number <= len(case.cells) else {})
        | {"source": pattern.sub(lambda found: places[found[0].strip("{}")], source)}
        for number, source in enumerate(sources)
    ]
    whole = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, **case.notebook_claims, "cells": cells}
    return read_notebook(json.dumps(whole).encode("ascii"), _UPLOAD_LIMITS)


def _forget_peak() -> None:
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)  # what an earlier case needed is not this one's
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def _peak_mb() -> float:
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


if __name__ == "__main__":
    sys.exit(main())
