"""The arithmetic of points."""

from __future__ import annotations

import math

import pytest

from grader.domain.grade import CheckResult, ItemState
from grader.domain.rubric import Item, Rubric, RunLimits, UploadLimits
from grader.domain.scoring import score_item, score_items

ITEM = Item("q1", "q1", "Why", 4.0, "short_answer")


@pytest.mark.parametrize(
    ("share", "points"),
    [(0, 0), (1, 4), (0.5, 2), (1 / 3, 1.33), (2 / 3, 2.67), (-0.2, 0), (1.0000001, 4), (7, 4)],
)
def test_a_share_is_clamped_and_its_points_are_rounded_to_hundredths(share: float, points: float) -> None:
    assert score_item(ITEM, CheckResult(share, "")).points == points


def test_rounding_gives_no_more_than_the_item_has() -> None:
    item = Item("q1", "q1", "Why", 0.125 + 0.001, "short_answer")
    assert score_item(item, CheckResult(1.0, "")).points == item.points


@pytest.mark.parametrize("share", [math.nan, math.inf, -math.inf])
def test_a_share_that_is_no_number_is_our_mistake_and_never_a_grade(share: float) -> None:
    with pytest.raises(ValueError, match="q1"):
        score_item(ITEM, CheckResult(share, ""))


def test_an_item_keeps_what_its_check_said() -> None:
    result = CheckResult(0.5, "Half.", ItemState.NEEDS_REVIEW, confidence=2.0, evidence={"mse": 0.1})
    graded = score_item(ITEM, result)
    assert (graded.feedback, graded.state, graded.confidence) == ("Half.", ItemState.NEEDS_REVIEW, 1.0)
    assert (graded.evidence, graded.max_points, graded.title) == ({"mse": 0.1}, 4.0, "Why")


def test_a_grade_adds_up_its_items_in_the_rubrics_order() -> None:
    items = (ITEM, Item("q2", "q2", "How", 3.0, "short_answer"))
    limits = RunLimits(1, 1, 1, 1, 1, 1, 1, 1)
    rubric = Rubric("hw", "HW", "r" * 64, (), items, UploadLimits(1, 1, 1), limits, (2,), "mnist")
    results = {"q2": CheckResult(1 / 3, ""), "q1": CheckResult(1, "", ItemState.NEEDS_REVIEW)}
    grade = score_items(rubric, results)
    assert [item.key for item in grade.items] == ["q1", "q2"]
    assert (grade.given, grade.maximum, grade.needs_review, grade.rubric_sha256) == (5.0, 7.0, True, "r" * 64)
    with pytest.raises(KeyError):
        score_items(rubric, {"q1": CheckResult(1, "")})
