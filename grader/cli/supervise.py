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

_LONGEST_PAUSE_SECONDS = 30.0
_MOST_DOUBLINGS = 10  # of the pause; more would overflow a float one day
_CALM_SECONDS = 10.0  # a child that lived this long is started again at once
_DRAIN_SECONDS = 20.0


@dataclass
class Child:
    """One process that is to run, and when it may be started again."""

    name: str
    command: tuple[str, ...]
    fds: tuple[int, ...]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    start_after: float = 0.0
    quick_deaths: int = 0

    def look(self) -> str:
        """Start it where it does not run and its pause is over; return what is worth a line in the log."""
        if self.process is not None and self.process.poll() is not None:
            code, self.process = self.process.returncode, None
            return self._note_end(f"ended ({'signal' if code < 0 else 'status'} {abs(code)})")
        if self.process is None and time.monotonic() >= self.start_after:
            self.started = time.monotonic()
            try:
                self.process = subprocess.Popen(self.command, pass_fds=self.fds, stdin=subprocess.DEVNULL)
            except OSError as error:  # too many processes, no memory: it may pass
                return self._note_end(f"could not be started ({error.strerror})")
        return ""

    def _note_end(self, how: str) -> str:
        now = time.monotonic()
        self.quick_deaths = 0 if now - self.started > _CALM_SECONDS else self.quick_deaths + 1
        pause = min(0.1 * 2 ** min(self.quick_deaths, _MOST_DOUBLINGS) - 0.1, _LONGEST_PAUSE_SECONDS)
        self.start_after = now + pause
        return f"{self.name} {how}; it is started again{f' in {pause:.1f} s' if pause else ''}"


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
        Child(
            "web",
            _command("web", "--fd", listening.fileno(), "--lifeline", lifeline),
            (listening.fileno(), lifeline),
        )
    ]
    children += [
        Child(f"worker {n}", _command("work", "--lifeline", lifeline), (lifeline,))
        for n in range(1, workers + 1)
    ]
    stopping: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda received, _frame: stopping.append(received))
    while not stopping:
        for child in children:
            if line := child.look():
                print(line, file=sys.stderr, flush=True)
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
