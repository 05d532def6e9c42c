"""How a course gives an assignment: changed with what it changes for everybody, in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any

from grader.domain.offering import Offering
from grader.domain.people import Actor
from grader.errors import NotPermitted, Overtaken, RequestRefused
from grader.services.grades.class_standing import draw_audited, settle_class
from grader.storage.codec import dump
from grader.storage.unit_of_work import Database

_RECKONED = frozenset({"due_at", "late_percent_per_day", "grace_minutes", "counts"})
_MOST_GRACE_MINUTES = 7 * 24 * 60


class SettingsRefused(RequestRefused):
    """Some fields cannot be as they are given; ``fields`` says why, by name."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        super().__init__(" ".join(fields.values()))
        self.fields = dict(fields)


def change_offering(
    database: Database,
    actor: Actor,
    course: str,
    assignment: str,
    wanted: Offering,
    now: datetime,
    *,
    seen: str = "",
) -> frozenset[str]:
    """Set everything but the publication; return the names of what changed.

    Lateness, final points, the attempts that count and the answers that are audited follow in the same
    transaction. ``seen`` is the `revision` of what the actor changed; "": of whatever stands. Raises
    `NotPermitted`, `SettingsRefused`, and `Overtaken` where something else stands by now.
    """
    _check_manages(actor, course)
    if wrong := find_faults(wanted):
        raise SettingsRefused(wrong)
    with database.write() as unit:
        before = unit.offerings.find(course, assignment)
        if seen and seen != revision(before):
            raise Overtaken("Someone else saved other settings since you opened this page.")
        new = replace(wanted, published_at=before.published_at)
        changed = {
            name: [_plain(was), _plain(is_now)]
            for (name, was), is_now in zip(asdict(before).items(), asdict(new).values(), strict=True)
            if was != is_now
        }
        if not changed:
            return frozenset()
        unit.offerings.put(course, assignment, new, now)
        if _RECKONED & changed.keys():
            settle_class(unit, course, assignment)
        if "audited_share" in changed:
            draw_audited(unit, course, assignment)
        unit.audit.note(now, actor.id, "settings.change", course=course, subject=assignment, changed=changed)
        unit.commit()
    return frozenset(changed)


def revision(offering: Offering) -> str:
    """By what these settings are known again; a publication changes none of them."""
    return sha256(dump(replace(offering, published_at=None)).encode()).hexdigest()[:16]


def publish(database: Database, actor: Actor, course: str, assignment: str, now: datetime) -> None:
    """Let every student see points and feedback, and reviewers see names. Raises `NotPermitted`."""
    _set_published(database, actor, course, assignment, now, published=True)


def withdraw(database: Database, actor: Actor, course: str, assignment: str, now: datetime) -> None:
    """Take a publication back. Raises `NotPermitted`."""
    _set_published(database, actor, course, assignment, now, published=False)


def find_faults(wanted: Offering) -> dict[str, str]:
    """What cannot be, by field."""
    wrong = {}
    opens_at, due_at, closes_at = wanted.opens_at, wanted.due_at, wanted.closes_at
    if opens_at and due_at and due_at <= opens_at:
        wrong["due_at"] = "Must be after it opens."
    if closes_at and due_at and closes_at < due_at:
        wrong["closes_at"] = "Must not be before the due date: late work is taken until it closes."
    elif closes_at and opens_at and closes_at <= opens_at:
        wrong["closes_at"] = "Must be after it opens."
    if not 0 <= wanted.late_percent_per_day <= 100:
        wrong["late_percent_per_day"] = "Must be from 0 to 100 percent."
    if not 0 <= wanted.grace_minutes <= _MOST_GRACE_MINUTES:
        wrong["grace_minutes"] = f"Must be from 0 to {_MOST_GRACE_MINUTES} minutes (a week)."
    if not 0 <= wanted.audited_share <= 1:
        wrong["audited_share"] = "Must be from 0 to 100 percent."
    if len(wanted.lms_column) > 255 or (wanted.lms_column and not wanted.lms_column.isprintable()):
        wrong["lms_column"] = "Must be at most 255 printable characters."
    return wrong


def _set_published(
    database: Database, actor: Actor, course: str, assignment: str, now: datetime, *, published: bool
) -> None:
    _check_manages(actor, course)
    with database.write() as unit:
        before = unit.offerings.find(course, assignment)
        if (before.published_at is not None) == published:
            return
        unit.offerings.put(course, assignment, replace(before, published_at=now if published else None), now)
        action = "gradebook.publish" if published else "gradebook.withdraw"
        unit.audit.note(now, actor.id, action, course=course, subject=assignment)
        unit.commit()


def _check_manages(actor: Actor, course: str) -> None:
    if not actor.manages(course):
        raise NotPermitted("This is for the course's instructors.")


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M} UTC"
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    return value
