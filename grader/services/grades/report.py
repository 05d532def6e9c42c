"""One source, two documents: what the command line prints and what the API answers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from grader.domain.grade import Grade, ItemGrade
from grader.domain.override import apply_overrides
from grader.domain.rubric import Rubric
from grader.domain.run import CellRun
from grader.domain.submission import SubmissionState
from grader.errors import NotFound
from grader.services.terms import Terms, read_terms
from grader.storage.grades import StoredEvidence, StoredGrade
from grader.storage.submissions import Filed
from grader.storage.unit_of_work import Database, UnitOfWork

_FAILED = "We could not grade this submission. It is not lost, and it is no zero: staff will look at it."
_PROGRESS = {"queued": "It waits for its turn.", "running": "The notebook is running."}


@dataclass(frozen=True, slots=True)
class Report:
    """All that is known of a submission now. The grade is the one that counts: with what humans decided."""

    filed: Filed
    grade: StoredGrade | None
    evidence: StoredEvidence | None
    progress: tuple[CellRun, ...]
    is_counted: bool  # of its student's attempts; nobody reads another one unless asked
    terms: Terms

    def is_released(self, item: ItemGrade, rubric: Rubric | None, now: datetime) -> bool:
        """Whether the student sees this item's points now. Of an assignment that is gone: no."""
        return rubric is not None and self.terms.is_released(rubric.part_of(item.key), now)


def read_report(database: Database, submission_id: str) -> Report:
    """Read a submission with its grade, evidence and progress. Raises `NotFound`."""
    with database.read() as unit:
        return find_report(unit, submission_id)


def find_report(unit: UnitOfWork, submission_id: str) -> Report:
    """Read a submission in a unit of work that is open. Raises `NotFound`."""
    filed = unit.submissions.find(submission_id)
    if filed is None:
        raise NotFound(f"There is no submission {submission_id!r}.")
    submission, standing = filed.submission, unit.standings.find(submission_id)
    return Report(
        filed,
        _find_grade(unit, submission_id),
        unit.evidence.newest(submission_id),
        unit.progress.of(submission_id),
        standing is None or standing.is_counted,
        read_terms(unit, submission.course, submission.assignment, submission.user),
    )


def _find_grade(unit: UnitOfWork, submission_id: str) -> StoredGrade | None:
    """The newest grade with what humans decided beside it."""
    stored, decided = unit.grades.newest(submission_id), unit.overrides.newest(submission_id)
    if stored is None or not decided:
        return stored
    overrides = {item: entry.override for item, entry in decided.items()}
    made_at = max(entry.made_at for entry in decided.values())
    return replace(
        stored,
        grade=apply_overrides(stored.grade, overrides),
        graded_at=max(stored.graded_at, made_at),
    )


def grade_document(grade: Grade, cells: Iterable[CellRun], seconds: Mapping[str, float]) -> dict[str, Any]:
    """The one object that `grader grade --json` prints for a graded notebook."""
    return _plain(
        {
            "status": "needs_review" if grade.needs_review else "graded",
            "score": {"given": grade.given, "maximum": grade.maximum},
            "items": [_item(item) for item in grade.items],
            "cells": [_cell(cell) for cell in cells],
            "seconds": seconds,
        }
    )


def ungraded_document(status: str, reason: str) -> dict[str, Any]:
    """The same object where there is no grade: ``refused`` or ``failed``. There is no score, not even 0."""
    return {"status": status, "reason": reason, "score": None, "items": [], "cells": [], "seconds": {}}


def submission_document(report: Report, rubric: Rubric | None, now: datetime) -> dict[str, Any]:
    """The submission as the API shows it, camelCase; ``rubric`` None: its assignment is gone.

    It is whole, whatever its student sees: ``released`` says what that is.
    """
    submission, stored = report.filed.submission, report.grade
    activity, grading, comment = _standing(report)
    given = stored is not None and submission.state is SubmissionState.GRADED
    cells = report.evidence.evidence.run.cells if given and report.evidence else report.progress
    items = [
        _camel({**_for_others(item), "released": report.is_released(item, rubric, now)})
        for item in (stored.grade.items if given and stored else ())
    ]
    document = {
        "id": submission.id,
        "courseId": submission.course,
        "assignmentId": submission.assignment,
        "userId": submission.user,
        "attempt": submission.attempt,
        "filename": submission.filename,
        "sha256": submission.notebook_sha256,
        "submittedAt": _time(submission.submitted_at),
        "timestamp": _time(
            max(report.filed.changed_at, stored.graded_at) if stored else report.filed.changed_at
        ),
        "status": submission.state.value,
        "activityProgress": activity,
        "gradingProgress": grading,
        "scoreGiven": stored.grade.given if given and stored else None,
        "scoreMaximum": stored.grade.maximum if given and stored else rubric and rubric.maximum,
        "released": bool(items) and all(item["released"] for item in items),
        "comment": comment,
        "tries": submission.tries,
        "failure": submission.failure or None,
        "items": items,
        "cells": [_camel(_cell(cell)) for cell in cells],
        "seconds": report.evidence.seconds if given and report.evidence else {},
    }
    return _plain(document)


def without_grade(document: Mapping[str, Any]) -> dict[str, Any]:
    """A submission's document for a caller who may hand in and not read: how far it is, not what it got."""
    return {**document, "scoreGiven": None, "comment": "", "items": [], "cells": [], "seconds": {}}


def _standing(report: Report) -> tuple[str, str, str]:
    state = report.filed.submission.state
    if state is SubmissionState.FAILED:
        return "Submitted", "Failed", _FAILED
    if state is not SubmissionState.GRADED or report.grade is None:
        return "Submitted", "Pending", _PROGRESS.get(state.value, "")
    grade = report.grade.grade
    if not grade.needs_review:
        return "Completed", "FullyGraded", ""
    waiting = [item.key for item in grade.items if item.state.value == "needs_review"]
    whether = (
        "A person decides on"
        if report.is_counted
        else "Another attempt counts; only if asked a person decides on"
    )
    return "Submitted", "PendingManual", f"{whether}: {', '.join(waiting)}."


def _item(item: ItemGrade) -> dict[str, Any]:
    return {
        "key": item.key,
        "title": item.title,
        "points": item.points,
        "max_points": item.max_points,
        "state": item.state.value,
        "confidence": item.confidence,
        "feedback": item.feedback,
        "evidence": item.evidence,
    }


def _for_others(item: ItemGrade) -> dict[str, Any]:
    """As `_item`, without the proposal: it quotes the statements that an answer is held against, the key."""
    evidence = {name: value for name, value in item.evidence.items() if name != "proposal"}
    return {**_item(item), "evidence": evidence}


def _cell(cell: CellRun) -> dict[str, Any]:
    shown = {
        "index": cell.index,
        "state": cell.state.value,
        "seconds": round(cell.seconds, 3),
        "output_bytes": cell.output_bytes,
    }
    return shown | ({"error": cell.error} if cell.error else {})


def _camel(document: Mapping[str, Any]) -> dict[str, Any]:
    return {_camel_word(key): value for key, value in document.items()}


def _camel_word(word: str) -> str:
    first, *rest = word.split("_")
    return first + "".join(part.capitalize() for part in rest)


def _plain(document: Mapping[str, Any]) -> dict[str, Any]:
    return {str(_plain_value(key)): _plain_value(value) for key, value in document.items()}


def _plain_value(value: Any) -> Any:
    """The value as JSON can hold it: no NaN, no half characters."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, Mapping):
        return _plain(value)
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain_value(entry) for entry in value]
    return value


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
