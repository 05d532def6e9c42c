"""Evidence and grades: appended, never changed. The newest one of a submission stands."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from grader.domain.evidence import Evidence
from grader.domain.grade import Grade
from grader.domain.models import ModelReport
from grader.domain.submission import SubmissionState
from grader.errors import EvidenceMissing
from grader.storage.codec import dump, load
from grader.storage.tables import evidence, grade, submission, work


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

    def models_of_class(self, course: str, assignment: str) -> list[ModelReport]:
        """What was measured of each student's newest graded submission; without what cannot be read."""
        graded = (
            sa.select(submission.c.user_id, sa.func.max(submission.c.attempt).label("attempt"))
            .join(work)
            .where(
                submission.c.course == course,
                submission.c.assignment == assignment,
                work.c.state == SubmissionState.GRADED.value,
            )
            .group_by(submission.c.user_id)
            .subquery()
        )
        newest = (
            sa.select(sa.func.max(evidence.c.id))
            .join(submission, submission.c.id == evidence.c.submission_id)
            .join(
                graded,
                (submission.c.user_id == graded.c.user_id) & (submission.c.attempt == graded.c.attempt),
            )
            .where(submission.c.course == course, submission.c.assignment == assignment)
            .group_by(submission.c.id)
        )
        rows = self._connection.execute(sa.select(evidence.c.document).where(evidence.c.id.in_(newest)))
        reports = []
        for document in rows.scalars():
            with suppress(EvidenceMissing):  # one damaged row takes the picture from nobody else
                reports.append(load(Evidence, document).models)
        return reports


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
        seen = judged.evidence
        self._connection.execute(
            sa.insert(grade).values(
                submission_id=submission_id,
                evidence_id=judged.id,
                rubric_sha256=verdict.rubric_sha256,
                document=dump(verdict),
                given=verdict.given,
                maximum=verdict.maximum,
                needs_review=verdict.needs_review,
                notebook_sha256=seen.notebook_sha256,
                dataset=seen.models.dataset.name,
                dataset_sha256=seen.models.dataset.sha256,
                versions=json.dumps(
                    {**seen.models.versions, **seen.run.versions, "grader": seen.grader_version}
                ),
                seed=seen.seed,
                threads=seen.run.threads,
                graded_at=graded_at,
                follows=follows.id if follows else 0,
            )
        )

    def newest(self, submission_id: str) -> StoredGrade | None:
        """The verdict that stands. Raises `EvidenceMissing` where it cannot be read."""
        query = (
            sa.select(grade.c.id, grade.c.document, grade.c.evidence_id, grade.c.graded_at)
            .where(grade.c.submission_id == submission_id)
            .order_by(grade.c.id.desc())
            .limit(1)
        )
        row = self._connection.execute(query).first()
        return None if row is None else StoredGrade(row[0], load(Grade, row[1]), row[2], row[3])

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
