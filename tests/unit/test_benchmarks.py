"""The benchmark's arithmetic, and that what it measures is the same work in every way."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from benchmarks.accounting import open_account
from benchmarks.notebooks import NOTEBOOKS, as_notebook, as_script
from benchmarks.overhead import find_goals, summarise
from benchmarks.ratios import Spread, ratios, spread
from benchmarks.ways import Sample


def test_a_ratio_is_of_neighbours_and_not_of_medians() -> None:
    assert ratios([2.0, 30.0, 4.0], [1.0, 20.0, 4.0]) == Spread(1.0, 1.5, 2.0)
    assert spread([3.0, 1.0, 2.0, 4.0]) == Spread(1.0, 2.5, 4.0)


def test_runs_that_are_not_pairs_have_no_ratio() -> None:
    with pytest.raises(ValueError, match="zip"):
        ratios([1.0, 2.0], [1.0])


def test_a_goal_is_held_against_the_median_with_and_without_warming() -> None:
    samples = {
        "bare": [Sample(4.0, 4.0, 4.0), Sample(2.0, 2.0, 2.0), Sample(4.0, 4.0, 4.0)],
        "ours": [Sample(5.0, 6.0, 4.4, [0.05]), Sample(2.0, 2.4, 2.2, [0.2]), Sample(9.0, 8.0, 6.0, [0.06])],
    }
    summary = summarise(samples, ["bare"])
    assert summary["ours"]["cpu_seconds"]["to bare"] == Spread(1.2, 1.5, 2.0)
    with_warming, without, start = find_goals("light-alone", summary["ours"], ["bare"])
    assert "MISSED" in str(with_warming)
    assert "holds" in str(without)
    assert start.found == Spread(0.05, 0.06, 0.2)
    assert "holds" in str(start)
    assert find_goals("heavy-alone", summary["ours"], ["bare"]) == []


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_script_and_notebook_hold_the_same_lines(name: str) -> None:
    cells = NOTEBOOKS[name]
    document = json.loads(as_notebook(cells))
    assert as_script(cells) == "\n".join(cell["source"] for cell in document["cells"])
    compile(as_script(cells), name, "exec")


def test_the_account_counts_processes_that_nobody_waited_for() -> None:
    burning = (
        "import os, signal, time\n"
        "signal.signal(signal.SIGCHLD, signal.SIG_IGN)\n"
        "burnt, told = os.pipe()\n"
        "child = os.fork()\n"
        "while child == 0 and time.process_time() < 0.3: pass\n"
        "if child == 0: os.write(told, b'.'), signal.pause()\n"
        "os.read(burnt, 1)\n"
        "os.kill(child, signal.SIGKILL)\n"
    )
    with open_account() as account:
        if account.group is None:
            pytest.skip("no control group for CPU time can be made here")
        subprocess.run(account.command([sys.executable, "-c", burning]), check=True)
        assert account.seconds() > 0.1
    assert not account.group.exists()
