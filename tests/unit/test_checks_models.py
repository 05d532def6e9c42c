"""What measured models are worth: each width's reconstruction, and the trend over the widths."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import replace

import pytest

from grader.domain.evidence import Lookalike
from grader.domain.grade import CheckResult, ItemState
from grader.domain.run import CellRun, CellState, Verdict
from tests.unit.judging import make_evidence, measured, run_check, unmeasured

EIGHT = {"latent_dim": 8, "threshold": 0.5, "band": 0.02}
ALL = {"latent_dims": [2, 8, 32, 128], "band": 0.01}


@pytest.mark.parametrize(
    ("explained", "share", "state"),
    [
        (0.63, 1.0, ItemState.AUTO),
        (0.5, 1.0, ItemState.AUTO),
        (0.499, 0.998, ItemState.NEEDS_REVIEW),
        (0.481, 0.962, ItemState.NEEDS_REVIEW),
        (0.47, 0.94, ItemState.AUTO),
        (0.25, 0.5, ItemState.AUTO),
        (0.0, 0.0, ItemState.AUTO),
        (-2.4, 0.0, ItemState.AUTO),
    ],
)
def test_points_grow_linearly_up_to_the_threshold(explained: float, share: float, state: ItemState) -> None:
    result = run_check("reconstruction", make_evidence(models=[measured(8, explained)]), EIGHT)
    assert (result.share, result.state) == (pytest.approx(share), state)


def test_the_best_model_of_a_width_counts() -> None:
    models = [measured(8, 0.2), measured(8, 0.6), measured(8, math.nan), measured(32, 0.9)]
    result = run_check("reconstruction", make_evidence(models=models), EIGHT)
    assert result.share == 1.0
    assert result.evidence["explained_variance"] == 0.6


def test_the_feedback_says_what_was_measured_and_wanted_beside_pca() -> None:
    model = measured(8, 0.25, input_convention="normalised", cell=6)
    feedback = run_check("reconstruction", make_evidence(models=[model]), EIGHT).feedback
    for words in ("cell 7", "0.0507", "25.0%", "50.0%", "43.8%", "normalised", "Train it for longer"):
        assert words in feedback


def test_an_untrained_model_is_told_from_a_weak_one() -> None:
    assert (
        "is trained" in run_check("reconstruction", make_evidence(models=[measured(8, -2.4)]), EIGHT).feedback
    )


@pytest.mark.parametrize(
    "model", [measured(8, math.nan), measured(8, 0.0, finite=False), measured(8, -math.inf)]
)
def test_a_diverged_training_earns_nothing_and_is_told(model: object) -> None:
    result = run_check("reconstruction", make_evidence(models=[model]), EIGHT)  # type: ignore[list-item]
    assert (result.share, result.state) == (0.0, ItemState.AUTO)
    assert "diverged" in result.feedback
    assert json.loads(json.dumps(result.evidence, allow_nan=False))["mse"] is None


def test_no_model_is_a_certain_zero_and_says_what_to_do() -> None:
    result = run_check("reconstruction", make_evidence(models=[measured(32, 0.9)]), EIGHT)
    assert (result.share, result.state) == (0.0, ItemState.AUTO)
    assert "Train Autoencoder(8)" in result.feedback


@pytest.mark.parametrize("width", [8, None])
def test_an_own_architecture_that_may_be_meant_goes_to_review(width: int | None) -> None:
    result = run_check("reconstruction", make_evidence(others=[unmeasured(width)]), EIGHT)
    assert (result.share, result.state) == (0.0, ItemState.NEEDS_REVIEW)
    assert "Deep in cell 6 (own architecture)" in result.feedback
    assert result.evidence["unmeasured"][0]["class"] == "Deep"


@pytest.mark.parametrize("width", [0, 2])
def test_a_model_that_cannot_be_meant_changes_nothing(width: int) -> None:
    assert (
        run_check("reconstruction", make_evidence(others=[unmeasured(width)]), EIGHT).state is ItemState.AUTO
    )


def test_an_own_architecture_beside_a_weak_model_goes_to_review_but_not_beside_a_good_one() -> None:
    weak = make_evidence(models=[measured(8, 0.2)], others=[unmeasured(8)])
    good = make_evidence(models=[measured(8, 0.7)], others=[unmeasured(8)])
    assert run_check("reconstruction", weak, EIGHT).state is ItemState.NEEDS_REVIEW
    assert run_check("reconstruction", good, EIGHT).state is ItemState.AUTO


def test_why_a_model_is_missing_is_told_when_the_run_ended_early() -> None:
    cells = [CellRun(1, CellState.NOT_RUN)]
    result = run_check("reconstruction", make_evidence(cells=cells, verdict=Verdict.MEMORY_LIMIT), EIGHT)
    assert "more memory" in result.feedback
    assert result.state is ItemState.AUTO


@pytest.mark.parametrize("check_and_params", [("reconstruction", EIGHT), ("trend", ALL)])
def test_a_missing_model_is_uncertain_when_the_run_cannot_be_believed(
    check_and_params: tuple[str, Mapping[str, object]],
) -> None:
    check, params = check_and_params
    result = run_check(check, make_evidence(verdict=Verdict.PROTOCOL_ERROR), params)
    assert (result.share, result.state) == (0.0, ItemState.NEEDS_REVIEW)


def see_trend(explained: Mapping[int, float], **more: object) -> CheckResult:
    models = [measured(width, value) for width, value in explained.items()]
    return run_check("trend", make_evidence(models=models, **more), ALL)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("explained", "share", "state"),
    [
        ({2: 0.2, 8: 0.6, 32: 0.8, 128: 0.85}, 1.0, ItemState.AUTO),
        ({2: 0.2, 8: 0.6, 32: 0.8, 128: 0.795}, 2 / 3, ItemState.NEEDS_REVIEW),
        ({2: 0.2, 8: 0.6, 32: 0.8, 128: 0.7}, 2 / 3, ItemState.AUTO),
        ({2: 0.8, 8: 0.6, 32: 0.5, 128: 0.3}, 0.0, ItemState.AUTO),
        ({2: 0.2, 8: 0.6}, 1 / 3, ItemState.AUTO),
        ({2: 0.2, 32: 0.6}, 0.0, ItemState.AUTO),
        ({8: 0.6}, 0.0, ItemState.AUTO),
        ({}, 0.0, ItemState.AUTO),
        ({2: -2.4, 8: -2.3, 32: -2.2, 128: -2.1}, 0.0, ItemState.AUTO),
        ({2: math.nan, 8: 0.6, 32: 0.8, 128: 0.85}, 2 / 3, ItemState.AUTO),
    ],
)
def test_each_step_to_a_wider_code_counts(
    explained: dict[int, float], share: float, state: ItemState
) -> None:
    result = see_trend(explained)
    assert (result.share, result.state) == (pytest.approx(share), state)
    json.dumps(result.evidence, allow_nan=False)


def test_a_width_that_an_own_architecture_may_have_goes_to_review() -> None:
    three = {2: 0.2, 8: 0.6, 32: 0.8}
    assert see_trend(three, others=[unmeasured(128)]).state is ItemState.NEEDS_REVIEW
    assert see_trend(three, others=[unmeasured(None)]).state is ItemState.NEEDS_REVIEW
    assert see_trend(three, others=[unmeasured(0)]).state is ItemState.AUTO
    assert see_trend({**three, 128: 0.9}, others=[unmeasured(128)]).state is ItemState.AUTO


def test_the_trends_feedback_tells_what_is_missing() -> None:
    feedback = see_trend({2: 0.2, 8: 0.6}).feedback
    assert "20.0% with 2, 60.0% with 8" in feedback
    assert "latent_dim = 32, 128" in feedback


def test_a_diverged_model_beside_an_own_architecture_goes_to_review() -> None:
    evidence = make_evidence(models=[measured(8, math.nan)], others=[unmeasured(8)])
    result = run_check("reconstruction", evidence, EIGHT)
    assert (result.share, result.state) == (0.0, ItemState.NEEDS_REVIEW)
    json.dumps(dict(result.evidence), allow_nan=False)


@pytest.mark.parametrize(("explained", "state"), [(0.1, ItemState.NEEDS_REVIEW), (0.6, ItemState.AUTO)])
def test_a_weak_model_of_a_run_that_cannot_be_believed_goes_to_review(
    explained: float, state: ItemState
) -> None:
    evidence = make_evidence(models=[measured(8, explained)], verdict=Verdict.PROTOCOL_ERROR)
    assert run_check("reconstruction", evidence, EIGHT).state is state


def test_a_near_miss_is_not_told_as_reached() -> None:
    feedback = run_check("reconstruction", make_evidence(models=[measured(8, 0.49996)]), EIGHT).feedback
    assert "explains just under 50.0%" in feedback


def test_the_bands_edge_belongs_to_the_band() -> None:
    models = [measured(2, 0.2), measured(8, 0.5), measured(32, 0.7), measured(128, 0.69)]
    assert run_check("trend", make_evidence(models=models), ALL).state is ItemState.NEEDS_REVIEW
    edge = {
        "latent_dim": 8,
        "threshold": 0.3,
        "band": 0.1,
    }  # 0.3 - 0.1 is less than 0.2, 0.8 - 0.1 more than 0.7
    for threshold, explained in ((0.3, 0.2), (0.8, 0.7)):
        params = edge | {"threshold": threshold}
        evidence = make_evidence(models=[measured(8, explained)])
        assert run_check("reconstruction", evidence, params).state is ItemState.NEEDS_REVIEW


def test_a_replayed_model_earns_as_an_agreed_one_does_and_the_feedback_says_how_it_was_measured() -> None:
    model = measured(8, 0.6, method="replayed", class_name="ConvAE", mse_by_class=(0.02, 0.01, 0.04))
    result = run_check("reconstruction", make_evidence(models=[model]), EIGHT)
    assert (result.share, result.state) == (1.0, ItemState.AUTO)
    for words in ("ConvAE", "rebuilt from your code", "class 2 are hardest", "class 1 easiest", "0.0676"):
        assert words in result.feedback
    assert result.evidence["method"] == "replayed"


@pytest.mark.parametrize(
    ("explained", "certain", "state"),
    [
        (0.25, True, ItemState.AUTO),
        (0.25, False, ItemState.NEEDS_REVIEW),
        (0.6, False, ItemState.AUTO),
        (-0.1, True, ItemState.NEEDS_REVIEW),
    ],
)
def test_a_replay_that_may_have_built_another_model_costs_nobody_points_without_a_human(
    explained: float, certain: bool, state: ItemState
) -> None:
    model = measured(8, explained, method="replayed", certain=certain)
    assert run_check("reconstruction", make_evidence(models=[model]), EIGHT).state is state


def test_weights_like_another_submissions_keep_their_points_and_go_to_a_human_without_its_name() -> None:
    evidence = replace(
        make_evidence(models=[measured(8, 0.6)]), lookalikes=(Lookalike("w" * 64, "someone", 0.99995),)
    )
    result = run_check("reconstruction", evidence, EIGHT)
    assert (result.share, result.state) == (1.0, ItemState.NEEDS_REVIEW)
    assert "another submission" in result.feedback
    assert "someone" not in f"{result.feedback}{result.evidence}"


def test_a_wider_code_than_asked_for_is_named() -> None:
    evidence = make_evidence(models=[measured(64, 0.9, class_name="Wide", method="replayed")])
    result = run_check("reconstruction", evidence, EIGHT)
    assert result.share == 0
    assert "Wide in cell 6 has 64 numbers" in result.feedback
