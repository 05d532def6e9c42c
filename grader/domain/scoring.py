"""The arithmetic of a grade: shares of an item's points, rounded once."""

from __future__ import annotations

import math
from collections.abc import Mapping

from grader.domain.grade import CheckResult, Grade, ItemGrade
from grader.domain.rubric import Item, Rubric


def score_item(item: Item, result: CheckResult) -> ItemGrade:
    """One item's points, to hundredths. ``ValueError`` for a share or confidence that is no finite number."""
    return ItemGrade(
        key=item.key,
        title=item.title,
        points=min(item.points, round(_unit(result.share, item) * item.points, 2)),
        max_points=item.points,
        state=result.state,
        confidence=None if result.confidence is None else _unit(result.confidence, item),
        feedback=result.feedback,
        evidence=result.evidence,
    )


def score_items(rubric: Rubric, results: Mapping[str, CheckResult]) -> Grade:
    """All items of ``rubric`` in its order; ``KeyError`` where a result is missing."""
    items = tuple(score_item(item, results[item.key]) for item in rubric.items)
    return Grade(items=items, rubric_sha256=rubric.sha256)


def _unit(value: float, item: Item) -> float:
    # Infinity is refused too: clamped, it would be full marks for a division by zero.
    if not math.isfinite(value):
        raise ValueError(f"{item.key}: the check {item.check!r} gave {value}, not a share between 0 and 1")
    return min(1.0, max(0.0, value))
