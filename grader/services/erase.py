"""Delete submissions with all that hangs on them: work in flight, evidence, grades, marks and blobs."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

from grader.domain.evidence import Evidence
from grader.domain.people import Actor
from grader.domain.submission import SubmissionState
from grader.errors import EvidenceMissing
from grader.jobs import Jobs
from grader.storage.blobs import Blobs
from grader.storage.codec import dump, load
from grader.storage.personal_data import OF_SUBMISSION, Erasable
from grader.storage.unit_of_work import Database, UnitOfWork

_AT_ONCE = 1_000  # submissions in one transaction
_SHA256 = re.compile(r"\b[0-9a-f]{64}\b")


@dataclass(frozen=True, slots=True)
class Removed:
    """What went, or what would go: rows by table, and blobs."""

    rows: dict[str, int] = field(default_factory=dict)
    blobs: int = 0


class Eraser:
    """The verb with what it needs."""

    def __init__(self, database: Database, blobs: Blobs, jobs: Jobs) -> None:
        self._database = database
        self._blobs = blobs
        self._jobs = jobs

    def preview(self, submissions: Sequence[Erasable]) -> Removed:
        """What `erase` would delete."""
        ids = [one.id for one in submissions]
        blobs, _ = self._find_blobs(submissions)
        with self._database.read() as unit:
            rows = unit.personal_data.count(OF_SUBMISSION, ids)
        until = _last_change(submissions)
        return Removed(rows, sum(self._blobs.is_removable(sha256, until) for sha256 in blobs))

    def erase(self, submissions: Sequence[Erasable], actor: Actor, reason: str, now: datetime) -> Removed:
        """Delete them, whatever state their work is in.

        Blobs go first: where a crash comes between, the rows are still there to find the rest by.
        """
        stopped = self._stop(submissions, now)
        blobs, last_seen = self._find_blobs(submissions)
        ids = [one.id for one in submissions]
        until = now if stopped else _last_change(submissions)
        rows: Counter[str] = Counter()
        gone = 0
        for start in range(0, len(ids), _AT_ONCE):
            some = ids[start : start + _AT_ONCE]
            with self._database.write() as unit:
                if start == 0:
                    blobs = self._without_shared(unit, blobs, frozenset(ids), last_seen)
                    gone = sum(self._blobs.remove(sha256, until) for sha256 in blobs)
                unit.personal_data.allow(some, reason, actor.id, now)
                unit.personal_data.forget_answers(some)
                rows.update(unit.personal_data.delete(OF_SUBMISSION, some))
                unit.commit()
        self._jobs.forget([(one.id, one.generation) for one in submissions])
        return Removed(dict(rows), gone)

    def _stop(self, submissions: Sequence[Erasable], now: datetime) -> bool:
        """End the work that has not ended, so that nothing is written while the rows go."""
        stopped = []
        with self._database.write() as unit:
            for one in submissions:
                if unit.work.finish(one.id, one.generation, SubmissionState.FAILED, now, "Erased."):
                    stopped.append(one)
            unit.commit()
        for one in stopped:
            self._jobs.cancel(one.id, one.generation)
        return bool(stopped)

    def _find_blobs(self, submissions: Sequence[Erasable]) -> tuple[set[str], int]:
        """The blobs of these submissions that no other one refers to; and the last evidence that was read."""
        ids = frozenset(one.id for one in submissions)
        blobs = {one.notebook_sha256 for one in submissions}
        for one in submissions:
            blobs |= self._told_by_jobs(one)
        with self._database.read() as unit:
            blobs.update(named_in(unit.personal_data.evidence_documents(sorted(ids))))
            last_seen = unit.personal_data.last_evidence()
            return self._without_shared(unit, blobs, ids, 0), last_seen

    def _without_shared(self, unit: UnitOfWork, blobs: set[str], ids: frozenset[str], after: int) -> set[str]:
        """Without what submissions other than these refer to, in evidence stored after this one."""
        left = blobs - unit.personal_data.notebooks_of_others(sorted(blobs), ids)
        for submission_id, document in unit.personal_data.evidence_after(after):
            if submission_id not in ids:
                left.difference_update(_SHA256.findall(document))
        return left

    def _told_by_jobs(self, one: Erasable) -> set[str]:
        """Blobs between the stages of a run that never became evidence, and what they name."""
        named = self._jobs.told(one.id, one.generation)
        for sha256 in tuple(named):
            with suppress(EvidenceMissing, UnicodeDecodeError):
                named |= set(_SHA256.findall(self._blobs.get(sha256).decode()))
        return named


def _last_change(submissions: Sequence[Erasable]) -> datetime:
    """When the last of them put a blob, at the latest."""
    return max((one.changed_at for one in submissions), default=datetime.fromtimestamp(0, UTC))


def named_in(documents: Iterable[str]) -> Iterator[str]:
    """Every blob that evidence stands for: those it names, and its run and report as stages kept them."""
    for document in documents:
        yield from _SHA256.findall(document)
        with suppress(EvidenceMissing):
            evidence = load(Evidence, document)
            for part in (evidence.run, evidence.models):
                yield hashlib.sha256(dump(part).encode()).hexdigest()
