"""What the README promises of `make demo`, by the command that it runs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.timeout(600)
def test_the_demonstration_shows_three_reports_and_leaves_nothing_running(
    repository: Path, data_folder: Path, tmp_path: Path
) -> None:
    shown = subprocess.run(
        [sys.executable, "-m", "grader", "demo"],
        cwd=repository,
        env=os.environ
        | {"GRADER_DATA": str(data_folder), "GRADER_HOME": str(tmp_path), "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert shown.returncode == 0, shown.stderr
    solution, half_trained, crashes = shown.stdout.split("Decided automatically: ")[1:]
    assert solution.startswith("58 of 58 points (100 %)")
    assert "Waits for review: 42 points in ex1.observations, q1, q2, q3.explanation" in solution
    assert half_trained.startswith("30.33 of 83 points")
    assert "KernelDied" in half_trained, "the third report explains the crash"
    assert "of 85 points" in crashes
    assert not _processes_that_name(str(tmp_path))


def _processes_that_name(path: str) -> list[int]:
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            environment = (entry / "environ").read_bytes()
        except OSError:
            continue
        if path.encode() in environment:
            found.append(int(entry.name))
    return found
