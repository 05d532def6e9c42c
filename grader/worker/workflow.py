"""The job engine's view of a job: a workflow of three steps, each of which can be stopped."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from dbos import DBOS

from grader.jobs import WORKFLOW, workflow_id
from grader.worker.guard import JailGuard, Stopped
from grader.worker.stages import Job, Stages

T = TypeVar("T")

_STOP_SECONDS = 15.0


class Running:
    """The pieces of work that run in this process now. After `drain`, none begins any more."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._guards: dict[JailGuard, threading.Event] = {}
        self._draining = False
        self._jobs: set[str] = set()

    @contextmanager
    def carrying(self, name: str) -> Iterator[None]:
        """A job is under way here."""
        self._jobs.add(name)
        try:
            yield
        finally:
            self._jobs.discard(name)

    def carried(self) -> frozenset[str]:
        """The jobs that are under way here, by name."""
        return frozenset(self._jobs)

    async def in_thread(self, work: Callable[[JailGuard], T]) -> T:
        """Do blocking work in a thread; being cancelled kills its jails and waits for it to end.

        Work that `drain` stopped never returns: the engine must not take it for done.
        """
        guard, ended = JailGuard(), threading.Event()
        with self._lock:
            if self._draining:
                guard.stop()
            self._guards[guard] = ended

        def act() -> T:
            try:
                return work(guard)
            finally:
                ended.set()

        future = asyncio.get_running_loop().run_in_executor(None, act)
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            guard.stop()
            await asyncio.wait({future}, timeout=_STOP_SECONDS)
            if future.done() and not future.cancelled():
                future.exception()  # seen: it was stopped
            raise
        except Stopped:
            await asyncio.Event().wait()  # until the event loop itself is ended
            raise
        finally:
            with self._lock:
                self._guards.pop(guard, None)

    def drain(self) -> None:
        """Stop everything and wait until it was given back."""
        with self._lock:
            self._draining = True
            guards = dict(self._guards)
        for guard in guards:
            guard.stop()
        for ended in guards.values():
            ended.wait(_STOP_SECONDS)


def register_workflow(stages: Stages, running: Running) -> None:
    """Tell the engine how a job is done. Once per process, before the engine is launched.

    Whoever changes the order of the steps raises `grader.jobs.APPLICATION_VERSION`.
    """

    @DBOS.step(name="run", preemptible=True)
    async def run(job: Job) -> str | None:
        return await running.in_thread(lambda guard: stages.run(job, guard))

    @DBOS.step(name="measure", preemptible=True)
    async def measure(job: Job, run_sha256: str) -> str | None:
        return await running.in_thread(lambda guard: stages.measure(job, run_sha256, guard))

    @DBOS.step(name="judge")
    async def judge(job: Job, run_sha256: str, models_sha256: str) -> str | None:
        return await running.in_thread(lambda guard: stages.judge(job, run_sha256, models_sha256, guard))

    # Tries are counted in our own row, where people see them; the engine's dead letter is silent.
    @DBOS.workflow(name=WORKFLOW, max_recovery_attempts=None)
    async def grade(submission_id: str, generation: int) -> None:
        job = Job(submission_id, generation)
        with running.carrying(workflow_id(submission_id, generation)):
            run_sha256 = await run(job)
            if run_sha256 is None:
                return
            models_sha256 = await measure(job, run_sha256)
            if models_sha256 is not None:
                await judge(job, run_sha256, models_sha256)
