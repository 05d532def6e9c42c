"""What a model is held against: the rubric's numbers, or the calibration on the data set in use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from grader.domain.calibration import ReferenceFigures
from grader.domain.grade import CheckResult, ItemState
from tests.unit.judging import make_evidence, measured, run_check

FIGURES = ReferenceFigures(seeds=5, mean=0.637, spread=0.02, threshold=0.5, band=0.04)
CALIBRATED = {"latent_dim": 8, "threshold": "calibrated"}


def judged(
    explained: float, params: Mapping[str, Any], reference: Mapping[int, ReferenceFigures]
) -> CheckResult:
    evidence = make_evidence(models=[measured(8, explained)])
    return run_check("reconstruction", replace(evidence, reference=reference), params)


@pytest.mark.parametrize(
    ("explained", "share", "state"),
    [
        (0.51, 1.0, ItemState.AUTO),
        (0.5, 1.0, ItemState.AUTO),
        (0.46, 0.92, ItemState.NEEDS_REVIEW),
        (0.45, 0.9, ItemState.AUTO),
    ],
)
def test_a_calibrated_threshold_comes_with_its_own_band(
    explained: float, share: float, state: ItemState
) -> None:
    result = judged(explained, CALIBRATED, {8: FIGURES})
    assert (result.share, result.state) == (pytest.approx(share), state)


def test_a_rubrics_own_band_outweighs_the_calibrations() -> None:
    assert judged(0.46, {**CALIBRATED, "band": 0.01}, {8: FIGURES}).state is ItemState.AUTO


def test_a_rubrics_own_number_outweighs_the_calibrations() -> None:
    result = judged(0.55, {"latent_dim": 8, "threshold": 0.6}, {8: FIGURES})
    assert result.share == pytest.approx(0.55 / 0.6)
    assert result.state is ItemState.AUTO


@pytest.mark.parametrize("params", [CALIBRATED, {"latent_dim": 8, "threshold": 0.5}])
def test_what_the_reference_reaches_is_told_and_kept(params: Mapping[str, Any]) -> None:
    result = judged(0.55, params, {8: FIGURES})
    assert "The reference solution explains 63.7% ± 4.0%." in result.feedback
    assert result.evidence["reference"] == {
        "seeds": 5,
        "mean": 0.637,
        "spread": 0.02,
        "threshold": 0.5,
        "band": 0.04,
    }


@pytest.mark.parametrize("reference", [{}, {2: FIGURES}], ids=["another data set", "another width"])
def test_without_a_calibration_a_human_decides_and_nobody_is_blamed(
    reference: Mapping[int, ReferenceFigures],
) -> None:
    result = judged(0.55, CALIBRATED, reference)
    assert (result.share, result.state) == (0.0, ItemState.NEEDS_REVIEW)
    assert "never measured" in result.feedback
    assert "55.0%" in result.feedback
    assert result.evidence["uncalibrated_dataset"] == "d" * 64


def test_without_a_calibration_a_missing_model_waits_too() -> None:
    assert run_check("reconstruction", make_evidence(), CALIBRATED).state is ItemState.NEEDS_REVIEW


def test_numbers_need_no_calibration() -> None:
    result = judged(0.55, {"latent_dim": 8, "threshold": 0.5}, {})
    assert (result.share, result.state) == (1.0, ItemState.AUTO)
    assert "reference" not in result.evidence
