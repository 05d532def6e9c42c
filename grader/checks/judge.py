"""From evidence to a grade: pure, so that a changed rubric judges again without running anything."""

from __future__ import annotations

from dataclasses import replace

from grader.domain.evidence import Evidence
from grader.domain.grade import CheckResult, Grade, ItemState
from grader.domain.rubric import Alone, Item, Policy, Rubric
from grader.domain.scoring import score_items

from .registry import CHECKS, TAKES_CONCEPTS


def judge(rubric: Rubric, evidence: Evidence) -> Grade:
    """Run every item's check. A check that raises is our failure, never a zero: nothing is caught."""
    results = {
        item.key: apply_policy(
            rubric.policy, item, CHECKS[item.check](evidence, item, rubric.part(item.part))
        )
        for item in rubric.items
    }
    return score_items(rubric, results)


def apply_policy(policy: Policy, item: Item, result: CheckResult) -> CheckResult:
    """Send even blank answers to a human, where the assignment wants it so."""
    is_written = item.check in TAKES_CONCEPTS
    if is_written and policy.written_answers is Alone.NOTHING and result.state is ItemState.AUTO:
        return replace(result, state=ItemState.NEEDS_REVIEW, confidence=None)
    return result
