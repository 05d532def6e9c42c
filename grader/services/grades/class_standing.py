"""What dates and rules change for a class at once: reckoned from derived rows, without opening a document."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

from grader.services.grades.counted import keep_counted
from grader.services.grades.marks import is_drawn
from grader.services.grades.standing import pick_attempt, reckon_lateness
from grader.storage.standings import Attempt
from grader.storage.unit_of_work import UnitOfWork


def settle_class(unit: UnitOfWork, course: str, assignment: str, user: str | None = None) -> int:
    """Reckon lateness, final points and which attempt counts anew, of one student or of all.

    Does what `grader.services.standing.settle` does of each where only the offering or an accommodation
    has changed, in the same transaction. Returns how many submissions stand otherwise than before.
    """
    offering = unit.offerings.find(course, assignment)
    held = unit.offerings.accommodations(course, assignment, user)
    before = unit.standings.of_class(course, assignment, user)
    attempts: dict[str, list[Attempt]] = defaultdict(list)
    settled = {}
    for old in before:
        standing = old.standing
        due_at = offering.due_for(held.get(standing.user_id))
        new = reckon_lateness(
            replace(standing, expected=old.expected_on_time), old.submitted_at, due_at, offering
        )
        settled[new.submission_id] = new
        attempts[new.user_id].append(
            Attempt(new.submission_id, old.attempt, old.submitted_at, new.given, new.expected, new.is_counted)
        )
    counted = {pick_attempt(some, offering.counts).submission_id for some in attempts.values()}
    changed = []
    for old in before:
        new = settled[old.standing.submission_id]
        new = replace(new, is_counted=new.submission_id in counted)
        if new != old.standing:
            changed.append(new)
    unit.standings.change(changed)
    keep_counted(unit, [one.submission_id for one in changed if one.is_counted])
    return len(changed)


def draw_audited(unit: UnitOfWork, course: str, assignment: str) -> int:
    """Draw anew what is looked at although it was accepted; return how many answers that changed."""
    share = unit.offerings.find(course, assignment).audited_share
    drawn = [
        (submission_id, item, is_audited)
        for submission_id, item, was_audited in unit.standings.accepted_answers(course, assignment)
        if (is_audited := is_drawn(submission_id, item, share)) != was_audited
    ]
    unit.standings.audit_answers(drawn)
    return len(drawn)
