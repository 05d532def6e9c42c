"""One decision for answers that say the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from grader.domain.people import Actor
from grader.errors import NotFound, Overtaken, RequestRefused
from grader.services.review.access import Desk, Opened, open_answer
from grader.services.review.deciding import append_decision, check_for
from grader.services.review.decision import Decision
from grader.services.review.neighbours import find_alike_waiting, is_undecided
from grader.services.review.queue import tell_holder
from grader.storage.unit_of_work import Clash

MOST = 200  # answers at once


class Outcome(StrEnum):
    """What became of one neighbour."""

    DECIDED = "decided"
    ALREADY_DECIDED = "already_decided"  # it waits for nobody, or its student asks about what was decided
    HELD = "held"  # another reviewer looks at it
    NOT_ALIKE = "not_alike"  # it does not say the same, or is proposed for other points
    NOT_FOUND = "not_found"
    REFUSED = "refused"  # judged by another version of the rubric, where these points cannot be


@dataclass(frozen=True, slots=True)
class Grouped:
    """One neighbour and what became of it."""

    submission_id: str
    outcome: Outcome


def decide_group(
    desk: Desk, actor: Actor, submission_id: str, item: str, neighbours: Sequence[str]
) -> list[Grouped]:
    """Give these neighbours the decision that the actor has just made on an answer.

    Only those that wait, that nobody else holds, and that say the same; each by itself, so that one that
    cannot be decided keeps back no other. Raises `NotFound`; `RequestRefused` without such a decision, or
    for more than 200.
    """
    if len(neighbours) > MOST:
        raise RequestRefused(f"One decision goes to at most {MOST} answers at once.")
    now = desk.clock()
    with desk.database.read() as unit:
        opened = open_answer(unit, actor, submission_id, item, now)
        decision = _own_decision(opened, actor)
        alike = {entry.submission_id for entry, _, _ in find_alike_waiting(unit, actor, opened, now)}
    wanted = [one for one in dict.fromkeys(neighbours) if one != submission_id]
    return [Grouped(one, _decide_one(desk, actor, opened, decision, one, alike)) for one in wanted]


def _own_decision(opened: Opened, actor: Actor) -> Decision:
    override = opened.newest.override if opened.newest else None
    if override is None or override.points is None or override.is_undo or override.actor != actor.id:
        raise RequestRefused(
            "Decide on this answer yourself first; then the decision can be offered to others."
        )
    return Decision(override.points, override.concepts, override.comment, override.reason)


def _decide_one(
    desk: Desk, actor: Actor, like: Opened, decision: Decision, submission_id: str, alike: set[str]
) -> Outcome:
    now = desk.clock()
    try:
        with desk.database.write() as unit:
            opened = open_answer(unit, actor, submission_id, like.item.key, now)
            outcome = _may_decide(opened, actor, like, alike)
            if outcome is Outcome.DECIDED:
                checked = check_for(desk, opened, decision)
                append_decision(
                    unit, actor, opened, checked, now, "review.decide_group", like=like.entry.submission_id
                )
                unit.commit()
            return outcome
    except NotFound:
        return Outcome.NOT_FOUND
    except (Overtaken, Clash):
        return Outcome.ALREADY_DECIDED
    except RequestRefused:
        return Outcome.REFUSED


def _may_decide(opened: Opened, actor: Actor, like: Opened, alike: set[str]) -> Outcome:
    mine, theirs = opened.filed.submission, like.filed.submission
    if (mine.course, mine.assignment) != (theirs.course, theirs.assignment):
        return Outcome.NOT_FOUND
    if not is_undecided(opened.entry):
        return Outcome.ALREADY_DECIDED
    if tell_holder(opened.entry, actor) == "another":
        return Outcome.HELD
    return Outcome.DECIDED if opened.entry.submission_id in alike else Outcome.NOT_ALIKE
