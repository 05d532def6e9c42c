"""Marks of a submission's items: what its grade says, what humans decided, what the audit drew."""

from __future__ import annotations

import hashlib
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from grader.checks.written import KEPT_CHARACTERS
from grader.domain.grade import Grade, ItemGrade, ItemState
from grader.domain.offering import Offering
from grader.storage.grades import StoredGrade
from grader.storage.overrides import StoredOverride
from grader.storage.standings import Mark
from grader.storage.submissions import Filed

_FROM_HASH = 1 << 32


@dataclass(frozen=True, slots=True)
class Outline:
    """One item of a grade, as far as marks are made of it."""

    key: str
    points: float
    max_points: float
    state: ItemState
    proposed: float | None  # points
    doubt: float
    words_sha256: str
    choice: str


@dataclass(frozen=True, slots=True)
class Outlined:
    """One submission's grade, the same way. ``grade_id`` 0: it is not stored."""

    grade_id: int
    maximum: float
    items: tuple[Outline, ...]


def outline(stored: StoredGrade) -> Outlined:
    """What marks are made of."""
    return Outlined(stored.id, stored.grade.maximum, outline_items(stored.grade))


def outline_items(grade: Grade) -> tuple[Outline, ...]:
    """The same of the items, in the grade's order."""
    return tuple(map(_outline, grade.items))


def list_marks(
    filed: Filed,
    items: Iterable[Outline],
    overrides: Mapping[str, StoredOverride],
    offering: Offering,
    asked: Container[str] = (),
) -> list[Mark]:
    """One submission's marks, in the grade's order. ``asked``: items with an open regrade request."""
    share = offering.audited_share
    return [_mark(filed, item, overrides.get(item.key), share, item.key in asked) for item in items]


def is_drawn(submission_id: str, item: str, share: float) -> bool:
    """Whether chance sends this answer to the audit: always the same chance for the same answer."""
    drawn = hashlib.sha256(f"audit:{submission_id}:{item}".encode()).digest()[:4]
    return int.from_bytes(drawn, "big") < share * _FROM_HASH


def hash_text(text: str) -> str:
    """Of the words, whatever their case and the space between them; "" where there are none."""
    words = " ".join(text.casefold().split())
    return hashlib.sha256(words.encode("utf-8", "replace")).hexdigest() if words else ""


def _outline(item: ItemGrade) -> Outline:
    proposal, text = item.evidence.get("proposal"), str(item.evidence.get("text", ""))
    return Outline(
        key=item.key,
        points=item.points,
        max_points=item.max_points,
        state=item.state,
        proposed=_propose(proposal) if proposal else None,
        doubt=float(proposal["doubt"]) if proposal else 1.0,
        # What is as long as is kept may go on otherwise: it is alike to nothing.
        words_sha256=hash_text(text) if len(text) < KEPT_CHARACTERS else "",
        choice=str(item.evidence.get("letter") or ""),
    )


def _propose(proposal: Mapping[str, Any]) -> float:
    corrected = proposal.get("corrected")  # by reviewers' own marks, where there are enough
    return float(proposal["points"] if corrected is None else corrected)


def _mark(
    filed: Filed, item: Outline, stored: StoredOverride | None, audited_share: float, is_asked: bool
) -> Mark:
    decided = stored.override.points_of(item.max_points) if stored else None
    # Accepted although something is written: a calibration was certain. Some of these are looked at.
    alone = decided is None and item.state is ItemState.AUTO and item.proposed is not None
    state = item.state if decided is None else ItemState.REVIEWED
    submission = filed.submission
    is_audited = alone and is_drawn(submission.id, item.key, audited_share)
    return Mark(
        submission_id=submission.id,
        item=item.key,
        course=submission.course,
        assignment=submission.assignment,
        points=item.points if decided is None else decided,
        max_points=item.max_points,
        state=state.value,
        proposed=item.proposed,
        doubt=item.doubt,
        is_audited=is_audited,
        words_sha256=item.words_sha256,
        choice=item.choice,
        in_queue=is_audited or is_asked or state is ItemState.NEEDS_REVIEW,
    )
