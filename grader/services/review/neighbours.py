"""Waiting answers that say nearly the same as this one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from grader.domain.grade import ItemState
from grader.domain.people import Actor
from grader.services.review.access import Opened, limit_scope
from grader.services.review.anonymity import Names
from grader.services.review.queue import tell_holder
from grader.services.review.similar import find_alike
from grader.storage.review.queue import Entry, Scope
from grader.storage.unit_of_work import UnitOfWork

_COMPARED = 300  # answers: the same words first, then those whose proposal is nearest


@dataclass(frozen=True, slots=True)
class Neighbour:
    """An answer that the same decision may fit. Its proposal is within a quarter of the points."""

    submission_id: str
    student: str
    likeness: float  # 85..100; 100 for the same words
    text: str
    proposed: float | None
    held: str  # "you", "another", ""


def is_undecided(entry: Entry) -> bool:
    """Whether another answer's decision may be its own: nobody decided it, and no student asks for more."""
    return entry.in_queue and entry.state != ItemState.REVIEWED.value and not entry.is_asked


def find_alike_waiting(
    unit: UnitOfWork, actor: Actor, opened: Opened, now: datetime
) -> list[tuple[Entry, float, str]]:
    """Alike answers to the same question that wait and that the actor may see: how alike, and the text."""
    entry, submission = opened.entry, opened.filed.submission
    text = str(opened.item.evidence.get("text", ""))
    if not entry.words_sha256:
        return []
    scope = limit_scope(actor, Scope(submission.course, submission.assignment, item=entry.item))
    near = unit.review_queue.nearest(scope, entry, now, _COMPARED)
    texts = unit.grades.texts([other.grade_id for other in near], entry.item)
    said = {other.submission_id: texts[other.grade_id] for other in near if other.grade_id in texts}
    likeness = find_alike(text, said)
    likeness |= {other.submission_id: 100.0 for other in near if other.words_sha256 == entry.words_sha256}
    return [
        (other, likeness[other.submission_id], said.get(other.submission_id, text))
        for other in near
        if other.submission_id in likeness and is_undecided(other)
    ]


def find_neighbours(
    unit: UnitOfWork, actor: Actor, opened: Opened, names: Names, now: datetime
) -> list[Neighbour]:
    """What `find_alike_waiting` finds, as it is shown: the most alike first."""
    found = [
        Neighbour(
            other.submission_id,
            names.of(unit, other.user_id),
            likeness,
            text,
            other.proposed,
            tell_holder(other, actor),
        )
        for other, likeness, text in find_alike_waiting(unit, actor, opened, now)
    ]
    return sorted(found, key=lambda one: (-one.likeness, one.submission_id))
