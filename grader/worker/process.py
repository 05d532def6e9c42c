"""One worker process: a slot, the engine, the supervisor, and a clean end."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa
from dbos import DBOS

from grader.assignments import Assignment
from grader.jobs import APPLICATION, APPLICATION_VERSION, QUEUE, Jobs
from grader.services.autograde import Autograder
from grader.services.opinions.gather import SecondOpinion
from grader.storage.blobs import Blobs
from grader.storage.unit_of_work import Database
from grader.storage.workers import SILENT_SECONDS
from grader.worker.slots import hold_slot
from grader.worker.stages import PAUSES, Stages
from grader.worker.supervisor import Supervisor
from grader.worker.workflow import Running, register_workflow

_log = logging.getLogger(__name__)
_POLL_SECONDS = 0.5
_LOOK_SECONDS = 0.5


def run_worker(
    *,
    engine: sa.Engine,
    home: Path,
    blobs: Blobs,
    autograder: Autograder,
    assignments: Mapping[str, Assignment],
    stop: threading.Event | None = None,
    on_ready: Callable[[str], None] = lambda _: None,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    pauses: Sequence[float] = PAUSES,
    silent_seconds: float = SILENT_SECONDS,
    opinions: Sequence[SecondOpinion] = (),
) -> int:
    """Grade one submission after another until SIGTERM, SIGINT or ``stop``; return the exit status 0.

    The database must have been migrated. ``on_ready`` gets the worker's id once it takes jobs.
    At the end the notebook that runs is killed and given back, which counts as no try.
    ``pauses`` are the seconds before the second and the third try; a worker that is silent for
    ``silent_seconds`` is dead to the others. One worker per process: the engine is the process's
    own. Raises `OurFailure` where it cannot start.
    """
    stop = stop or threading.Event()
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
    database, jobs, running = Database(engine), Jobs(engine), Running()
    with hold_slot(home) as worker_id:
        stages = Stages(
            database, blobs, autograder, assignments, clock=clock, pauses=pauses, opinions=opinions
        )
        register_workflow(stages, running)
        supervisor = Supervisor(
            worker_id, database, blobs, jobs, clock, carried=running.carried, silent_seconds=silent_seconds
        )
        supervisor.start()
        try:
            _launch_engine(engine, worker_id)
            _log.info("worker %s takes jobs", worker_id)
            on_ready(worker_id)
            # Signals are handled in this thread, when it wakes; the system may wake another one for them.
            while not stop.wait(_LOOK_SECONDS):
                continue
        finally:
            running.drain()
            logging.getLogger("dbos").setLevel(logging.ERROR)  # what it stops now, it stops on purpose
            DBOS.destroy(destroy_registry=True)
            supervisor.stop()
    return 0


def _launch_engine(engine: sa.Engine, worker_id: str) -> None:
    DBOS(
        config={
            "name": APPLICATION,
            "system_database_url": engine.url.render_as_string(hide_password=False),
            "system_database_engine": engine,
            "executor_id": worker_id,
            "application_version": APPLICATION_VERSION,
            "run_migrations": False,
            "log_level": "WARNING",
        }
    )
    DBOS.launch()
    DBOS.register_queue(QUEUE, worker_concurrency=1, polling_interval_sec=_POLL_SECONDS)
