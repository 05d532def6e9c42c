"""Delete what courses keep no longer. Only when asked to; and first it can be seen what would go."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from grader.domain.people import Actor
from grader.errors import NotPermitted, RequestRefused
from grader.services.privacy.erase import Eraser, Leaving, Removed
from grader.storage.personal_data import Erasable
from grader.storage.unit_of_work import Database, UnitOfWork

MOST_DAYS = 36_500


@dataclass(frozen=True, slots=True)
class Overdue:
    """A course whose submissions are kept no longer."""

    course: str
    title: str
    days: int  # that it keeps them after it was used last
    ended_at: datetime  # when something was handed in, looked through, extended or excused last
    people: tuple[str, ...]  # their names, or ids where there is no account
    leaving: Leaving
    removed: Removed  # what went, or would go

    @property
    def submissions(self) -> Sequence[Erasable]:
        """What was handed in."""
        return self.leaving.submissions


def set_retention(database: Database, actor: Actor, course: str, days: int | None, now: datetime) -> None:
    """Say how many days after its last use a course's work is kept; None: for good.

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
    with database.read() as unit:
        courses = unit.people.retentions() if course is None else [course]
        found = [
            (overdue, unit.personal_data.count_accommodations(overdue.course))
            for one in courses
            if (overdue := _find(unit, one, now)) is not None
        ]
    return [_count(overdue, eraser.preview(overdue.leaving), held) for overdue, held in found]


def delete_overdue(
    database: Database, eraser: Eraser, actor: Actor, now: datetime, course: str | None = None
) -> list[Overdue]:
    """Delete it, for good; return what went, course by course. Admins alone. Raises `NotPermitted`."""
    if not actor.is_admin:
        raise NotPermitted("Deleting a course's work is for admins.")
    with database.read() as unit:
        days = {name: days for name, (_, days) in unit.people.retentions().items() if course in (None, name)}
    done = []
    for one, kept in days.items():
        done += _delete(eraser, actor, f"kept for {kept} days after its last use", now, one)
    return done


def _delete(eraser: Eraser, actor: Actor, reason: str, now: datetime, course: str) -> list[Overdue]:
    found: list[Overdue] = []
    done: list[Overdue] = []

    def find(unit: UnitOfWork) -> Leaving | None:
        overdue = _find(unit, course, now)
        if overdue is None:
            return None
        found.append(overdue)
        return overdue.leaving

    def finish(unit: UnitOfWork, removed: Removed) -> None:
        (overdue,) = found
        # Where it came back into use meanwhile, what holds for newer work stays.
        held = unit.personal_data.forget_accommodations(course) if _find(unit, course, now) else 0
        done.append(_count(overdue, removed, held))
        unit.audit.note(
            now,
            actor.id,
            "course.erase",
            course=course,
            subject=course,
            people=len(overdue.people),
            submissions=len(overdue.submissions),
            blobs=removed.blobs,
        )

    eraser.erase(find, finish, actor, reason, now)
    return done


def _find(unit: UnitOfWork, course: str, now: datetime) -> Overdue | None:
    """What a course keeps no longer; None where it is in use or keeps everything."""
    title, days = unit.people.retentions().get(course, ("", None))
    ended_at = unit.personal_data.last_use(course)
    if days is None or ended_at is None or ended_at + timedelta(days=days) > now:
        return None
    leaving = Leaving(unit.personal_data.submissions(course=course), unit.personal_data.drafts(course=course))
    return Overdue(course, title, days, ended_at, _names(unit, leaving.submissions), leaving, Removed())


def _count(overdue: Overdue, removed: Removed, held: int) -> Overdue:
    rows = Counter(removed.rows) + Counter({"accommodation": held})
    return replace(overdue, removed=Removed(dict(rows), removed.blobs))


def _names(unit: UnitOfWork, submissions: Sequence[Erasable]) -> tuple[str, ...]:
    users = sorted({one.user for one in submissions})
    names = unit.people.names(users)
    return tuple(sorted(names.get(user, user) for user in users))
