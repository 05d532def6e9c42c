"""Delete submissions and drafts with all that hangs on them: work in flight, evidence, grades and blobs."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from grader.domain.evidence import Evidence
from grader.domain.people import Actor
from grader.domain.submission import SubmissionState
from grader.errors import EvidenceMissing
from grader.jobs import Jobs
from grader.storage.blobs import Blobs
from grader.storage.codec import dump, load
from grader.storage.personal_data import OF_SUBMISSION, Erasable, ErasableDraft
from grader.storage.unit_of_work import Database, UnitOfWork

_AT_ONCE = 1_000  # submissions in one transaction
_WRITES = timedelta(minutes=1)  # a draft's blob may be written a little after the time it is dated
_SHA256 = re.compile(r"\b[0-9a-f]{64}\b")


@dataclass(frozen=True, slots=True)
class Removed:
    """What went, or what would go: rows by table, and blobs."""

    rows: dict[str, int] = field(default_factory=dict)
    blobs: int = 0


@dataclass(frozen=True, slots=True)
class Leaving:
    """What is to go."""

    submissions: Sequence[Erasable]
    drafts: Sequence[ErasableDraft] = ()

    @property
    def ids(self) -> list[str]:
        """Of the submissions."""
        return [one.id for one in self.submissions]

    @property
    def last_change(self) -> datetime:
        """When the last of them put a blob, at the latest."""
        ends = [one.changed_at for one in self.submissions]
        ends += [one.made_at + _WRITES for one in self.drafts]
        return max(ends, default=datetime.fromtimestamp(0, UTC))


class Eraser:
    """The verb with what it needs."""

    def __init__(self, database: Database, blobs: Blobs, jobs: Jobs) -> None:
        self._database = database
        self._blobs = blobs
        self._jobs = jobs

    def preview(self, leaving: Leaving) -> Removed:
        """What `erase` would delete."""
        blobs, _ = self._find_blobs(leaving)
        with self._database.read() as unit:
            rows = Counter(unit.personal_data.count(OF_SUBMISSION, leaving.ids))
        rows["draft"] += len(leaving.drafts)
        until = leaving.last_change
        return Removed(dict(+rows), sum(self._blobs.is_removable(sha256, until) for sha256 in blobs))

    def erase(self, leaving: Leaving, actor: Actor, reason: str, now: datetime) -> Removed:
        """Delete them, whatever state their work is in.

        Blobs go first: where a crash comes between, the rows are still there to find the rest by.
        """
        stopped = self._stop(leaving.submissions, now)
        blobs, last_seen = self._find_blobs(leaving)
        until = now if stopped else leaving.last_change
        rows: Counter[str] = Counter()
        with self._database.write() as unit:
            blobs = self._without_shared(unit, blobs, leaving, last_seen)
            gone = sum(self._blobs.remove(sha256, until) for sha256 in blobs)
            rows["draft"] += unit.personal_data.delete_drafts([one.id for one in leaving.drafts])
            unit.commit()
        for start in range(0, len(leaving.ids), _AT_ONCE):
            some = leaving.ids[start : start + _AT_ONCE]
            with self._database.write() as unit:
                unit.personal_data.allow(some, reason, actor.id, now)
                unit.personal_data.forget_answers(some)
                rows.update(unit.personal_data.delete(OF_SUBMISSION, some))
                unit.commit()
        self._jobs.forget([(one.id, one.generation) for one in leaving.submissions])
        return Removed(dict(+rows), gone)

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

    def _find_blobs(self, leaving: Leaving) -> tuple[set[str], int]:
        """Their blobs that nothing else refers to; and the last evidence that was read."""
        blobs = {one.notebook_sha256 for one in leaving.submissions}
        blobs |= {one.notebook_sha256 for one in leaving.drafts}
        for one in leaving.submissions:
            blobs |= self._told_by_jobs(one)
        with self._database.read() as unit:
            blobs.update(named_in(unit.personal_data.evidence_documents(leaving.ids)))
            last_seen = unit.personal_data.last_evidence()
            return self._without_shared(unit, blobs, leaving, 0), last_seen

    def _without_shared(self, unit: UnitOfWork, blobs: set[str], leaving: Leaving, after: int) -> set[str]:
        """Without what others refer to, in evidence stored after this one."""
        ids, drafts = frozenset(leaving.ids), frozenset(one.id for one in leaving.drafts)
        left = blobs - unit.personal_data.notebooks_of_others(sorted(blobs), ids, drafts)
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


def named_in(documents: Iterable[str]) -> Iterator[str]:
    """Every blob that evidence stands for: those it names, and its run and report as stages kept them."""
    for document in documents:
        yield from _SHA256.findall(document)
        with suppress(EvidenceMissing):
            evidence = load(Evidence, document)
            for part in (evidence.run, evidence.models):
                yield hashlib.sha256(dump(part).encode()).hexdigest()
