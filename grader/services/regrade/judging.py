"""One submission judged again: documents in, documents out, so that another process can do it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from grader.assignments import Assignment
from grader.checks.judge import judge, version_of
from grader.domain.answer_calibration import AnswerCalibration
from grader.domain.evidence import Evidence
from grader.domain.grade import Grade, ItemState
from grader.errors import GraderError
from grader.services.grades.marks import Outlined, outline_items
from grader.storage.codec import load
from grader.storage.grades import Head, describe

_NOTHING = Outlined(0, 0.0, ())
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Standard:
    """What a class is judged by: a rubric, and what reviewers' marks have taught in each course."""

    assignment: Assignment
    learned: Mapping[str, Mapping[str, AnswerCalibration]]  # by course and item

    def versions(self) -> Mapping[str, str]:
        """What its grades are versions of, by course."""
        rubric = self.assignment.rubric
        return {course: version_of(rubric, known) for course, known in self.learned.items()}


@dataclass(frozen=True, slots=True)
class Case:
    """What stands of one submission, with the documents of its evidence and grade."""

    head: Head
    evidence: str
    grade: str


@dataclass(frozen=True, slots=True)
class Judged:
    """What judging it yields. With a ``failure`` there is nothing else."""

    head: Head
    failure: str = ""
    is_same: bool = False  # every item's points and state are those of the grade before
    outlined: Outlined = _NOTHING
    row: Mapping[str, Any] = field(default_factory=dict)  # of the new grade, see `grades.describe`


def judge_case(standard: Standard, case: Case) -> Judged:
    """Judge stored evidence by this standard. What fails is told in the result."""
    try:
        return _judge(standard, case)
    except GraderError as error:
        return Judged(case.head, failure=str(error))
    except Exception as error:  # a check's own fault on one notebook must not stop the others' regrade
        _log.exception("judging %s failed", case.head.submission_id)
        return Judged(case.head, failure=f"an error in the grader itself ({type(error).__name__})")


def _judge(standard: Standard, case: Case) -> Judged:
    head, assignment = case.head, standard.assignment
    seen, before = load(Evidence, case.evidence), load(Grade, case.grade)
    evidence = replace(
        seen,
        # Measured once, held against what the reference is known to reach today.
        reference=assignment.reference_on(seen.models.dataset.sha256),
        calibrations=standard.learned.get(head.course, {}),
        earlier={item.key: item.evidence for item in before.items},
    )
    grade = judge(assignment.rubric, evidence)
    return Judged(
        head,
        is_same=_verdicts(before) == _verdicts(grade),
        outlined=Outlined(0, grade.maximum, outline_items(grade)),
        row=describe(head.submission_id, head.evidence_id, seen, grade, follows=head.grade_id),
    )


def _verdicts(grade: Grade) -> list[tuple[str, float, ItemState]]:
    return [(item.key, item.points, item.state) for item in grade.items]
