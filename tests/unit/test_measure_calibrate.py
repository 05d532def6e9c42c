"""What several seeds of the reference say together."""

from __future__ import annotations

import json

import pytest

from grader.domain.models import DatasetIdentity, Measurement, ModelReport
from grader.evaluation.calibrate import calibration, reseed, summarise


def make_report(sha256: str = "d", **explained: float) -> ModelReport:
    measurements = [
        Measurement("w", 5, int(width.removeprefix("w")), 0.01, value, "[0, 1]", "[0, 1]")
        for width, value in explained.items()
    ]
    return ModelReport(
        tuple(measurements),
        (),
        0.1,
        {2: 0.08, 8: 0.06},
        DatasetIdentity("small", sha256, 3),
        {"torch": "2"},
        1.0,
    )


def test_the_band_is_two_deviations_and_never_nothing() -> None:
    figures = summarise({8: {1: 0.50, 2: 0.54, 3: 0.58}, 2: {1: 0.2, 2: 0.2}})
    assert list(figures) == ["2", "8"]
    assert figures["8"] == {
        "by_seed": {"1": 0.5, "2": 0.54, "3": 0.58},
        "mean": 0.54,
        "spread": 0.04,
        "min": 0.5,
        "max": 0.58,
        "threshold": 0.4,
        "band": 0.08,
    }
    assert figures["2"]["band"] == 0.01


def test_one_seed_is_enough_and_none_is_not() -> None:
    assert summarise({8: {1: 0.5}})["8"]["spread"] == 0
    with pytest.raises(ValueError, match="width 8"):
        summarise({8: {}})


def test_a_calibration_takes_each_seeds_best_model_and_says_by_which_rule() -> None:
    reports = {1: make_report(w2=0.2, w8=0.5), 2: make_report(w2=0.22, w8=0.6)}
    document = calibration(reports, hash_seed=0)
    assert document["seeds"] == [1, 2]
    assert (document["name"], document["threads"], document["hash_seed"]) == ("small", 1, 0)
    assert document["pca_explained_variance"] == {"2": 0.2, "8": 0.4}
    assert document["explained_variance"]["8"]["by_seed"] == {"1": 0.5, "2": 0.6}
    assert document["explained_variance"]["8"]["mean"] == 0.55
    assert set(document["rule"]) == {"threshold", "band"}


@pytest.mark.parametrize(
    "reports",
    [{}, {1: make_report(w2=0.2)}, {1: make_report(w2=0.2, w8=0.5), 2: make_report("other", w2=0.2, w8=0.5)}],
    ids=["none", "a width is missing", "different images"],
)
def test_a_calibration_from_incomplete_reports_is_refused(reports: dict[int, ModelReport]) -> None:
    with pytest.raises(ValueError, match=r"report|width"):
        calibration(reports, hash_seed=0)


def test_reseeding_changes_seeds_in_code_and_nothing_else() -> None:
    code = ["np.random.seed(42)\n", "torch.manual_seed( 42 )\n", "manual_seed(seed); x = 42  # ×"]
    cells = [{"cell_type": "code", "source": code}, {"cell_type": "markdown", "source": "manual_seed(42)"}]
    notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}
    changed = json.loads(reseed(json.dumps(notebook).encode(), 7))
    cells[0]["source"] = "np.random.seed(7)\ntorch.manual_seed( 7 )\nmanual_seed(seed); x = 42  # ×"
    assert changed == notebook


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"cells": [1]}', b"\xff"])
def test_reseeding_what_is_no_notebook_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"notebook|Expecting|decode"):
        reseed(data, 1)
