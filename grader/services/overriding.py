"""A human's mark in place of the grade's, with a reason; and taking it back."""

from __future__ import annotations

import math
from datetime import datetime

from grader.domain.grade import ItemGrade
from grader.domain.override import Override, apply_overrides
from grader.domain.people import Actor
from grader.errors import NotFound, NotPermitted, Overtaken, RequestRefused
from grader.services.gradebook import find_row
from grader.services.standing import settle
from grader.storage.unit_of_work import Clash, Database, UnitOfWork

MOST_WORDS = 2_000  # characters of a reason or comment


def override_item(
    database: Database,
    actor: Actor,
    submission_id: str,
    item: str,
    points: float | None,
    *,
    reason: str,
    comment: str = "",
    follows: int = 0,
    now: datetime,
) -> None:
    """Give an item these points, whatever the grade says; None takes back what a human gave.

    ``follows`` is the id of the override that the actor saw, 0 for none. Raises `Overtaken` where
    another one stands by now, `NotFound`, `NotPermitted`, and `RequestRefused` for points or words that
    cannot be kept.
    """
    _check_words(reason, comment)
    try:
        with database.write() as unit:
            before = _find_item(unit, actor, submission_id, item, now)
            _check_points(points, before)
            standing = unit.overrides.newest(submission_id).get(item)
            if (standing.id if standing else 0) != follows:
                raise Overtaken("Somebody else has marked this item meanwhile: look again, then decide.")
            if points is None and (standing is None or standing.override.points is None):
                raise RequestRefused("Nobody has given points for this item: there is nothing to take back.")
            mark = Override(item, points, actor.id, reason.strip(), comment.strip())
            unit.overrides.add(submission_id, mark, now, follows)
            settle(unit, submission_id)
            filed = unit.submissions.find(submission_id)
            assert filed is not None
            unit.audit.note(
                now,
                actor.id,
                "grade.take_back" if points is None else "grade.override",
                course=filed.submission.course,
                subject=submission_id,
                item=item,
                points=points,
                maximum=before.max_points,
                before=before.points,
            )
            unit.commit()
    except Clash:  # where writers do not queue
        raise Overtaken("Somebody else has marked this item meanwhile: look again, then decide.") from None


def _find_item(unit: UnitOfWork, actor: Actor, submission_id: str, item: str, now: datetime) -> ItemGrade:
    """The item as it counts now, for somebody who may mark it."""
    missing = NotFound("There is no such submission, or you do not look after its student.")
    filed = unit.submissions.find(submission_id)
    if filed is None or not actor.teaches(filed.submission.course):
        raise missing
    submission = filed.submission
    find_row(unit, actor, submission.course, submission.assignment, submission.user, now)
    published = unit.offerings.find(submission.course, submission.assignment).published_at
    if published is not None and not actor.manages(submission.course):
        raise NotPermitted("These grades are published: only instructors change them now.")
    stored = unit.grades.newest(submission_id)
    if stored is None:
        raise RequestRefused("This submission is not graded yet: there are no points to change.")
    decided = {key: one.override for key, one in unit.overrides.newest(submission_id).items()}
    for one in apply_overrides(stored.grade, decided).items:
        if one.key == item:
            return one
    raise NotFound(f"This grade has no item {item[:80]!r}.")


def _check_points(points: float | None, item: ItemGrade) -> None:
    if points is not None and not (math.isfinite(points) and 0 <= points <= item.max_points):
        raise RequestRefused(f"{item.key} is worth 0 to {item.max_points:g} points.")


def _check_words(reason: str, comment: str) -> None:
    if not reason.strip():
        raise RequestRefused("Say why: a reason stands beside every changed grade.")
    if max(len(reason), len(comment)) > MOST_WORDS:
        raise RequestRefused(f"A reason or comment has at most {MOST_WORDS} characters.")
