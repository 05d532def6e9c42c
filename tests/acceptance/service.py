"""A real service for tests: `grader serve` in a process of its own, on a free port, with its own home."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self, TypeVar

import httpx

REPOSITORY = Path(__file__).parents[2]
T = TypeVar("T")
FINAL = {"FullyGraded", "PendingManual", "Failed"}


def wait_for(question: Callable[[], T | None], what: str, seconds: float = 120) -> T:
    """Ask until there is an answer; fail by name where there is none in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        answer = question()
        if answer:
            return answer
        time.sleep(0.1)
    raise AssertionError(f"waited {seconds} s in vain for {what}")


class Service:
    """Use it as a context manager; `client` speaks to its API with a key for every scope."""

    def __init__(self, home: Path, data: Path, workers: int = 2, content: Path = REPOSITORY) -> None:
        settings = {"HOME": home, "DATA": data, "CONTENT": content, "PORT": 0, "WORKERS": workers}
        self.home = home
        self._environment = {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin"} | {
            f"GRADER_{name}": str(value) for name, value in settings.items()
        }
        self._log = home.with_suffix(".log")
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        self._process = self._start("serve")
        address = wait_for(self._address, "the service's address")
        self.client = httpx.Client(base_url=address, timeout=60)
        wait_for(self._ready, "readiness")
        key = self.run("user", "create-key", "tests", "--course", "ml2").stdout
        found = re.search(r"grader_\S+", key)
        assert found, key
        self.client.headers["Authorization"] = f"Bearer {found.group()}"
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()
        assert self._process is not None
        self._process.terminate()
        self._process.wait(40)

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """One `grader` command with this service's settings."""
        return subprocess.run(
            self._command(words),
            env=self._environment,
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            check=True,
        )

    def children(self) -> dict[int, str]:
        """The service's own processes by id, web and workers."""
        assert self._process is not None
        found = {}
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                parent = (entry / "stat").read_text().rsplit(")", 1)[1].split()[1]
                words = (entry / "cmdline").read_bytes().decode().split("\0")
            except (FileNotFoundError, ProcessLookupError):
                continue
            if int(parent) == self._process.pid and "grader" in words:
                found[int(entry.name)] = words[words.index("grader") + 1]
        return found

    def kill(self, pid: int) -> None:
        """`kill -9`."""
        os.kill(pid, signal.SIGKILL)

    def upload(self, notebook: bytes, user: str = "a-new-user", **headers: str) -> httpx.Response:
        """POST one notebook."""
        return self.client.post(
            "/api/v1/courses/ml2/assignments/homework_05/submissions",
            files={"file": ("homework_05.ipynb", notebook)},
            data={"userId": user},
            headers=headers,
        )

    def finished(self, location: str) -> dict[str, Any] | None:
        """The submission, once nothing of it is under way."""
        answer = self.client.get(location)
        document: dict[str, Any] = answer.json()
        return document if answer.status_code == 200 and document["gradingProgress"] in FINAL else None

    def log(self) -> str:
        """All that the service has printed."""
        return self._log.read_text()

    def _start(self, *words: str) -> subprocess.Popen[str]:
        log = self._log.open("a")
        return subprocess.Popen(
            self._command(words), env=self._environment, cwd=REPOSITORY, stdout=log, stderr=log, text=True
        )

    def _command(self, words: Sequence[str]) -> list[str]:
        return [sys.executable, "-m", "grader", *words]

    def _address(self) -> str | None:
        found = re.search(r"http://[\d.]+:\d+", self.log())
        return found.group() if found else None

    def _ready(self) -> bool:
        try:
            return self.client.get("/readyz").status_code == 200
        except httpx.TransportError:
            return False
