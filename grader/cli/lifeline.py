"""A child process that must not outlive the supervisor watches the read end of a pipe."""

from __future__ import annotations

import os
import signal
import threading


def watch_lifeline(fd: int) -> None:
    """Send this process SIGTERM when the pipe's write end closes, that is, when the supervisor is gone."""

    def watch() -> None:
        os.read(fd, 1)
        os.kill(os.getpid(), signal.SIGTERM)

    os.set_inheritable(fd, False)
    threading.Thread(target=watch, name="lifeline", daemon=True).start()
