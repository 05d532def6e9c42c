"""Delete what courses keep no longer. Only when asked to; and first it can be seen what would go."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from grader.domain.people import Actor
from grader.errors import NotPermitted, RequestRefused
from grader.services.erase import Eraser, Leaving, Removed
from grader.storage.personal_data import Erasable
from grader.storage.unit_of_work import Database, UnitOfWork

MOST_DAYS = 36_500


@dataclass(frozen=True, slots=True)
class Overdue:
    """A course whose submissions are kept no longer."""

    course: str
    title: str
    days: int  # that it keeps them after the last one
    ended_at: datetime  # when the last one was handed in
    people: tuple[str, ...]  # their names, or ids where there is no account
    leaving: Leaving
    removed: Removed  # what went, or would go

    @property
    def submissions(self) -> Sequence[Erasable]:
        """What was handed in."""
        return self.leaving.submissions


def set_retention(database: Database, actor: Actor, course: str, days: int | None, now: datetime) -> None:
    """Say how many days after its last submission a course's work is kept; None: for good.

    Nothing is deleted by it. Raises `NotPermitted` and `RequestRefused`.
    """
    if not actor.manages(course):
        raise NotPermitted("How long work is kept is for the course's instructors to say.")
    if days is not None and not 1 <= days <= MOST_DAYS:
        raise RequestRefused(f"Days are a number from 1 to {MOST_DAYS}; leave it empty to keep everything.")
    with database.write() as unit:
        before = unit.people.retention(course)
        unit.people.set_retention(course, days)
        unit.audit.note(
            now, actor.id, "retention.change", course=course, subject=course, days=days, before=before
        )
        unit.commit()


def list_overdue(
    database: Database, eraser: Eraser, actor: Actor, now: datetime, course: str | None = None
) -> list[Overdue]:
    """What `delete_overdue` would delete, of one course or of all; deletes nothing. Raises `NotPermitted`."""
    if not (actor.is_admin or (course is not None and actor.manages(course))):
        raise NotPermitted("Retention is for admins, and within a course for its instructors.")
    found = []
    with database.read() as unit:
        for one, (title, days) in unit.people.retentions().items():
            ended_at = unit.submissions.last_of(one)
            wanted = course is None or one == course
            if wanted and ended_at is not None and ended_at + timedelta(days=days) <= now:
                leaving = Leaving(
                    unit.personal_data.submissions(course=one), unit.personal_data.drafts(course=one)
                )
                people = _names(unit, leaving.submissions)
                held = unit.personal_data.count_accommodations(one)
                found.append((Overdue(one, title, days, ended_at, people, leaving, Removed()), held))
    return [_count(overdue, eraser.preview(overdue.leaving), held) for overdue, held in found]


def delete_overdue(
    database: Database, eraser: Eraser, actor: Actor, now: datetime, course: str | None = None
) -> list[Overdue]:
    """Delete it, for good; return what went, course by course. Admins alone. Raises `NotPermitted`."""
    if not actor.is_admin:
        raise NotPermitted("Deleting a course's work is for admins.")
    done = []
    for overdue in list_overdue(database, eraser, actor, now, course):
        reason = f"kept for {overdue.days} days after the last submission"
        removed = eraser.erase(overdue.leaving, actor, reason, now)
        with database.write() as unit:
            held = unit.personal_data.forget_accommodations(overdue.course)
            unit.audit.note(
                now,
                actor.id,
                "course.erase",
                course=overdue.course,
                subject=overdue.course,
                people=len(overdue.people),
                submissions=len(overdue.submissions),
                blobs=removed.blobs,
            )
            unit.commit()
        done.append(_count(overdue, removed, held))
    return done


def _count(overdue: Overdue, removed: Removed, held: int) -> Overdue:
    rows = Counter(removed.rows) + Counter({"accommodation": held})
    return replace(overdue, removed=Removed(dict(rows), removed.blobs))


def _names(unit: UnitOfWork, submissions: Sequence[Erasable]) -> tuple[str, ...]:
    users = sorted({one.user for one in submissions})
    names = unit.people.names(users)
    return tuple(sorted(names.get(user, user) for user in users))
