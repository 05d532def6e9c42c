"""A student's own attempts at an assignment: how each stands, and which one counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from grader.assignments import Assignment
from grader.domain.offering import Counts
from grader.domain.people import Actor, Role
from grader.domain.submission import Submission, SubmissionState
from grader.errors import NotFound, NotOpen
from grader.services.terms import Terms, read_terms
from grader.storage.drafts import Draft
from grader.storage.unit_of_work import Database, UnitOfWork


@dataclass(frozen=True, slots=True)
class AttemptView:
    """One attempt. Points are None before it is graded, and before all of its parts are released."""

    submission: Submission
    days_late: int
    final: float | None
    maximum: float | None
    waiting: int | None  # items that a human decides: of another than counts they are not read
    counts: bool | None  # None: told once the points are


@dataclass(frozen=True, slots=True)
class OwnWork:
    """An assignment as one student finds it."""

    terms: Terms
    attempts: tuple[AttemptView, ...]  # newest first
    drafts: tuple[Draft, ...]  # not handed in
    most: int  # attempts that the assignment allows
    left: int
    why_closed: str  # "" where something can be handed in

    @property
    def is_hidden(self) -> bool:
        """Whether a student does not know of it: it is closed, and they never handed in."""
        return not (self.terms.offering.is_open or self.attempts)

    @property
    def counted(self) -> AttemptView | None:
        """The attempt that counts, or the newest one as long as that is not told."""
        told = next((attempt for attempt in self.attempts if attempt.counts), None)
        return told or next(iter(self.attempts), None)

    def find_same(self, sha256: str) -> AttemptView | None:
        """The attempt with exactly these bytes, the newest one of several."""
        return next((one for one in self.attempts if one.submission.notebook_sha256 == sha256), None)

    def may_repeat(self, attempt: AttemptView) -> bool:
        """Whether its file may be handed in again: where the last one counts, and it is not that."""
        return self.terms.offering.counts is Counts.LAST and attempt is not self.attempts[0]


def read_own_work(
    database: Database, actor: Actor, course: str, assignment: Assignment, now: datetime
) -> OwnWork:
    """What this person handed in for this assignment, and whether they can go on."""
    with database.read() as unit:
        return _read(unit, actor, course, assignment, now)


def list_own_work(
    database: Database, actor: Actor, course: str, assignments: Mapping[str, Assignment], now: datetime
) -> dict[str, OwnWork]:
    """The same for all assignments, by id; without those that are closed and were never handed in."""
    with database.read() as unit:
        found = {key: _read(unit, actor, course, one, now) for key, one in sorted(assignments.items())}
    return {key: work for key, work in found.items() if not work.is_hidden}


def refuse_unopened(
    database: Database, actor: Actor, course: str, assignment: Assignment, now: datetime
) -> None:
    """Keep a homework from students until it opens. Raises `NotOpen`, and `NotFound` where it is hidden."""
    if actor.role_in(course) is not Role.STUDENT:
        return
    own = read_own_work(database, actor, course, assignment, now)
    if own.is_hidden:
        raise NotFound("There is no such assignment.")
    if own.terms.opens_after(now):
        raise NotOpen(own.why_closed)


def _read(unit: UnitOfWork, actor: Actor, course: str, assignment: Assignment, now: datetime) -> OwnWork:
    rubric = assignment.rubric
    terms = read_terms(unit, course, rubric.id, actor.id)
    filed = unit.submissions.of_student(course, rubric.id, actor.id)
    is_released = all(terms.is_released(part.key, now) for part in rubric.parts)
    attempts = tuple(_view(unit, one.submission, terms, is_released) for one in filed)
    handed_in = {one.submission.notebook_sha256 for one in filed}
    used = sum(one.submission.state is not SubmissionState.FAILED for one in filed)
    left = max(0, rubric.policy.attempts - used)
    return OwnWork(
        terms=terms,
        attempts=attempts,
        drafts=tuple(
            draft
            for draft in unit.drafts.of(course, rubric.id, actor.id)
            if draft.notebook_sha256 not in handed_in
        ),
        most=rubric.policy.attempts,
        left=left,
        why_closed=terms.why_closed(now)
        or ("" if left else "All attempts are used; the earlier ones stand."),
    )


def _view(unit: UnitOfWork, submission: Submission, terms: Terms, is_released: bool) -> AttemptView:
    days_late = terms.days_late(submission.submitted_at)
    standing = unit.standings.find(submission.id)
    if standing is None or submission.state is not SubmissionState.GRADED:
        return AttemptView(submission, days_late, None, None, None, None)
    if is_released:
        waiting = standing.waiting if standing.is_counted else 0
        return AttemptView(
            submission, days_late, standing.final, standing.maximum, waiting, standing.is_counted
        )
    # Which one is best says something of points that are not released.
    counts = standing.is_counted if terms.offering.counts is Counts.LAST else None
    return AttemptView(submission, days_late, None, None, None, counts)
