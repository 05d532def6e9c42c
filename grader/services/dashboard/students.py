"""One student's attempts and their history: every grade, every mark by a human, and who looked."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from grader.domain.offering import Accommodation
from grader.services.dashboard.scope import Scope, find_seen
from grader.storage.classes.submissions import Row
from grader.storage.grades import GradeLine
from grader.storage.overrides import StoredOverride
from grader.storage.review.regrade_requests import RegradeRequest
from grader.storage.unit_of_work import Database


@dataclass(frozen=True, slots=True)
class AttemptHistory:
    """One submission with all that became of it."""

    submission: Row
    failure: str  # why we failed, ""
    grades: tuple[GradeLine, ...]  # oldest first; each but the first is a regrade
    overrides: tuple[StoredOverride, ...]  # oldest first
    requests: tuple[RegradeRequest, ...]


@dataclass(frozen=True, slots=True)
class StudentHistory:
    """One student in one assignment. ``names`` are of all who acted, by id."""

    user: str
    name: str
    sections: tuple[str, ...]
    due_at: datetime | None  # theirs
    accommodation: Accommodation | None
    attempts: tuple[AttemptHistory, ...]  # newest first
    names: dict[str, str]


def read_student(database: Database, scope: Scope, submission_id: str, now: datetime) -> StudentHistory:
    """The student who handed in this submission; that somebody looked is noted in the audit log.

    A submission's id leads here, not the student's own: that may be a name or an e-mail address, and
    addresses of pages end up in logs. Raises `NotFound`.
    """
    with database.write() as unit:
        user = find_seen(unit, scope, submission_id).submission.user
        unit.audit.note(
            now, scope.actor.id, "student.view", course=scope.course, subject=user, assignment=scope.id
        )
        unit.commit()
    with database.read() as unit:
        rows = unit.submission_table.of_student(scope.course, scope.id, user)
        held = unit.offerings.accommodations(scope.course, scope.id, user).get(user)
        attempts = []
        for row in rows:
            filed = unit.submissions.find(row.id)
            attempts.append(
                AttemptHistory(
                    row,
                    filed.submission.failure if filed and row.state == "failed" else "",
                    tuple(unit.grades.lines(row.id)),
                    tuple(unit.overrides.of(row.id)),
                    tuple(unit.regrade_requests.of(row.id)),
                )
            )
        offering = unit.offerings.find(scope.course, scope.id)
        return StudentHistory(
            user,
            scope.call(rows[0]).name,
            () if scope.hidden else tuple(unit.class_lists.sections(scope.course, user)),
            offering.due_for(held),
            replace(held, reason="") if held and scope.hidden else held,
            tuple(attempts),
            unit.class_lists.people({mark.override.actor for one in attempts for mark in one.overrides}),
        )
