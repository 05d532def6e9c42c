"""Decide on an answer, accept what is proposed, take a decision back: each appends an override."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from grader.domain.override import Override
from grader.domain.people import Actor
from grader.errors import Overtaken, RequestRefused
from grader.services.grades.standing import settle
from grader.services.proposals.calibrations import learn
from grader.services.review.access import (
    Desk,
    Opened,
    hold,
    open_answer,
    require_free,
    require_in_hand,
    require_may_change,
)
from grader.services.review.decision import (
    Decision,
    as_override,
    check_decision,
    list_worth,
    read_proposal,
)
from grader.storage.overrides import StoredOverride
from grader.storage.unit_of_work import Clash, UnitOfWork

STALE = "Another reviewer decided this just now: nothing of yours was kept. Reload and look again."


@dataclass(frozen=True, slots=True)
class Decided:
    """What stands after a decision. ``follows`` is what the next one has to name."""

    submission_id: str
    item: str
    follows: int
    state: str
    points: float
    max_points: float


def decide(
    desk: Desk, actor: Actor, submission_id: str, item: str, decision: Decision, follows: int
) -> Decided:
    """Give an answer its points.

    ``follows`` is the override that the actor has seen as the newest, 0 for none. The same decision again
    is the one that stands. Raises `NotFound`; `RequestRefused` for points that cannot be; `Overtaken`
    where someone else decided meanwhile, holds the answer, or the actor does not hold it. An instructor
    may decide what nobody holds, with a reason. Raises `NotPermitted` for assistants where the answer waits
    for nobody.
    """
    return _decide(desk, actor, submission_id, item, follows, "review.decide", lambda _: decision)


def accept(
    desk: Desk, actor: Actor, submission_id: str, item: str, follows: int, comment: str = "", reason: str = ""
) -> Decided:
    """Give an answer what is proposed for it. Raises as `decide`."""
    return _decide(
        desk,
        actor,
        submission_id,
        item,
        follows,
        "review.accept",
        lambda opened: read_proposal(opened.item, comment, reason),
    )


def undo(desk: Desk, actor: Actor, submission_id: str, item: str) -> Decided:
    """Take back one's own last decision: what stood before stands again, or the answer waits again.

    It is then in the actor's hands. Doing it again changes nothing. Raises `NotFound`; `Overtaken` where
    someone else decided or took the answer since; `RequestRefused` where there is nothing to take back.
    """

    def take_back(unit: UnitOfWork, now: datetime) -> Decided:
        opened = open_answer(unit, actor, submission_id, item, now)
        require_may_change(opened, actor)
        newest = opened.newest
        if newest is None:
            raise RequestRefused("Nobody has decided on this answer: there is nothing to take back.")
        if newest.override.actor != actor.id:
            raise Overtaken("The last decision on this answer is another reviewer's: decide anew instead.")
        if newest.override.is_undo:
            return tell_decided(unit, submission_id, item, now)
        require_free(opened, actor)
        before = opened.history[-2].override if len(opened.history) > 1 else Override(item, None, actor.id)
        restored = replace(before, actor=actor.id, reason="taken back", is_undo=True)
        keep_override(unit, opened, restored, newest.id, now)
        hold(unit, actor, submission_id, item, now)
        unit.audit.note(
            now,
            actor.id,
            "review.undo",
            course=opened.course,
            subject=submission_id,
            item=item,
            points=restored.points,
        )
        return tell_decided(unit, submission_id, item, now)

    return in_transaction(desk, take_back)


def in_transaction(desk: Desk, act: Callable[[UnitOfWork, datetime], Decided]) -> Decided:
    """Do it in one transaction; where another one was quicker look once more at what it left."""
    for is_last in (False, True):
        now = desk.clock()
        try:
            with desk.database.write() as unit:
                decided = act(unit, now)
                unit.commit()
                return decided
        except Clash:  # only where writers do not queue
            if is_last:
                raise Overtaken(STALE) from None
    raise AssertionError("unreachable")


def keep_override(unit: UnitOfWork, opened: Opened, override: Override, follows: int, now: datetime) -> None:
    """Append an override, and bring what counts and what is learnt from marks up to it."""
    submission = opened.filed.submission
    unit.overrides.add(submission.id, override, now, follows)
    settle(unit, submission.id)
    learn(unit, submission.course, submission.assignment, override.item, now)


def append_decision(
    unit: UnitOfWork,
    actor: Actor,
    opened: Opened,
    decision: Decision,
    now: datetime,
    action: str,
    **details: str,
) -> None:
    """Append a decision that was checked, let the answer go, and write down who decided."""
    entry, submission = opened.entry, opened.filed.submission
    override = as_override(decision, entry.item, actor.id)
    keep_override(unit, opened, override, opened.follows, now)
    unit.claims.drop(entry.submission_id, entry.item)
    if decision.comment:
        unit.comments.note_use(submission.course, submission.assignment, entry.item, decision.comment)
    unit.audit.note(
        now,
        actor.id,
        action,
        course=submission.course,
        subject=entry.submission_id,
        item=entry.item,
        points=decision.points,
        before=entry.points,
        **details,
    )


def check_for(desk: Desk, opened: Opened, decision: Decision) -> Decision:
    """The decision with its points worked out, for this answer. Raises `RequestRefused`."""
    assignment = desk.assignments.get(opened.filed.submission.assignment)
    now = (
        next((one for one in assignment.rubric.items if one.key == opened.item.key), None)
        if assignment
        else None
    )
    return check_decision(decision, opened.item, list_worth(opened.item, now))


def tell_decided(unit: UnitOfWork, submission_id: str, item: str, now: datetime) -> Decided:
    """What stands now of an answer that is graded."""
    entry, history = (
        unit.review_queue.find(submission_id, item, now),
        unit.overrides.history(submission_id, item),
    )
    assert entry is not None
    follows = history[-1].id if history else 0
    return Decided(submission_id, item, follows, entry.state, entry.points, entry.max_points)


def is_same(newest: StoredOverride | None, override: Override, follows: int) -> bool:
    """Whether this very decision stands already, seen from the same place: a click came twice."""
    return newest is not None and newest.follows == follows and newest.override == override


def _decide(
    desk: Desk,
    actor: Actor,
    submission_id: str,
    item: str,
    follows: int,
    action: str,
    choose: Callable[[Opened], Decision],
) -> Decided:
    def give(unit: UnitOfWork, now: datetime) -> Decided:
        opened = open_answer(unit, actor, submission_id, item, now)
        wanted = choose(opened)
        decision = wanted if action == "review.accept" else check_for(desk, opened, wanted)
        if is_same(opened.newest, as_override(decision, item, actor.id), follows):
            return tell_decided(unit, submission_id, item, now)
        if opened.follows != follows:
            raise Overtaken(STALE)
        require_may_change(opened, actor)
        require_in_hand(unit, opened, actor, reason=decision.reason)
        append_decision(unit, actor, opened, decision, now, action)
        return tell_decided(unit, submission_id, item, now)

    return in_transaction(desk, give)
