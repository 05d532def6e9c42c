"""Judge again from stored evidence: no notebook runs, nothing is overwritten."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from grader.assignments import Assignment
from grader.checks.answers.statements import read_question
from grader.checks.judge import judge, version_of
from grader.checks.registry import TAKES_CONCEPTS
from grader.domain.answer_calibration import AnswerCalibration
from grader.domain.grade import Grade, ItemState
from grader.errors import GraderError, StorageUnavailable
from grader.services.calibrations import learn, load_calibrations
from grader.services.standing import settle
from grader.storage.unit_of_work import Clash, Database

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Regraded:
    """What a regrade did, by submission id."""

    changed: tuple[str, ...]  # a new grade, other points or states than before
    confirmed: tuple[str, ...]  # a new grade with the same points
    untouched: tuple[str, ...]  # this rubric version's grade stands already, or there is none yet
    failed: tuple[tuple[str, str], ...]  # with the reason: its evidence cannot be read, or we failed


def regrade(database: Database, assignment: Assignment, now: datetime) -> Regraded:
    """Judge every submission of the assignment under its current rubric.

    Appends a grade where one of another rubric version stands; doing it again changes nothing.
    Raises `StorageUnavailable`; what was appended until then stands.
    """
    results: dict[str, list[str]] = {"changed": [], "confirmed": [], "untouched": []}
    failed: list[tuple[str, str]] = []
    with database.read() as unit:
        ids = unit.submissions.ids_of(assignment.rubric.id)
    learned: dict[str, Mapping[str, AnswerCalibration]] = {}  # by course
    for submission_id in ids:
        try:
            results[_regrade_one(database, assignment, submission_id, now, learned)].append(submission_id)
        except StorageUnavailable:
            raise
        except GraderError as error:
            failed.append((submission_id, str(error)))
        except Exception as error:  # a check's own fault on one notebook must not stop the others' regrade
            _log.exception("judging %s failed", submission_id)
            failed.append((submission_id, f"an error in the grader itself ({type(error).__name__})"))
    for course in learned:
        _learn_again(database, assignment, course, now)
    return Regraded(**{name: tuple(found) for name, found in results.items()}, failed=tuple(failed))


def _learn_again(database: Database, assignment: Assignment, course: str, now: datetime) -> None:
    """Where a question has changed, marks that stand teach what they say of its new proposals."""
    rubric = assignment.rubric
    for item in rubric.items:
        if item.check in TAKES_CONCEPTS and item.concepts:
            question = read_question(item, rubric.part(item.part)).sha256
            with database.write() as unit:
                learn(unit, course, rubric.id, item.key, now, question_sha256=question)
                unit.commit()


def _regrade_one(
    database: Database,
    assignment: Assignment,
    submission_id: str,
    now: datetime,
    learned: dict[str, Mapping[str, AnswerCalibration]],
) -> str:
    with database.read() as unit:
        evidence = unit.evidence.newest(submission_id)
        before = unit.grades.newest(submission_id)
        if evidence is None or before is None:
            return "untouched"
        filed = unit.submissions.find(submission_id)
        assert filed is not None  # its evidence names it
        course = filed.submission.course
        if course not in learned:
            learned[course] = load_calibrations(unit, course, assignment.rubric.id)
    version = version_of(assignment.rubric, learned[course])
    if before.evidence_id == evidence.id and before.grade.rubric_sha256 == version:
        return "untouched"
    # Measured once, held against what the reference is known to reach today.
    reference = assignment.reference_on(evidence.evidence.models.dataset.sha256)
    grade = judge(
        assignment.rubric, replace(evidence.evidence, reference=reference, calibrations=learned[course])
    )
    try:
        with database.write() as unit:
            unit.grades.add(submission_id, evidence, grade, now, follows=before)
            settle(unit, submission_id)
            unit.commit()
    except Clash:
        return "untouched"  # another regrade, or the worker, was quicker
    same = _verdicts(before.grade) == _verdicts(grade)
    return "confirmed" if same else "changed"


def _verdicts(grade: Grade) -> list[tuple[str, float, ItemState]]:
    return [(item.key, item.points, item.state) for item in grade.items]
