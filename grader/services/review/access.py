"""Which answers someone may look at, and what is known of one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from grader.assignments import Assignment
from grader.domain.grade import ItemGrade
from grader.domain.offering import Offering
from grader.domain.people import Actor
from grader.errors import NotFound, NotPermitted, Overtaken
from grader.storage.grades import StoredGrade
from grader.storage.overrides import StoredOverride
from grader.storage.review.claims import Claim
from grader.storage.review.queue import Entry, Scope
from grader.storage.submissions import Filed
from grader.storage.unit_of_work import Database, UnitOfWork

PUBLISHED = "These grades are published: only instructors change them now."
HELD_FOR = timedelta(minutes=10)


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Desk:
    """What reviewing needs."""

    database: Database
    assignments: Mapping[str, Assignment]
    clock: Callable[[], datetime] = _utc_now


@dataclass(frozen=True, slots=True)
class Opened:
    """One answer as a transaction sees it."""

    filed: Filed
    offering: Offering
    grade: StoredGrade  # the machine's
    item: ItemGrade  # the machine's
    history: tuple[StoredOverride, ...]  # what humans decided, oldest first
    entry: Entry

    @property
    def course(self) -> str:
        """The course's id."""
        return self.filed.submission.course

    @property
    def newest(self) -> StoredOverride | None:
        """What a human decided last, also where it was taken back."""
        return self.history[-1] if self.history else None

    @property
    def follows(self) -> int:
        """What the next decision has to name as the one that it has seen."""
        return self.history[-1].id if self.history else 0


def limit_scope(actor: Actor, scope: Scope) -> Scope:
    """The scope within what this actor may see: an assistant their sections' students, and no colleague.

    Raises `NotPermitted` for who does not teach there.
    """
    if not actor.teaches(scope.course):
        raise NotPermitted("Only teachers of the course review its answers.")
    allowed = actor.sections_of(scope.course)
    if allowed is None:
        return scope
    sections = allowed if scope.sections is None else allowed & scope.sections
    return replace(scope, sections=sections)


def find_filed(unit: UnitOfWork, actor: Actor, submission_id: str, item: str) -> Filed:
    """The submission of an answer that someone may see. Raises `NotFound`.

    Assistants have nothing to do with their own work, nor with a colleague's.
    """
    filed = unit.submissions.find(submission_id)
    if filed is None:
        raise _missing(submission_id, item)
    course, user = filed.submission.course, filed.submission.user
    if not actor.teaches(course) or not unit.class_lists.is_in(course, user, actor.sections_of(course)):
        raise _missing(submission_id, item)
    return filed


def open_answer(unit: UnitOfWork, actor: Actor, submission_id: str, item: str, now: datetime) -> Opened:
    """Read one answer for someone who may see it. Raises `NotFound`, also where it is not graded yet."""
    filed = find_filed(unit, actor, submission_id, item)
    stored, entry = unit.grades.newest(submission_id), unit.review_queue.find(submission_id, item, now)
    graded = next((one for one in stored.grade.items if one.key == item), None) if stored else None
    if stored is None or graded is None or entry is None:
        raise _missing(submission_id, item)
    return Opened(
        filed,
        unit.offerings.find(filed.submission.course, filed.submission.assignment),
        stored,
        graded,
        tuple(unit.overrides.history(submission_id, item)),
        entry,
    )


def _missing(submission_id: str, item: str) -> NotFound:
    return NotFound(f"There is no graded answer to {item[:64]!r} in submission {submission_id[:32]!r}.")


def hold(unit: UnitOfWork, actor: Actor, submission_id: str, item: str, now: datetime) -> Claim:
    """Claim an answer, or renew the claim. Raises `Overtaken` where another reviewer holds it."""
    claim = Claim(submission_id, item, actor.id, now + HELD_FOR)
    if not unit.claims.take(claim, now):
        raise Overtaken("Another reviewer has this answer now: take the next one.")
    return claim


def may_change(opened: Opened, actor: Actor) -> bool:
    """Whether a mark is the actor's to change without further words.

    Assistants change what is in the queue, and what they decided themselves until grades are published.
    """
    if actor.manages(opened.course) or opened.entry.in_queue:
        return True
    is_own = opened.newest is not None and opened.newest.override.actor == actor.id
    return is_own and opened.offering.published_at is None


def require_may_change(opened: Opened, actor: Actor) -> None:
    """Raise `NotPermitted` where an instructor has to change a mark, or it is changed in the gradebook."""
    if may_change(opened, actor):
        return
    if opened.offering.published_at is not None:
        raise NotPermitted(PUBLISHED)
    raise NotPermitted("This answer waits for nobody. Change its mark in the gradebook, with a reason.")


def require_free(opened: Opened, actor: Actor) -> None:
    """Raise `Overtaken` where another reviewer holds the answer."""
    if opened.entry.holder not in (None, actor.id):
        raise Overtaken("Another reviewer has this answer now: nothing was changed. Take the next one.")


def require_in_hand(unit: UnitOfWork, opened: Opened, actor: Actor, *, reason: str) -> None:
    """Raise `Overtaken` unless the actor may decide: who holds it; an instructor who says why, unless held.

    A claim whose time is over still holds as long as nobody else has taken the answer.
    """
    require_free(opened, actor)
    entry = opened.entry
    claim = unit.claims.find(entry.submission_id, entry.item)
    if claim is not None and claim.holder == actor.id:
        return
    if not actor.manages(opened.course):
        raise Overtaken("You do not hold this answer any more: take it again, then decide.")
    if not reason.strip():
        raise Overtaken(
            "You do not hold this answer: take it, or give a reason for deciding outside the queue."
        )


def find_assignment(desk: Desk, assignment: str) -> Assignment:
    """The assignment. Raises `NotFound`."""
    found = desk.assignments.get(assignment)
    if found is None:
        raise NotFound(f"There is no assignment {assignment[:255]!r}.")
    return found
