"""Evidence and grades: appended, never changed. The newest one of a submission stands."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from grader.domain.evidence import Evidence
from grader.domain.grade import Grade
from grader.storage.codec import dump, load
from grader.storage.tables.submissions import evidence, grade, submission

_CHUNK = 500


@dataclass(frozen=True, slots=True)
class StoredEvidence:
    """Evidence with its row's number and how long what took, in seconds."""

    id: int
    evidence: Evidence
    seconds: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class StoredGrade:
    """A verdict and when it was reached."""

    id: int
    grade: Grade
    evidence_id: int
    graded_at: datetime


@dataclass(frozen=True, slots=True)
class GradeLine:
    """What a grade said, without its items."""

    given: float  # before humans decided
    maximum: float
    needs_review: bool
    rubric_sha256: str
    graded_at: datetime


class Evidences:
    """The `evidence` table."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def add(
        self, submission_id: str, new: Evidence, seconds: Mapping[str, float], measured_at: datetime
    ) -> StoredEvidence:
        """Append evidence of one run."""
        values = {
            "submission_id": submission_id,
            "document": dump(new),
            "seconds": json.dumps(dict(seconds)),
            "measured_at": measured_at,
        }
        inserted = self._connection.execute(sa.insert(evidence).values(**values)).inserted_primary_key
        assert inserted is not None
        return StoredEvidence(inserted[0], new, seconds)

    def newest(self, submission_id: str) -> StoredEvidence | None:
        """The last run's evidence. Raises `EvidenceMissing` where it cannot be read."""
        query = (
            sa.select(evidence.c.id, evidence.c.document, evidence.c.seconds)
            .where(evidence.c.submission_id == submission_id)
            .order_by(evidence.c.id.desc())
            .limit(1)
        )
        row = self._connection.execute(query).first()
        return None if row is None else StoredEvidence(row[0], load(Evidence, row[1]), json.loads(row[2]))

    def recent_seconds(self, assignment: str, limit: int) -> list[Mapping[str, float]]:
        """How long what took in the newest runs of an assignment, in all courses."""
        query = (
            sa.select(evidence.c.seconds)
            .join(submission, submission.c.id == evidence.c.submission_id)
            .where(submission.c.assignment == assignment)
            .order_by(evidence.c.id.desc())
            .limit(limit)
        )
        return [json.loads(document) for document in self._connection.execute(query).scalars()]


@dataclass(frozen=True, slots=True)
class Head:
    """What stands of a submission, without the documents. 0 and "": there is none yet."""

    submission_id: str
    course: str
    grade_id: int
    judged_evidence_id: int  # of the grade
    version: str  # of the grade, see `judge.version_of`
    evidence_id: int  # of the last run


class Grades:
    """The `grade` table."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def add(
        self,
        submission_id: str,
        judged: StoredEvidence,
        verdict: Grade,
        graded_at: datetime,
        follows: StoredGrade | None,
    ) -> None:
        """Append a verdict on this evidence, with all that a replay needs.

        ``follows`` is the grade that it takes the place of. Surfaces as `Clash` where another one
        took that place already.
        """
        before = follows.id if follows else 0
        self.append([describe(submission_id, judged.id, judged.evidence, verdict, before)], graded_at)

    def append(self, rows: Sequence[Mapping[str, Any]], graded_at: datetime) -> None:
        """The same of many verdicts at once, as `describe` makes them."""
        self._connection.execute(sa.insert(grade), [{**row, "graded_at": graded_at} for row in rows])

    def newest(self, submission_id: str) -> StoredGrade | None:
        """The verdict that stands. Raises `EvidenceMissing` where it cannot be read."""
        return self.newest_of([submission_id]).get(submission_id)

    def newest_of(self, submission_ids: Iterable[str]) -> dict[str, StoredGrade]:
        """The same of many, by submission."""
        ids = list(submission_ids)
        found = {}
        for start in range(0, len(ids), _CHUNK):
            newest = (
                sa.select(sa.func.max(grade.c.id))
                .where(grade.c.submission_id.in_(ids[start : start + _CHUNK]))
                .group_by(grade.c.submission_id)
            )
            query = sa.select(
                grade.c.submission_id, grade.c.id, grade.c.document, grade.c.evidence_id, grade.c.graded_at
            ).where(grade.c.id.in_(newest))
            for owner, number, document, evidence_id, graded_at in self._connection.execute(query):
                found[owner] = StoredGrade(number, load(Grade, document), evidence_id, graded_at)
        return found

    def heads(self, assignment: str, only: Sequence[str] | None = None) -> list[Head]:
        """What stands of each submission of an assignment, oldest first. ``only``: of at most 500 of them."""
        newest = (
            sa.select(sa.func.max(grade.c.id))
            .where(grade.c.submission_id == submission.c.id)
            .correlate(submission)
            .scalar_subquery()
        )
        measured = (
            sa.select(sa.func.max(evidence.c.id))
            .where(evidence.c.submission_id == submission.c.id)
            .correlate(submission)
            .scalar_subquery()
        )
        query = (
            sa.select(
                submission.c.id,
                submission.c.course,
                sa.func.coalesce(grade.c.id, 0),
                sa.func.coalesce(grade.c.evidence_id, 0),
                sa.func.coalesce(grade.c.rubric_sha256, ""),
                sa.func.coalesce(measured, 0),
            )
            .select_from(submission.outerjoin(grade, grade.c.id == newest))
            .where(submission.c.assignment == assignment)
            .order_by(submission.c.accepted_at, submission.c.id)
        )
        if only is not None:
            query = query.where(submission.c.id.in_(only))
        return [Head(*row) for row in self._connection.execute(query)]

    def documents(self, heads: Sequence[Head]) -> list[tuple[str, str]]:
        """The documents of evidence and grade of each; of at most 500 that have both."""
        judged = sa.select(grade.c.id, grade.c.document).where(grade.c.id.in_([h.grade_id for h in heads]))
        measured = sa.select(evidence.c.id, evidence.c.document).where(
            evidence.c.id.in_([head.evidence_id for head in heads])
        )
        grades = {row[0]: row[1] for row in self._connection.execute(judged)}
        seen = {row[0]: row[1] for row in self._connection.execute(measured)}
        return [(seen[head.evidence_id], grades[head.grade_id]) for head in heads]

    def lines(self, submission_id: str) -> list[GradeLine]:
        """Every verdict that was reached, oldest first."""
        query = (
            sa.select(
                grade.c.given, grade.c.maximum, grade.c.needs_review, grade.c.rubric_sha256, grade.c.graded_at
            )
            .where(grade.c.submission_id == submission_id)
            .order_by(grade.c.id)
        )
        return [GradeLine(*row) for row in self._connection.execute(query)]

    def texts(self, grade_ids: Sequence[int], item: str) -> dict[int, str]:
        """What students wrote for one item, by the grade's id; without those that wrote nothing.

        Reads only that of each document: a queue needs hundreds of them at once.
        """
        query = sa.select(grade.c.id, grade.c.document).where(grade.c.id.in_(grade_ids))
        found = {}
        for grade_id, document in self._connection.execute(query):
            items = json.loads(document)["data"]["items"]
            text = next((str(one["evidence"].get("text", "")) for one in items if one["key"] == item), "")
            if text:
                found[grade_id] = text
        return found


def describe(
    submission_id: str, evidence_id: int, seen: Evidence, verdict: Grade, follows: int
) -> dict[str, Any]:
    """A verdict as a row: with all that a replay needs, but for the time."""
    return {
        "submission_id": submission_id,
        "evidence_id": evidence_id,
        "rubric_sha256": verdict.rubric_sha256,
        "document": dump(verdict),
        "given": verdict.given,
        "maximum": verdict.maximum,
        "needs_review": verdict.needs_review,
        "notebook_sha256": seen.notebook_sha256,
        "dataset": seen.models.dataset.name,
        "dataset_sha256": seen.models.dataset.sha256,
        "versions": json.dumps({**seen.models.versions, **seen.run.versions, "grader": seen.grader_version}),
        "seed": seen.seed,
        "threads": seen.run.threads,
        "follows": follows,
    }
