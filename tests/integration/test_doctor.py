"""`grader doctor` and the doors, on this machine and on this machine with something taken away."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from grader.sandbox.diagnosis import WITHOUT_GROUPS
from grader.sandbox.machine import read_machine

# In a mount namespace of our own: the machine keeps its groups and its bubblewrap.
_NO_GROUPS = (
    "for m in $(awk '$3 ~ /^cgroup/ {print $2}' /proc/mounts); do mount -o remount,bind,ro $m; done; "
    'exec "$@"'
)
_NO_BWRAP = 'mount --bind /dev/null "$BWRAP"; exec "$@"'
ONE_CELL = {
    "cells": [
        {
            "cell_type": "code",
            "execution_count": None,
            "id": "a",
            "metadata": {},
            "outputs": [],
            "source": "1+1",
        }
    ],
    "metadata": {},
    "nbformat": 4,
    "nbformat_minor": 5,
}


@pytest.fixture
def settings(tmp_path: Path, repository: Path, data_folder: Path) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("GRADER_")} | {
        "GRADER_HOME": str(tmp_path / "home"),
        "GRADER_CONTENT": str(repository),
        "GRADER_DATA": str(data_folder),
        "GRADER_PORT": "0",
        "BWRAP": shutil.which("bwrap") or "",
    }


def _grader(
    settings: dict[str, str], *words: str, without: str = 'exec "$@"'
) -> subprocess.CompletedProcess[str]:
    private = ["unshare", "--mount", "sh", "-c", without, "sh"] if os.geteuid() == 0 else []
    if not private and "mount" in without:
        pytest.skip("only root can take something away from its own view of the machine")
    command = [*private, sys.executable, "-m", "grader", *words]
    return subprocess.run(
        command, env=settings, capture_output=True, text=True, check=False, cwd=settings["GRADER_CONTENT"]
    )


def _looks(done: subprocess.CompletedProcess[str]) -> dict[str, dict[str, Any]]:
    return {look["name"]: look for look in json.loads(done.stdout)["looks"]}


def test_jails_hold_here_and_doctor_says_so(settings: dict[str, str]) -> None:
    done = _grader(settings, "doctor")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"version {read_machine().groups_version}, below" in done.stdout
    assert "jails hold here" in done.stdout
    assert not Path(settings["GRADER_HOME"]).exists()  # to look is not to set up


def test_without_bubblewrap_doctor_gives_the_line_to_type(settings: dict[str, str]) -> None:
    done = _grader(settings, "doctor", without=_NO_BWRAP)
    assert done.returncode == 3
    assert "bubblewrap: type  sudo apt-get install bubblewrap\n" in done.stdout


def test_without_control_groups_jails_do_not_hold_unless_the_class_is_trusted(
    settings: dict[str, str],
) -> None:
    done = _grader(settings, "doctor", "--json", without=_NO_GROUPS)
    assert done.returncode == 3
    looks = _looks(done)
    assert {name for name, look in looks.items() if look["holds"] == "no"} == {"control groups"}
    assert looks["control groups"]["line"]

    trusted = _grader(settings, "--trusted-class", "doctor", "--json", without=_NO_GROUPS)
    assert trusted.returncode == 0
    group = _looks(trusted)["control groups"]
    assert group["holds"] == "weaker"
    assert all(weakness in group["found"] for weakness in WITHOUT_GROUPS)


@pytest.mark.parametrize(
    "words", [("serve",), ("work",), ("grade", "NOTEBOOK", "--assignment", "homework_05")]
)
def test_no_door_opens_without_a_jail_that_holds(
    settings: dict[str, str], tmp_path: Path, words: tuple[str, ...]
) -> None:
    notebook = tmp_path / "one.ipynb"
    notebook.write_text(json.dumps(ONE_CELL))
    given = [str(notebook) if word == "NOTEBOOK" else word for word in words]
    done = _grader(settings, *given, without=_NO_GROUPS)
    assert done.returncode == 3, done.stderr
    assert "--trusted-class" in done.stderr
    assert "Delegate=yes" in done.stderr


@pytest.mark.parametrize("words", [("work",), ("grade", "NOTEBOOK", "--assignment", "homework_05")])
def test_every_door_tries_its_jails_first(
    settings: dict[str, str], tmp_path: Path, words: tuple[str, ...]
) -> None:
    notebook = tmp_path / "one.ipynb"
    notebook.write_text(json.dumps(ONE_CELL))
    broken = tmp_path / "bwrap"
    broken.write_text(
        '#!/bin/sh\nif [ "$1" = --version ]; then echo bubblewrap 0.9.0; exit 0; fi\n'
        'echo "bwrap: Can\'t mount proc on /newroot/proc: Operation not permitted" >&2; exit 1\n'
    )
    broken.chmod(0o755)
    given = [str(notebook) if word == "NOTEBOOK" else word for word in words]
    without = 'mount --bind "$BROKEN" "$BWRAP"; exec "$@"'
    done = _grader(settings | {"BROKEN": str(broken)}, *given, without=without)
    assert done.returncode == 3
    assert "systempaths=unconfined" in done.stderr


def test_the_workers_of_serve_are_told_that_the_class_is_trusted(settings: dict[str, str]) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can take something away from its own view of the machine")
    command = ["unshare", "--mount", "sh", "-c", _NO_GROUPS, "sh", sys.executable, "-m", "grader"]
    with subprocess.Popen(
        [*command, "--trusted-class", "serve"],
        env=settings | {"GRADER_WORKERS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        cwd=settings["GRADER_CONTENT"],
    ) as serving:
        assert serving.stderr is not None
        warned: list[str] = []
        try:
            for line in serving.stderr:
                warned += [line] if "NO CONTROL GROUP" in line else []
                if len(warned) == 2:  # the supervisor, which tries the jails, and its worker
                    break
        finally:
            serving.terminate()
            serving.stderr.read()
    assert len(warned) == 2
    assert serving.returncode == 0


def test_for_a_trusted_class_a_notebook_is_graded_without_control_groups(
    settings: dict[str, str], tmp_path: Path
) -> None:
    notebook = tmp_path / "one.ipynb"
    notebook.write_text(json.dumps(ONE_CELL))
    words = ("--trusted-class", "grade", str(notebook), "--assignment", "homework_05", "--json")
    done = _grader(settings, *words, without=_NO_GROUPS)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "NO CONTROL GROUP" in done.stderr
    assert json.loads(done.stdout)["score"] is not None
