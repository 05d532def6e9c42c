"""Results for other systems: page by page, and one submission in Gradescope's shape."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from grader.domain.grade import ItemGrade, ItemState
from grader.domain.submission import SubmissionState
from grader.errors import NotFound
from grader.services.report import Report
from grader.storage.results import Cursor, Result
from grader.storage.unit_of_work import Database

__all__ = ["Cursor", "gradescope_document", "list_results"]


def list_results(
    database: Database,
    course: str,
    assignment: str,
    *,
    user: str = "",
    since: datetime | None = None,
    section: str = "",
    after: Cursor | None = None,
    limit: int = 100,
) -> tuple[list[dict[str, Any]], Cursor | None]:
    """The attempts that count, oldest change first; and where to go on, None at the end."""
    with database.read() as unit:
        found = unit.results.page(
            course, assignment, user=user, since=since, section=section, after=after, limit=limit + 1
        )
        excused = {
            user
            for user, held in unit.offerings.accommodations(course, assignment).items()
            if held.is_excused
        }
    page = found[:limit]
    following = Cursor(page[-1].changed_at, page[-1].submission_id) if len(found) > limit else None
    return [_document(result, result.user in excused) for result in page], following


def gradescope_document(report: Report) -> dict[str, Any]:
    """The grade as an autograder's ``results.json``. Raises `NotFound` before there is one."""
    stored = report.grade
    if stored is None or report.filed.submission.state is not SubmissionState.GRADED:
        raise NotFound("This submission is not graded yet.")
    return {
        "score": stored.grade.given,
        "max_score": stored.grade.maximum,
        "execution_time": round(report.evidence.evidence.run.seconds, 3) if report.evidence else 0,
        "visibility": "visible",
        "tests": [_test(item) for item in stored.grade.items],
    }


def _document(result: Result, is_excused: bool) -> dict[str, Any]:
    return {
        "id": result.submission_id,
        "userId": result.user,
        "attempt": result.attempt,
        "submittedAt": _time(result.submitted_at),
        "timestamp": _time(result.changed_at),
        "gradingProgress": "PendingManual" if result.waiting else "FullyGraded",
        "scoreGiven": result.final,
        "scoreBeforeLateness": result.given,
        "scoreMaximum": result.maximum,
        "daysLate": result.late_days,
        "waiting": result.waiting,
        "excused": is_excused,
    }


def _test(item: ItemGrade) -> dict[str, Any]:
    test = {
        "name": item.title,
        "number": item.key,
        "score": item.points,
        "max_score": item.max_points,
        "output": item.feedback,
    }
    if item.state is not ItemState.NEEDS_REVIEW:
        test["status"] = "passed" if item.points >= item.max_points else "failed"
    return test


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
