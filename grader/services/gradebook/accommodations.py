"""What holds for one student alone: a later due date, or none of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from grader.domain.offering import Accommodation, Offering
from grader.domain.people import Actor
from grader.errors import NotFound, NotPermitted, RequestRefused
from grader.services.grades.class_standing import settle_class
from grader.services.review.decision import check_text
from grader.storage.unit_of_work import Database

_MOST_REASON = 1_000


def extend(
    database: Database,
    actor: Actor,
    course: str,
    assignment: str,
    user: str,
    due_at: datetime | None,
    *,
    reason: str,
    now: datetime,
) -> None:
    """Give a student a later due date; None: as for everybody again.

    Raises as `excuse`, and `RequestRefused` for a date before the class's.
    """

    def move(before: Accommodation, offering: Offering) -> Accommodation:
        if due_at and offering.due_at and due_at < offering.due_at:
            raise RequestRefused(
                f"An extension gives time: choose a date after the class's, {_told(offering.due_at)}, or "
                "leave the date empty for no extension."
            )
        return replace(before, due_at=due_at)

    action = "extension.take_back" if due_at is None else "extension.give"
    _change(database, actor, (course, assignment, user), move, action, reason, now)


def excuse(
    database: Database,
    actor: Actor,
    course: str,
    assignment: str,
    user: str,
    *,
    is_excused: bool,
    reason: str,
    now: datetime,
) -> None:
    """Say that a student need not do this assignment, or has to after all.

    Raises `NotPermitted`, `NotFound`, and `RequestRefused` where no reason is given.
    """

    def change(before: Accommodation, _: Offering) -> Accommodation:
        return replace(before, is_excused=is_excused)

    action = "excuse.give" if is_excused else "excuse.take_back"
    _change(database, actor, (course, assignment, user), change, action, reason, now)


def _change(
    database: Database,
    actor: Actor,
    where: tuple[str, str, str],
    change: Callable[[Accommodation, Offering], Accommodation],
    action: str,
    reason: str,
    now: datetime,
) -> None:
    course, assignment, user = where
    if not actor.manages(course):
        raise NotPermitted("Extensions and excuses are for the course's instructors to give.")
    if not reason.strip():
        raise RequestRefused("Say why: the reason is kept.")
    check_text("reason", reason, _MOST_REASON)
    with database.write() as unit:
        if not unit.gradebook.has(course, assignment, user):
            raise NotFound("There is no such student here.")
        before = unit.offerings.accommodations(course, assignment, user).get(user, Accommodation())
        offering = unit.offerings.find(course, assignment)
        new = replace(change(before, offering), reason=reason.strip())
        unit.offerings.accommodate(course, assignment, user, new, actor.id, now)
        settle_class(unit, course, assignment, user)
        due = {"due_at": _told(new.due_at), "before": _told(before.due_at)} if "extension" in action else {}
        unit.audit.note(now, actor.id, action, course=course, subject=user, assignment=assignment, **due)
        unit.commit()


def _told(moment: datetime | None) -> str | None:
    return None if moment is None else f"{moment:%Y-%m-%d %H:%M} UTC"
