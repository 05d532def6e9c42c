"""Every trained model is found, however a student keeps it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from grader.notebooks.execution.weights import Weights, inspect_weights
from tests.unit.harvest_cases import CASES


@pytest.fixture(scope="module")
def outcome(repository: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.unit.harvest_driver"]
    done = subprocess.run(command, cwd=repository, capture_output=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


def models(outcome: dict[str, Any], case: str) -> list[Weights]:
    return read(outcome["found"][case]["files"])


def read(files: list[str]) -> list[Weights]:
    return [inspect_weights(bytes.fromhex(file)) for file in files]


def narrowest(weights: Weights) -> int:
    return min(min(shape) for shape in weights.shapes if len(shape) == 2)


@pytest.mark.parametrize("case", CASES)
def test_the_models_of_a_case_are_found(outcome: dict[str, Any], case: str) -> None:
    assert sorted(map(narrowest, models(outcome, case))) == CASES[case][1]


@pytest.mark.parametrize("case", [case for case in CASES if case != "an error after the training"])
def test_the_hook_raises_nothing_into_a_cell(outcome: dict[str, Any], case: str) -> None:
    assert outcome["found"][case]["error"] == ""


def test_the_hook_itself_has_nothing_to_report(outcome: dict[str, Any]) -> None:
    assert outcome["reports"] == []


def test_a_model_is_described_by_its_class_its_layers_and_what_it_was_fed(outcome: dict[str, Any]) -> None:
    (weights,) = models(outcome, "one model")
    model = weights.as_model("0" * 64, 4)
    assert (model.class_name, model.cell) == ("AE", 4)
    assert [layer.name for layer in model.layers] == [
        *("encoder.0", "encoder.1", "encoder.2"),
        *("decoder.0", "decoder.1", "decoder.2", "decoder.3"),
    ]
    assert [layer.type for layer in model.layers[:2]] == ["Linear", "ReLU"]
    assert model.parameters == 784 * 16 + 16 + 16 * 2 + 2 + 2 * 16 + 16 + 16 * 784 + 784
    assert model.inputs is not None
    assert model.inputs.shape == (32, 784)
    assert 0 <= model.inputs.minimum < 0.1
    assert 0.9 < model.inputs.maximum <= 1
    assert weights.about.trained


def test_the_halves_of_a_model_are_told_what_the_encoder_was_fed(outcome: dict[str, Any]) -> None:
    (weights,) = models(outcome, "the halves called, never the whole")
    assert weights.about.inputs is not None
    assert weights.about.inputs.shape == [32, 784]


def test_the_prefixes_of_wrappers_are_gone(outcome: dict[str, Any]) -> None:
    (weights,) = models(outcome, "DataParallel")
    assert weights.about.class_name == "AE"
    assert {layer.split(".")[0] for layer, _ in weights.about.layers} == {"encoder", "decoder"}


def test_an_untrained_model_is_marked_as_such(outcome: dict[str, Any]) -> None:
    found = models(outcome, "overwritten by an untrained one")
    assert {narrowest(weights): weights.about.trained for weights in found} == {2: True, 3: False}


def test_models_trained_before_the_one_in_hand_are_saved_while_the_cell_still_runs(
    outcome: dict[str, Any],
) -> None:
    assert sorted(map(narrowest, read(outcome["before the cell has ended"]))) == [2, 3]


def test_a_model_is_written_again_only_when_it_has_changed(outcome: dict[str, Any]) -> None:
    assert [len(found) for found in outcome["cell after cell"]] == [1, 0, 1]


def test_of_too_many_models_each_architecture_keeps_one_and_the_trained_stay(outcome: dict[str, Any]) -> None:
    found = read(outcome["too many"])
    assert sorted(map(narrowest, found)) == [2, 2, 3]
    assert all(weights.about.trained for weights in found)


def test_a_model_over_the_limit_is_left_out_and_named(outcome: dict[str, Any]) -> None:
    assert outcome["too large"]["files"] == []
    assert "AE: MemoryError" in outcome["too large"]["reports"][0]


def test_a_folder_that_a_student_deleted_loses_evidence_and_raises_nothing(outcome: dict[str, Any]) -> None:
    assert any("FileNotFoundError" in report for report in outcome["the folder is gone"])


@pytest.mark.parametrize(
    "claim",
    [
        "no hook stands on it",
        "nothing of ours is in its pickle",
        "its copy has the same keys",
        "its text is unchanged",
    ],
)
def test_a_model_is_what_it_would_be_without_the_harvest(outcome: dict[str, Any], claim: str) -> None:
    assert outcome["as it was"][claim]
