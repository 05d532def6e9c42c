"""Liveness: this worker's heartbeat, dead workers' jobs, and work that no job carries."""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from grader.errors import StorageUnavailable
from grader.jobs import Jobs, workflow_id
from grader.storage.blobs import Blobs
from grader.storage.unit_of_work import Database
from grader.storage.workers import SILENT_SECONDS

_log = logging.getLogger(__name__)
_RECONCILE_SECONDS = 60.0
_TIDY_SECONDS = 3600.0
_KEEP_JOBS = timedelta(days=1)
_KEEP_ANSWERS = timedelta(days=7)


class Supervisor:
    """Of all live workers, the one with the lowest id takes care of the dead ones' jobs."""

    def __init__(
        self,
        worker_id: str,
        database: Database,
        blobs: Blobs,
        jobs: Jobs,
        clock: Callable[[], datetime],
        *,
        carried: Callable[[], frozenset[str]] = frozenset,
        silent_seconds: float = SILENT_SECONDS,
    ) -> None:
        self._worker_id = worker_id
        self._database = database
        self._blobs = blobs
        self._jobs = jobs
        self._clock = clock
        self._carried = carried  # the jobs that are under way in this process
        self._stranded: frozenset[str] = frozenset()
        self._silent_seconds = silent_seconds  # after which another worker is dead
        self._beat_seconds = silent_seconds / 5
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="supervisor", daemon=True)

    def start(self) -> None:
        """Beat once, so that nobody takes this worker for dead, and go on in a thread."""
        self.beat()
        self._thread.start()

    def stop(self) -> None:
        """End, and tell the others to take over at once."""
        self._stop.set()
        self._thread.join(self._beat_seconds)
        try:
            with self._database.write() as unit:
                unit.workers.leave(self._worker_id, os.getpid())
                unit.commit()
        except StorageUnavailable as error:
            _log.warning("the others will miss this worker only by its silence: %s", error)

    def beat(self) -> list[str]:
        """Say that this worker lives; return who else does, sorted."""
        with self._database.write() as unit:
            unit.workers.beat(self._worker_id, socket.gethostname(), os.getpid())
            live = unit.workers.live(self._silent_seconds)
            unit.commit()
        return live

    def take_over(self, live: list[str]) -> int:
        """Hand dead workers' jobs to the living; return how many."""
        taken = self._jobs.requeue_dead(live)
        if taken:
            _log.warning("took over %d job(s) of workers that died", taken)
        return taken

    def reconcile(self) -> int:
        """Give every unfinished submission that no job carries a new job; return how many."""
        carried, after = 0, ""
        while True:
            with self._database.read() as unit:
                page = unit.work.list_unfinished(after)
            if not page:
                return carried
            active = self._jobs.active(workflow_id(w.submission_id, w.generation) for w in page)
            for work in page:
                if workflow_id(work.submission_id, work.generation) in active:
                    continue
                with self._database.write() as unit:
                    again = unit.work.queue_again(work.submission_id, work.generation, self._clock())
                    if again is not None:
                        self._jobs.enqueue(
                            unit.connection, again.submission_id, again.generation, again.priority
                        )
                        carried += 1
                    unit.commit()
            after = page[-1].submission_id

    def resume_stranded(self) -> int:
        """Queue again what the engine believes to run here and does not; return how many.

        Where the engine cannot write that a job ended (a full disk), it goes on to believe so. A job
        must have been missed twice: it may be about to begin, or to end.
        """
        missed = self._jobs.pending_on(self._worker_id) - self._carried()
        stranded, self._stranded = missed & self._stranded, missed - self._stranded
        if stranded:
            self._jobs.resume(stranded)
        return len(stranded)

    def tidy(self) -> None:
        """Drop what has had its time: finished jobs, old answers, silent workers, unfinished files."""
        now = self._clock()
        while self._jobs.forget_finished(now - _KEEP_JOBS):
            continue
        with self._database.write() as unit:
            unit.idempotency.forget_before(now - _KEEP_ANSWERS)
            unit.workers.forget_silent()
            unit.commit()
        self._blobs.sweep()

    def _watch(self) -> None:
        well_since: float | None = None
        reconcile_at = tidy_at = resume_at = 0.0
        while not self._stop.is_set():
            try:
                live = self.beat()
                now = time.monotonic()
                well_since = now if well_since is None else well_since
                if now >= resume_at:
                    resume_at = now + _RECONCILE_SECONDS
                    if self.resume_stranded():
                        _log.warning("queued again what had ended here without a trace")
                if live and live[0] == self._worker_id:
                    # After a start or an outage the others get time to be heard of.
                    if now - well_since >= self._silent_seconds:
                        self.take_over(live)
                    if now >= reconcile_at:
                        reconcile_at = now + _RECONCILE_SECONDS
                        lost = self.reconcile()
                        if lost:
                            _log.warning("gave %d submission(s) without a job a new one", lost)
                    if now >= tidy_at:
                        tidy_at = now + _TIDY_SECONDS
                        self.tidy()
            except Exception as error:
                well_since = None
                _log.warning("supervising failed, it is tried again: %s", error)
            self._stop.wait(self._beat_seconds)
