"""A mark in place of the grade's from the gradebook: with a reason, outside the review queue."""

from __future__ import annotations

from datetime import datetime

from grader.domain.override import Override
from grader.domain.people import Actor
from grader.errors import NotPermitted, Overtaken, RequestRefused
from grader.services.review.access import PUBLISHED, Desk, Opened, open_answer, require_free
from grader.services.review.deciding import (
    STALE,
    Decided,
    append_decision,
    check_for,
    in_transaction,
    keep_override,
    tell_decided,
)
from grader.services.review.decision import Decision, check_text
from grader.storage.unit_of_work import UnitOfWork

_MOST_REASON = 1_000


def override_item(
    desk: Desk, actor: Actor, submission_id: str, item: str, decision: Decision, follows: int
) -> Decided:
    """Give an item these points, whatever the grade says, also where it waits for nobody.

    ``follows`` is the override that the actor saw, 0 for none. Raises `Overtaken` where another one
    stands by now or a reviewer holds the answer, `NotFound`, `NotPermitted` for assistants once grades
    are published, and `RequestRefused` for a mark that cannot be, or without a reason.
    """
    _check_reason(decision.reason)

    def give(unit: UnitOfWork, now: datetime) -> Decided:
        opened = _open(unit, actor, submission_id, item, follows, now)
        checked = check_for(desk, opened, decision)
        maximum = f"{opened.item.max_points:g}"
        append_decision(unit, actor, opened, checked, now, "grade.override", maximum=maximum)
        return tell_decided(unit, submission_id, item, now)

    return in_transaction(desk, give)


def take_back(desk: Desk, actor: Actor, submission_id: str, item: str, reason: str, follows: int) -> Decided:
    """Let the grade count again, or wait again, whoever gave the mark. Raises as `override_item`."""
    _check_reason(reason)

    def take(unit: UnitOfWork, now: datetime) -> Decided:
        opened = _open(unit, actor, submission_id, item, follows, now)
        if opened.newest is None or opened.newest.override.points is None:
            raise RequestRefused("Nobody has given points for this item: there is nothing to take back.")
        keep_override(unit, opened, Override(item, None, actor.id, reason.strip()), follows, now)
        unit.audit.note(
            now,
            actor.id,
            "grade.take_back",
            course=opened.course,
            subject=submission_id,
            item=item,
            before=opened.entry.points,
        )
        return tell_decided(unit, submission_id, item, now)

    return in_transaction(desk, take)


def _open(
    unit: UnitOfWork, actor: Actor, submission_id: str, item: str, follows: int, now: datetime
) -> Opened:
    opened = open_answer(unit, actor, submission_id, item, now)
    if opened.offering.published_at is not None and not actor.manages(opened.course):
        raise NotPermitted(PUBLISHED)
    require_free(opened, actor)
    if opened.follows != follows:
        raise Overtaken(STALE)
    return opened


def _check_reason(reason: str) -> None:
    if not reason.strip():
        raise RequestRefused("Say why: a reason stands beside every changed grade.")
    check_text("reason", reason, _MOST_REASON)
