"""One running jail, seen from outside: read its frames, watch its limits, end all of it."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import BinaryIO, Self, cast

from grader.errors import SandboxUnavailable
from grader.sandbox.cgroups import Cgroup
from grader.sandbox.container import Container, Usage
from grader.sandbox.frames import FrameInvalid, FrameTooLarge, read_frame
from grader.sandbox.jail import PREPARED, ExitReason, Frame, JailExit, JailRequest
from grader.sandbox.pipe import DeadlinePipe, OutOfTime
from grader.sandbox.status import StatusPipe
from grader.sandbox.stdio import Feeder, StderrTail

_log = logging.getLogger(__name__)

_GRACE_SECONDS = 5.0  # for the kernel to take down what was killed
_STDERR_SHOWN_CHARACTERS = 2000


@dataclass(frozen=True, slots=True)
class Started:
    """What starting a jail leaves to the one who runs it."""

    process: subprocess.Popen[bytes]
    status: int  # reading end of bubblewrap's status pipe
    frames: socket.socket  # our end of the wire
    cgroup: Cgroup | None  # the jail's own: ending it ends the jail
    container: Container | None  # where jails take turns, as it counts for all of them
    give_back: Callable[[], None]  # what else it holds: uid, record, launcher. Called once, at the end
    explain: Callable[[str], str]  # from stderr to a message for whoever set the machine up


class BubblewrapJail:
    """Implements `grader.sandbox.jail.PreparedJail`. Threads: two for its pipes, one for its deadline.

    ``seconds`` is how long it may take to prepare, before `begin` gives it the request's own time.
    """

    def __init__(self, started: Started, request: JailRequest, seconds: float) -> None:
        process = started.process
        assert process.stdin is not None
        assert process.stderr is not None
        self._started = started
        self._process = process
        self._limits = request.limits
        self._unprepared = bool(request.opening)
        self._began = time.monotonic()
        self._stop_reading = self._began + seconds + _GRACE_SECONDS
        self._lock = threading.Lock()
        self._settling = threading.Lock()
        self._reason: ExitReason | None = None
        self._exit: JailExit | None = None
        self._meter: Cgroup | Usage | None = started.cgroup
        self._turn: int | None = None
        self._is_cut_short = False
        self._stderr = StderrTail(process.stderr)
        self._feeder = Feeder(process.stdin)
        self._status = StatusPipe(started.status)
        self._pipe = DeadlinePipe(started.frames.fileno(), lambda: self._stop_reading, self._is_gone)
        self._timer = self._start_timer(seconds)
        self._feeder.feed(request.opening, is_all=False)

    def await_prepared(self) -> bool:
        """Wait until its entry has answered the opening; False where it ended instead."""
        answer = next(self._read(), None)
        self._unprepared = False
        prepared = answer is not None and answer.header.get("kind") == PREPARED
        if prepared:
            self._timer.cancel()  # from now on it may wait for as long as it is wanted
        return prepared

    def is_waiting(self) -> bool:
        """Whether it still lives."""
        return self._reason is None and not self._is_gone()

    def memory_bytes(self) -> int:
        """What it holds now; 0 where that cannot be told."""
        return self._started.cgroup.memory_bytes() if self._started.cgroup else 0

    def give_way(self) -> None:
        """Take a smaller share of the processor, while it prepares."""
        if self._started.cgroup is not None:
            self._started.cgroup.yield_processor(to_others=True)

    def hurry(self) -> None:
        """Run as every other jail does."""
        if self._started.cgroup is not None:
            self._started.cgroup.yield_processor(to_others=False)

    def begin(self, request: JailRequest) -> None:
        """Serve this request: its time and its budgets count from now, or from when its turn comes.

        `SandboxUnavailable` where that does not come.
        """
        self._timer.cancel()
        self.hurry()
        container = self._started.container
        if container is not None:
            self._turn = container.take_turn()
            self._meter = container.count()
        with self._lock:
            self._limits = request.limits
            self._began = time.monotonic()
            if self._reason is None:
                self._stop_reading = self._began + request.limits.wall_seconds + _GRACE_SECONDS
        self._timer = self._start_timer(request.limits.wall_seconds)
        self._feeder.feed(request.frames, is_all=True)

    def frames(self) -> Iterator[Frame]:
        """Yield each frame as it comes; ends when the jail has ended.

        Raises `SandboxUnavailable` where the jail could not even be built: our failure, and no frame
        came from it.
        """
        frames = self._read()
        if self._unprepared:
            first = next(frames, None)
            if first is not None and first.header.get("kind") != PREPARED:
                yield first  # it says why it could not
        yield from frames
        self._await_end()
        self._settle()

    def exit(self) -> JailExit:
        """How it ended. Only after `frames` is exhausted."""
        if self._exit is None:
            raise RuntimeError("a jail's exit is known only after its frames were read to their end")
        return self._exit

    def kill(self) -> None:
        """End it now, from any thread."""
        self._end(ExitReason.KILLED)

    def processes(self) -> list[int]:
        """Return every process in it, by its id outside; without a control group only the first one."""
        if self._started.cgroup is not None:
            return self._started.cgroup.processes()
        first = self._status.first_process()
        return [] if first is None else [first]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end(ExitReason.KILLED)
        # Raised here it would hide the caller's own error; `frames` is where it is told.
        with contextlib.suppress(SandboxUnavailable):
            self._settle()

    def _read(self) -> Iterator[Frame]:
        count = 0
        while self._exit is None:
            budget = min(self._limits.frame_bytes, self._limits.total_bytes - self._pipe.received)
            try:
                frame = read_frame(cast(BinaryIO, self._pipe), budget)
            except OutOfTime:
                self._end(ExitReason.DEADLINE)
                return
            except FrameTooLarge:
                self._end(ExitReason.OUTPUT_LIMIT)
                return
            except FrameInvalid:
                # A frame cut short by the jail's own end says nothing; its exit does.
                self._is_cut_short = self._pipe.at_end
                if not self._is_cut_short:
                    self._end(ExitReason.PROTOCOL_ERROR)
                return
            if frame is None:
                return
            count += 1
            if count > self._limits.frames:
                self._end(ExitReason.OUTPUT_LIMIT)
                return
            yield frame
            del frame  # a large one must not wait in memory for the next

    def _await_end(self) -> None:
        try:
            self._process.wait(max(0.0, self._stop_reading - time.monotonic()))
        except subprocess.TimeoutExpired:
            self._end(ExitReason.DEADLINE)

    def _is_gone(self) -> bool:
        return self._process.poll() is not None

    def _end(self, reason: ExitReason) -> None:
        with self._lock:
            if self._exit is not None or (reason is ExitReason.DEADLINE and self._is_gone()):
                return
            self._reason = self._reason or reason
            self._stop_reading = min(self._stop_reading, time.monotonic() + _GRACE_SECONDS)
        self._take_down()

    def _take_down(self) -> None:
        if self._started.cgroup is not None:
            self._started.cgroup.kill()
        else:
            self._take_down_by_namespace()
        if not self._is_gone():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def _take_down_by_namespace(self) -> None:
        # Killing bubblewrap while it is still building would orphan what it builds: wait for its child.
        give_up = time.monotonic() + _GRACE_SECONDS
        while not self._is_gone() and time.monotonic() < give_up:
            first = self._status.first_process()
            if first is not None:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(first, signal.SIGKILL)
                # bubblewrap ends when the last process of the namespace has: only then is the jail gone.
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._process.wait(_GRACE_SECONDS)
                return
            time.sleep(0.005)

    def _settle(self) -> None:
        with self._settling:
            if self._exit is not None:
                return
            self._timer.cancel()
            self._take_down()
            try:
                self._process.wait(_GRACE_SECONDS)
            except subprocess.TimeoutExpired:
                _log.error("a jail's process %d does not end, although killed", self._process.pid)
            self._feeder.close(_GRACE_SECONDS)
            self._stderr.close(_GRACE_SECONDS)
            seconds = time.monotonic() - self._began
            self._status.close()
            self._started.frames.close()
            oom_kills = self._meter.out_of_memory_kills() if self._meter else 0
            peak = self._meter.peak_memory_bytes() if self._meter else 0
            if self._turn is not None:
                os.close(self._turn)
            self._started.give_back()
            reason = self._classify(oom_kills)
            with self._lock:
                self._exit = JailExit(reason or ExitReason.DIED, self._detail(), seconds, peak, oom_kills)
        if reason is None:
            raise SandboxUnavailable(self._started.explain(self._stderr.text()))

    def _classify(self, oom_kills: int) -> ExitReason | None:
        status = self._status.exit_status()
        if self._reason is not None:
            return self._reason
        if status == 0:
            return ExitReason.PROTOCOL_ERROR if self._is_cut_short else ExitReason.COMPLETED
        if oom_kills > 0:
            return ExitReason.MEMORY_LIMIT
        if status == 128 + signal.SIGSYS:
            return ExitReason.FORBIDDEN_CALL
        return None if status is None else ExitReason.DIED

    def _detail(self) -> str:
        status = self._status.exit_status()
        how = f"exit status {status}" if status is not None else "ended from outside"
        said = self._stderr.text()[-_STDERR_SHOWN_CHARACTERS:]
        return f"{how}: {said}" if said else how

    def _start_timer(self, seconds: float) -> threading.Timer:
        # The deadline holds whatever our own caller does between two frames.
        timer = threading.Timer(seconds, self._end, (ExitReason.DEADLINE,))
        timer.daemon = True
        timer.start()
        return timer
