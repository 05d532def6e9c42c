"""Delete submissions and drafts with all that hangs on them: work in flight, evidence, grades and blobs."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

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


class Eraser:
    """The verb with what it needs."""

    def __init__(self, database: Database, blobs: Blobs, jobs: Jobs) -> None:
        self._database = database
        self._blobs = blobs
        self._jobs = jobs

    def preview(self, leaving: Leaving) -> Removed:
        """What `erase` would delete."""
        with self._database.read() as unit:
            blobs = self._without_shared(unit, self._find_blobs(unit, leaving), leaving)
            rows = Counter(unit.personal_data.count(OF_SUBMISSION, leaving.ids))
        rows["draft"] += len(leaving.drafts)
        return Removed(dict(+rows), sum(self._blobs.is_removable(*one) for one in blobs.items()))

    def erase(
        self,
        find: Callable[[UnitOfWork], Leaving | None],
        finish: Callable[[UnitOfWork, Removed], None],
        actor: Actor,
        reason: str,
        now: datetime,
    ) -> None:
        """Delete what ``find`` names, whatever state its work is in; None: nothing, after all.

        ``find`` is asked in the transaction that ends the work. ``finish`` is called in the last one, so that
        what is noted there is noted if and only if everything went. Blobs go first, and what the job engine
        knows: where a crash comes between, the rows are still there to find the rest by.
        """
        with self._database.write() as unit:
            leaving = find(unit)
            if leaving is None:
                return
            stopped = {
                one.id
                for one in leaving.submissions
                if unit.work.finish(one.id, one.generation, SubmissionState.FAILED, now, "Erased.")
            }
            unit.commit()
        for one in leaving.submissions:
            if one.id in stopped:
                self._jobs.cancel(one.id, one.generation)
        gone = self._remove_blobs(leaving, stopped, now)
        self._jobs.forget([(one.id, one.generation) for one in leaving.submissions])
        rows: Counter[str] = Counter()
        for start in range(0, len(leaving.ids) or 1, _AT_ONCE):
            some = leaving.ids[start : start + _AT_ONCE]
            with self._database.write() as unit:
                unit.personal_data.allow(some, reason, actor.id, now)
                unit.personal_data.forget_answers(some)
                rows.update(unit.personal_data.delete(OF_SUBMISSION, some))
                if start + _AT_ONCE >= len(leaving.ids):
                    rows["draft"] += unit.personal_data.delete_drafts([one.id for one in leaving.drafts])
                    finish(unit, Removed(dict(+rows), gone))
                unit.commit()

    def _remove_blobs(self, leaving: Leaving, stopped: Set[str], now: datetime) -> int:
        with self._database.read() as unit:
            last_seen = unit.personal_data.last_evidence()
            blobs = self._without_shared(unit, self._find_blobs(unit, leaving, stopped, now), leaving)
        with self._database.write() as unit:
            blobs = self._without_shared(unit, blobs, leaving, after=last_seen)
            return sum(self._blobs.remove(*one) for one in blobs.items())

    def _find_blobs(
        self, unit: UnitOfWork, leaving: Leaving, stopped: Set[str] = frozenset(), now: datetime | None = None
    ) -> dict[str, datetime]:
        """Their blobs, and when each was put by them at the latest: who put it since is about to name it."""
        found: dict[str, datetime] = {}

        def add(names: Iterable[str], until: datetime) -> None:
            for sha256 in names:
                found[sha256] = max(until, found.get(sha256, until))

        for draft in leaving.drafts:
            add([draft.notebook_sha256], draft.made_at + _WRITES)
        for one in leaving.submissions:
            add([one.notebook_sha256], one.changed_at)
            # Work that was stopped put blobs after its row had changed last.
            until = now if now is not None and one.id in stopped else one.changed_at
            add(told_by(self._jobs, self._blobs, one.id, one.generation), until)
            add(named_in(unit.personal_data.evidence_documents([one.id])), one.changed_at)
        return found

    def _without_shared(
        self, unit: UnitOfWork, blobs: Mapping[str, datetime], leaving: Leaving, after: int = 0
    ) -> dict[str, datetime]:
        """Without what others refer to: rows, unfinished work, and evidence stored after this one."""
        ids, drafts = frozenset(leaving.ids), frozenset(one.id for one in leaving.drafts)
        shared = unit.personal_data.notebooks_of_others(sorted(blobs), ids, drafts)
        for work in unit.work.list_taken_up():
            if work.submission_id not in ids:
                shared |= told_by(self._jobs, self._blobs, work.submission_id, work.generation)
        for submission_id, document in unit.personal_data.evidence_after(after):
            if submission_id not in ids:
                shared.update(_SHA256.findall(document))
        return {sha256: until for sha256, until in blobs.items() if sha256 not in shared}


def told_by(jobs: Jobs, blobs: Blobs, submission_id: str, generation: int) -> set[str]:
    """Blobs between the stages of a run that is not evidence yet, or never became it, and what they name."""
    named = jobs.told(submission_id, generation)
    for sha256 in tuple(named):
        with suppress(EvidenceMissing, UnicodeDecodeError):
            named |= set(_SHA256.findall(blobs.get(sha256).decode()))
    return named


def named_in(documents: Iterable[str]) -> Iterator[str]:
    """Every blob that evidence stands for: those it names, and its run and report as stages kept them."""
    for document in documents:
        yield from _SHA256.findall(document)
        with suppress(EvidenceMissing):
            evidence = load(Evidence, document)
            for part in (evidence.run, evidence.models):
                yield hashlib.sha256(dump(part).encode()).hexdigest()
