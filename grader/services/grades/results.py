"""Results for other systems: page by page, and one submission in Gradescope's shape."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from grader.domain.grade import ItemGrade, ItemState
from grader.domain.offering import Accommodation, Release
from grader.domain.rubric import Rubric
from grader.domain.submission import SubmissionState
from grader.errors import NotFound
from grader.services.grades.report import Report
from grader.services.terms import Terms
from grader.storage.classes.results import Cursor, Result
from grader.storage.unit_of_work import Database

__all__ = ["Cursor", "gradescope_document", "list_results"]

_VISIBILITIES = ("hidden", "after_published", "visible")  # Gradescope's, the least first


def list_results(
    database: Database,
    course: str,
    rubric: Rubric,
    *,
    now: datetime,
    user: str = "",
    since: datetime | None = None,
    section: str = "",
    after: Cursor | None = None,
    limit: int = 100,
) -> tuple[list[dict[str, Any]], Cursor | None]:
    """The attempts that count, oldest change first; and where to go on, None at the end."""
    with database.read() as unit:
        found = unit.results.page(
            course, rubric.id, user=user, since=since, section=section, after=after, limit=limit + 1
        )
        offering = unit.offerings.find(course, rubric.id)
        held = unit.offerings.accommodations(course, rubric.id)
    page = found[:limit]
    following = Cursor(page[-1].changed_at, page[-1].submission_id) if len(found) > limit else None
    terms = {result.user: Terms(offering, held.get(result.user, Accommodation())) for result in page}
    return [_document(result, terms[result.user], rubric, now) for result in page], following


def gradescope_document(report: Report, rubric: Rubric, now: datetime) -> dict[str, Any]:
    """The grade as an autograder's ``results.json``. Raises `NotFound` before there is one.

    Each test is visible as far as its student sees it here; the whole is what the least visible test is.
    """
    stored = report.grade
    if stored is None or report.filed.submission.state is not SubmissionState.GRADED:
        raise NotFound("This submission is not graded yet.")
    tests = [_test(item, _tell_visibility(report, item, rubric, now)) for item in stored.grade.items]
    return {
        "score": stored.grade.given,
        "max_score": stored.grade.maximum,
        "execution_time": round(report.evidence.evidence.run.seconds, 3) if report.evidence else 0,
        "visibility": min((test["visibility"] for test in tests), key=_VISIBILITIES.index, default="hidden"),
        "tests": tests,
    }


def _document(result: Result, terms: Terms, rubric: Rubric, now: datetime) -> dict[str, Any]:
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
        "excused": terms.accommodation.is_excused,
        "released": all(terms.is_released(part.key, now) for part in rubric.parts),
    }


def _tell_visibility(report: Report, item: ItemGrade, rubric: Rubric, now: datetime) -> str:
    if report.is_released(item, rubric, now):
        return "visible"
    release = report.terms.offering.release_of(rubric.part_of(item.key))
    # Gradescope knows a due date, but not the student's own: until then it is hidden.
    return "after_published" if release is Release.WHEN_PUBLISHED else "hidden"


def _test(item: ItemGrade, visibility: str) -> dict[str, Any]:
    test = {
        "name": item.title,
        "number": item.key,
        "score": item.points,
        "max_score": item.max_points,
        "output": item.feedback,
        "visibility": visibility,
    }
    if item.state is not ItemState.NEEDS_REVIEW:
        test["status"] = "passed" if item.points >= item.max_points else "failed"
    return test


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
