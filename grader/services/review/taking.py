"""Take an answer into one's hands: nobody else gets it until it is decided, let go, or forgotten."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from grader.domain.people import Actor
from grader.services.review.access import Desk, hold, open_answer
from grader.services.review.queue import Listed, View, open_queue, read_cursor
from grader.storage.review.claims import Claim
from grader.storage.review.queue import Entry, Order, Scope
from grader.storage.unit_of_work import Clash, UnitOfWork

_LOST_RACES = 5


def take_next(
    desk: Desk, actor: Actor, scope: Scope, order: Order, after: str | None = None
) -> Listed | None:
    """Claim the next answer that nobody else holds; None where there is none.

    Who holds one of these already gets it back, renewed. ``after`` is the cursor of an answer to pass over.
    Raises as `open_queue`, and `RequestRefused` for a wrong cursor.
    """
    view, seen = open_queue(desk, actor, scope, order), read_cursor(after, order)
    entry = _claim_next(desk, actor, view, seen)
    if entry is None:
        return None
    with desk.database.read() as unit:
        return view.describe(unit, [replace(entry, holder=actor.id)])[0]


def _claim_next(desk: Desk, actor: Actor, view: View, seen: Sequence[object] | None) -> Entry | None:
    with desk.database.read() as unit:  # looking through all for nothing must keep no writer waiting
        if not view.walk(unit, desk.clock(), 1, after=seen, free_for=actor.id):
            return None
    for race in range(_LOST_RACES):
        now = desk.clock()
        try:
            with desk.database.write() as unit:
                held = [] if seen else unit.review_queue.held_by(view.scope, actor.id, now)
                found = held[:1] or view.walk(unit, now, 1, after=seen, free_for=actor.id)
                for entry in found:
                    hold(unit, actor, entry.submission_id, entry.item, now)
                    if entry.holder is None:
                        _note_take(unit, actor, view.scope.course, entry, now)
                unit.commit()
                return found[0] if found else None
        except Clash:  # only where writers do not queue
            if race == _LOST_RACES - 1:
                raise
    raise AssertionError("unreachable")


def take(desk: Desk, actor: Actor, submission_id: str, item: str) -> Claim:
    """Claim this answer, or renew the claim while looking at it.

    Raises `NotFound`, and `Overtaken` where another reviewer holds it.
    """
    now = desk.clock()
    with desk.database.write() as unit:
        opened = open_answer(unit, actor, submission_id, item, now)
        claim = hold(unit, actor, submission_id, item, now)
        if opened.entry.holder is None:
            _note_take(unit, actor, opened.course, opened.entry, now)
        unit.commit()
    return claim


def release(desk: Desk, actor: Actor, submission_id: str, item: str) -> None:
    """Let an answer go; nothing happens where the actor does not hold it. Raises `NotFound`."""
    now = desk.clock()
    with desk.database.write() as unit:
        opened = open_answer(unit, actor, submission_id, item, now)
        if unit.claims.drop(submission_id, item, actor.id):
            unit.audit.note(
                now, actor.id, "review.release", course=opened.course, subject=submission_id, item=item
            )
        unit.commit()


def _note_take(unit: UnitOfWork, actor: Actor, course: str, entry: Entry, now: datetime) -> None:
    unit.audit.note(now, actor.id, "review.take", course=course, subject=entry.submission_id, item=entry.item)
