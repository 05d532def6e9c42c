"""From evidence to a grade: pure, so that a changed rubric judges again without running anything."""

from __future__ import annotations

from grader.domain.evidence import Evidence
from grader.domain.grade import Grade
from grader.domain.rubric import Rubric
from grader.domain.scoring import score_items

from .registry import CHECKS


def judge(rubric: Rubric, evidence: Evidence) -> Grade:
    """Run every item's check. A check that raises is our failure, never a zero: nothing is caught."""
    results = {item.key: CHECKS[item.check](evidence, item, rubric.part(item.part)) for item in rubric.items}
    return score_items(rubric, results)
