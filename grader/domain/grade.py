"""A grade: a verdict on evidence under one version of a rubric."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class ItemState(StrEnum):
    """Whether an item's points stand, or a human decides."""

    AUTO = "auto"
    NEEDS_REVIEW = "needs_review"
    REVIEWED = "reviewed"  # a human has decided; never in a stored grade, see `grader.domain.override`


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What one check says. ``share`` is of the item's points, 0..1."""

    share: float
    feedback: str  # what was measured, what was wanted, what to do
    state: ItemState = ItemState.AUTO
    confidence: float | None = 1.0  # None: not calibrated, so nothing is known of it
    evidence: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ItemGrade:
    """One item's points with the reason."""

    key: str
    title: str
    points: float
    max_points: float
    state: ItemState
    confidence: float | None
    feedback: str
    evidence: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Grade:
    """All items under one rubric version. Points of items in review are provisional."""

    items: tuple[ItemGrade, ...]
    rubric_sha256: str

    @property
    def given(self) -> float:
        """Points given so far."""
        return round(sum(item.points for item in self.items), 2)

    @property
    def maximum(self) -> float:
        """Points that could be had."""
        return round(sum(item.max_points for item in self.items), 2)

    @property
    def needs_review(self) -> bool:
        """Whether a human has something to decide."""
        return any(item.state is ItemState.NEEDS_REVIEW for item in self.items)
