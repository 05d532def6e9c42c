"""A human's mark on one item. It stands beside the grade, wins, and survives every regrade."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from grader.domain.grade import Grade, ItemGrade, ItemState


@dataclass(frozen=True, slots=True)
class Override:
    """``points`` None takes back what stood before: the grade counts again, or waits again."""

    item: str
    points: float | None
    actor: str
    reason: str = ""  # for the record
    comment: str = ""  # for the student
    concepts: Mapping[str, float] = field(default_factory=dict)  # points by concept
    is_undo: bool = False  # its actor took back the decision before it, and nothing more

    def points_of(self, max_points: float) -> float | None:
        """The points of an item that is worth ``max_points`` now; None where the grade counts."""
        # A rubric that has changed since may give less for the item than a human gave then.
        return None if self.points is None else min(self.points, max_points)


def apply_overrides(grade: Grade, overrides: Mapping[str, Override]) -> Grade:
    """The grade that counts. ``overrides`` are the newest of each item, by its key."""
    return replace(grade, items=tuple(_decide(item, overrides.get(item.key)) for item in grade.items))


def _decide(item: ItemGrade, override: Override | None) -> ItemGrade:
    points = None if override is None else override.points_of(item.max_points)
    if override is None or points is None:
        return item
    told = override.comment or f"A teacher read it and gave {points:g} of {item.max_points:g} points."
    return replace(item, points=points, state=ItemState.REVIEWED, confidence=1.0, feedback=told)
