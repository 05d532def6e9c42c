"""The job engine (DBOS) behind a few verbs, so that it can be exchanged.

The `work` row is the truth: whatever the engine forgets is put into it again from there.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime
from functools import cached_property

import sqlalchemy as sa
from dbos import DBOS, DBOSClient

from grader.errors import StorageUnavailable

APPLICATION = "grader"
QUEUE = "grade"
WORKFLOW = "grade"
# Raised by hand, only when the order of the workflow's steps or the engine's major version changes:
# each version runs its own jobs alone, so another number would strand what is queued.
APPLICATION_VERSION = "grade1-dbos3"
HIGHEST_PRIORITY, LOWEST_PRIORITY = 1, 2**31 - 1
_LIVE = ["ENQUEUED", "PENDING", "DELAYED"]
_FINISHED = ["SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"]
_CHUNK = 500


def workflow_id(submission_id: str, generation: int) -> str:
    """The job's name: one submission and generation is one job, however often it is enqueued."""
    return f"{WORKFLOW}:{submission_id}:{generation}"


def migrate_jobs(url: str | sa.URL) -> None:
    """Create or upgrade the engine's own tables. Raises `StorageUnavailable`."""
    parsed = sa.make_url(url)
    if parsed.get_backend_name() == "postgresql":
        parsed = parsed.set(drivername="postgresql")
    logging.getLogger("dbos").setLevel(logging.WARNING)  # it would name each of some hundred steps
    try:
        DBOS.migrate(parsed.render_as_string(hide_password=False))
    except sa.exc.OperationalError as error:
        raise StorageUnavailable(f"the database cannot be used now: {error.orig}") from error


class Jobs:
    """Enqueues and looks after jobs from any process. Connects to nothing until it is used."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    @cached_property
    def _client(self) -> DBOSClient:
        return DBOSClient(
            system_database_engine=self._engine,
            application_name=APPLICATION,
            lazy=True,
            retry_connection_errors=False,  # whoever asks is told at once
        )

    def enqueue(self, connection: sa.Connection, submission_id: str, generation: int, priority: int) -> None:
        """Enqueue in the caller's transaction: job and commit are one. A lower priority runs first."""
        self._client.enqueue_in_transaction(
            connection,
            {
                "workflow_name": WORKFLOW,
                "queue_name": QUEUE,
                "workflow_id": workflow_id(submission_id, generation),
                "app_version": APPLICATION_VERSION,
                # Without a number a job would jump the queue.
                "priority": min(max(priority, HIGHEST_PRIORITY), LOWEST_PRIORITY),
            },
            submission_id,
            generation,
        )

    def cancel(self, submission_id: str, generation: int) -> None:
        """Cancel a job, running or not; a finished or unknown one is left as it is."""
        self._client.cancel_workflows([workflow_id(submission_id, generation)])

    def told(self, submission_id: str, generation: int) -> set[str]:
        """What the steps of a submission's jobs returned, as far as the engine remembers."""
        told: set[str] = set()
        for number in range(generation + 1):
            for step in self._client.list_workflow_steps(workflow_id(submission_id, number)) or []:
                if isinstance(step["output"], str):
                    told.add(step["output"])
        return told

    def forget(self, jobs: Iterable[tuple[str, int]]) -> None:
        """Delete all that the engine keeps of these submissions' jobs, up to their generation."""
        ids = [workflow_id(name, number) for name, last in jobs for number in range(last + 1)]
        for start in range(0, len(ids), _CHUNK):
            self._client.delete_workflows(ids[start : start + _CHUNK])

    def active(self, workflow_ids: Iterable[str]) -> frozenset[str]:
        """Which of these the engine will run, or is running."""
        wanted = list(workflow_ids)
        found: set[str] = set()
        for start in range(0, len(wanted), _CHUNK):
            page = self._client.list_workflows(
                workflow_ids=wanted[start : start + _CHUNK],
                status=_LIVE,
                load_input=False,
                load_output=False,
            )
            found.update(workflow.workflow_id for workflow in page)
        return frozenset(found)

    def requeue_dead(self, live_workers: Collection[str]) -> int:
        """Hand the jobs of workers that are not among the living to the others; return how many."""
        by_queue: dict[str | None, list[str]] = defaultdict(list)
        for workflow in self._client.list_workflows(status="PENDING", load_input=False, load_output=False):
            if workflow.executor_id not in live_workers:
                by_queue[workflow.queue_name].append(workflow.workflow_id)
        for queue, ids in by_queue.items():
            self._client.resume_workflows(ids, queue_name=queue or QUEUE)
        return sum(map(len, by_queue.values()))

    def pending_on(self, worker_id: str) -> frozenset[str]:
        """The jobs that this worker runs, as the engine believes."""
        found = self._client.list_workflows(
            status="PENDING", executor_id=worker_id, load_input=False, load_output=False
        )
        return frozenset(workflow.workflow_id for workflow in found)

    def resume(self, workflow_ids: Iterable[str]) -> None:
        """Queue jobs again that began and did not end."""
        self._client.resume_workflows(list(workflow_ids), queue_name=QUEUE)

    def forget_finished(self, before: datetime) -> int:
        """Delete the engine's rows of jobs that ended before this; return how many."""
        finished = self._client.list_workflows(
            status=_FINISHED,
            completed_before=before.isoformat(),
            limit=_CHUNK,
            load_input=False,
            load_output=False,
        )
        if finished:
            self._client.delete_workflows([workflow.workflow_id for workflow in finished])
        return len(finished)
