"""From evidence to a grade: pure, so that a changed rubric judges again without running anything."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace

from grader.domain.answer_calibration import AnswerCalibration
from grader.domain.evidence import Evidence
from grader.domain.grade import CheckResult, Grade, ItemState
from grader.domain.rubric import Alone, Item, Policy, Rubric
from grader.domain.scoring import score_items

from .answers.statements import SCORER
from .registry import CHECKS, TAKES_CONCEPTS
from .written import accept


def judge(rubric: Rubric, evidence: Evidence) -> Grade:
    """Run every item's check. A check that raises is our failure, never a zero: nothing is caught."""
    results = {
        item.key: apply_policy(
            rubric.policy, item, CHECKS[item.check](evidence, item, rubric.part(item.part))
        )
        for item in rubric.items
    }
    grade = score_items(rubric, results)
    return replace(grade, rubric_sha256=version_of(rubric, evidence.calibrations))


def version_of(rubric: Rubric, calibrations: Mapping[str, AnswerCalibration]) -> str:
    """What a grade under this rubric and these calibrations is a version of.

    It is the rubric's own unless something else finds or decides points: the scorer of written answers does,
    and so do calibrations where the policy lets them. Then a new one makes new grades, whose version begins
    as the rubric's does.
    """
    if not any(item.concepts for item in rubric.items):
        return rubric.sha256
    decides = rubric.policy.written_answers is Alone.CERTAIN
    used = sorted((i.key, calibrations[i.key].id) for i in rubric.items if decides and i.key in calibrations)
    known = hashlib.sha256(json.dumps([rubric.sha256, SCORER, used]).encode()).hexdigest()
    return rubric.sha256[:32] + known[:32]


def apply_policy(policy: Policy, item: Item, result: CheckResult) -> CheckResult:
    """Send even blank answers to a human, or accept what is certain, where the assignment wants it so."""
    if item.check not in TAKES_CONCEPTS:
        return result
    if policy.written_answers is Alone.NOTHING and result.state is ItemState.AUTO:
        return replace(result, state=ItemState.NEEDS_REVIEW, confidence=None)
    return accept(result) if policy.written_answers is Alone.CERTAIN else result
