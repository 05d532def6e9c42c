"""`grader serve`: one web process and its workers, each started again when it dies.

The listening socket belongs to this process and is handed down, so a web process that is killed loses
no connection that waits: its successor accepts it.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

_CALM_SECONDS = 10.0  # a child that lived this long is started again at once
_DRAIN_SECONDS = 20.0


@dataclass
class _Child:
    name: str
    command: tuple[str, ...]
    fds: tuple[int, ...]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    start_after: float = 0.0
    quick_deaths: int = 0

    def start(self) -> None:
        self.process = subprocess.Popen(self.command, pass_fds=self.fds, stdin=subprocess.DEVNULL)
        self.started = time.monotonic()

    def note_death(self) -> str:
        assert self.process is not None
        code, now = self.process.returncode, time.monotonic()
        self.quick_deaths = 0 if now - self.started > _CALM_SECONDS else self.quick_deaths + 1
        self.start_after = now + min(0.1 * 2**self.quick_deaths, 30.0) - 0.1
        self.process = None
        return f"{self.name} ended ({'signal' if code < 0 else 'status'} {abs(code)}); it is started again"


def listen(host: str, port: int) -> socket.socket:
    """Open the listening socket; port 0 takes a free one. ``OSError`` where it cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    opened = socket.socket(family, socket.SOCK_STREAM)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    opened.bind((host, port))
    opened.listen(512)
    return opened


def supervise(listening: socket.socket, workers: int) -> None:
    """Keep a web process and ``workers`` workers alive until SIGTERM or SIGINT; then drain them."""
    lifeline, kept = os.pipe()  # children end when the write end closes: also when we are killed
    children = [
        _Child(
            "web",
            _command("web", "--fd", listening.fileno(), "--lifeline", lifeline),
            (listening.fileno(), lifeline),
        )
    ]
    children += [
        _Child(f"worker {n}", _command("work", "--lifeline", lifeline), (lifeline,))
        for n in range(1, workers + 1)
    ]
    stopping: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda received, _frame: stopping.append(received))
    while not stopping:
        for child in children:
            if child.process is None and time.monotonic() >= child.start_after:
                child.start()
            elif child.process is not None and child.process.poll() is not None:
                print(child.note_death(), file=sys.stderr, flush=True)
        time.sleep(0.1)
    _drain([child.process for child in children if child.process is not None])
    os.close(kept)


def _command(*words: object) -> tuple[str, ...]:
    return (sys.executable, "-m", "grader", *map(str, words))


def _drain(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    for process in processes:
        process.terminate()
    deadline = time.monotonic() + _DRAIN_SECONDS
    for process in processes:
        try:
            process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
