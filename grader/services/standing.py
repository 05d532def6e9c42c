"""What counts now of a submission, derived in the transaction that changes its grade, overrides or dates."""

from __future__ import annotations

import hashlib
from collections.abc import Container, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from grader.domain.evidence import Evidence
from grader.domain.grade import Grade, ItemGrade, ItemState
from grader.domain.offering import Accommodation, Counts, Offering
from grader.domain.override import apply_overrides
from grader.domain.run import Verdict
from grader.storage.overrides import StoredOverride
from grader.storage.standings import Attempt, Mark, Standing
from grader.storage.submissions import Filed
from grader.storage.unit_of_work import UnitOfWork

_FROM_HASH = 1 << 32
_ENDED_WELL = (Verdict.OK, Verdict.CELL_ERROR)


def settle(unit: UnitOfWork, submission_id: str, *, code_sha256: str | None = None) -> None:
    """Write what counts now of one submission, and which of its student's attempts counts.

    Nothing happens before it is graded. ``code_sha256`` is of the notebook's code; None: as it was known.
    """
    filed, stored = unit.submissions.find(submission_id), unit.grades.newest(submission_id)
    if filed is None or stored is None:
        return
    known = unit.standings.find(submission_id)
    evidence = unit.evidence.newest(submission_id) if known is None or code_sha256 is not None else None
    submission = filed.submission
    course, assignment, user = submission.course, submission.assignment, submission.user
    offering = unit.offerings.find(course, assignment)
    asked = unit.regrade_requests.open_items(submission_id)
    marks = list_marks(filed, stored.grade, unit.overrides.newest(submission_id), offering, asked)
    base = known or _begin(filed)
    if evidence is not None:
        base = _describe(base, evidence.evidence)
    standing = replace(
        base,
        grade_id=stored.id,
        text_sha256=_hash_text("\n".join(sorted(mark.words_sha256 for mark in marks if mark.words_sha256))),
        code_sha256=base.code_sha256 if code_sha256 is None else code_sha256,
        maximum=stored.grade.maximum,
        given=round(sum(mark.points for mark in marks), 2),
        expected=round(sum(map(_expect, marks)), 2),
        waiting=sum(map(_waits, marks)),
    )
    held = unit.offerings.accommodations(course, assignment, user).get(user, Accommodation())
    due_at = held.due_at or offering.due_at
    unit.standings.put([reckon_lateness(standing, submission.submitted_at, due_at, offering)], marks)
    choose_attempt(unit, course, assignment, user, offering)


def list_marks(
    filed: Filed,
    grade: Grade,
    overrides: dict[str, StoredOverride],
    offering: Offering,
    asked: Container[str] = (),
) -> list[Mark]:
    """One submission's marks, in the grade's order. ``asked``: items with an open regrade request."""
    decided = apply_overrides(grade, {key: stored.override for key, stored in overrides.items()})
    return [_mark(filed, item, offering.audited_share, item.key in asked) for item in decided.items]


def choose_attempt(unit: UnitOfWork, course: str, assignment: str, user: str, offering: Offering) -> None:
    """Say which of a student's attempts counts."""
    attempts = unit.standings.attempts(course, assignment, user)
    if attempts:
        best = pick_attempt(attempts, offering.counts)
        unit.standings.count_only(course, assignment, user, best.submission_id)


def pick_attempt(attempts: Iterable[Attempt], counts: Counts) -> Attempt:
    """The attempt that counts, of at least one. What waits for a human is reckoned with what is proposed."""
    if counts is Counts.LAST:
        return max(attempts, key=lambda one: one.attempt)
    return max(attempts, key=lambda one: (round(one.expected, 4), one.attempt))


def reckon_lateness(
    standing: Standing, submitted_at: datetime, due_at: datetime | None, offering: Offering
) -> Standing:
    """What lateness leaves of ``given`` and of what is expected, ``standing.expected`` being without it.

    ``due_at`` is the student's own due date.
    """
    kept = offering.share_kept(submitted_at, due_at)
    return replace(
        standing,
        final=round(standing.given * kept, 2),
        expected=round(standing.expected * kept, 2),
        late_days=offering.days_late(submitted_at, due_at),
    )


def hash_code(cells: Iterable[str]) -> str:
    """What two notebooks with the same code have in common: comments, blank lines and spaces aside."""
    lines = (line.split("#", 1)[0] for cell in cells for line in cell.splitlines())
    return _hash_text("\n".join("".join(line.split()) for line in lines if line.strip()))


def is_drawn(submission_id: str, item: str, share: float) -> bool:
    """Whether chance sends this answer to the audit: always the same chance for the same answer."""
    drawn = hashlib.sha256(f"audit:{submission_id}:{item}".encode()).digest()[:4]
    return int.from_bytes(drawn, "big") < share * _FROM_HASH


def _mark(filed: Filed, item: ItemGrade, audited_share: float, is_asked: bool) -> Mark:
    proposal = item.evidence.get("proposal")
    # Accepted although something is written: a calibration was certain. Some of these are looked at.
    alone = item.state is ItemState.AUTO and proposal is not None
    submission = filed.submission
    is_audited = alone and is_drawn(submission.id, item.key, audited_share)
    return Mark(
        submission_id=submission.id,
        item=item.key,
        course=submission.course,
        assignment=submission.assignment,
        points=item.points,
        max_points=item.max_points,
        state=item.state.value,
        proposed=_propose(proposal) if proposal else None,
        doubt=float(proposal["doubt"]) if proposal else 1.0,
        is_audited=is_audited,
        words_sha256=_hash_text(str(item.evidence.get("text", ""))),
        choice=str(item.evidence.get("letter") or ""),
        in_queue=is_audited or is_asked or item.state is ItemState.NEEDS_REVIEW,
    )


def _propose(proposal: Mapping[str, Any]) -> float:
    corrected = proposal.get("corrected")  # by reviewers' own marks, where there are enough
    return float(proposal["points"] if corrected is None else corrected)


def _hash_text(text: str) -> str:
    words = " ".join(text.casefold().split())
    return hashlib.sha256(words.encode("utf-8", "replace")).hexdigest() if words else ""


def _begin(filed: Filed) -> Standing:
    submission = filed.submission
    return Standing(
        submission_id=submission.id,
        course=submission.course,
        assignment=submission.assignment,
        user_id=submission.user,
        grade_id=0,
        given=0.0,
        final=0.0,
        expected=0.0,
        maximum=0.0,
        waiting=0,
        is_counted=False,
        crashed=False,
        seconds=0.0,
        text_sha256="",
        code_sha256="",
    )


def _describe(base: Standing, evidence: Evidence) -> Standing:
    run = evidence.run
    return replace(base, crashed=run.verdict not in _ENDED_WELL, seconds=round(run.seconds, 3))


def _waits(mark: Mark) -> bool:
    return mark.state == ItemState.NEEDS_REVIEW.value


def _expect(mark: Mark) -> float:
    return max(mark.points, mark.proposed or 0.0) if _waits(mark) else mark.points
