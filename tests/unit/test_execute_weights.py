"""A weights file is looked at without loading a number of it."""

from __future__ import annotations

import struct
from typing import Any

import pytest

from grader.domain.run import InputStatistics, Layer
from grader.notebooks.execution.weights import KeptModels, WeightsInvalid, inspect_weights
from tests.unit.weights_files import ABOUT, model_file, pack, tensor


def test_a_whole_file_is_described() -> None:
    model = inspect_weights(model_file()).as_model("ab" * 32, 7)
    assert (model.sha256, model.cell, model.class_name, model.parameters) == ("ab" * 32, 7, "AE", 6)
    assert model.layers == (Layer("encoder.0", "Linear"),)
    assert model.inputs == InputStatistics((64, 784), 0.0, 1.0, 0.13)


def test_a_model_that_was_never_fed_has_no_inputs() -> None:
    assert inspect_weights(model_file(inputs=None)).as_model("", 0).inputs is None


@pytest.mark.parametrize(
    ("table", "size"),
    [
        ({}, 0),
        ({"w": tensor([2], 0, 4)}, 4),
        ({"w": tensor([2], 0, 8)}, 4),
        ({"w": tensor([2], 0, 8)}, 12),
        ({"w": tensor([2], 4, 12)}, 12),
        ({"a": tensor([2], 0, 8), "b": tensor([2], 4, 12)}, 12),
        ({"a": tensor([2], 0, 8), "b": tensor([2], 12, 20)}, 20),
        ({"w": tensor([-2], 0, 8)}, 8),
        ({"w": tensor([1 << 62, 1 << 62], 0, 8)}, 8),
        ({"w": tensor([2], 0, 8, "C64")}, 8),
        ({"w": tensor([2], 0, 8) | {"code": "x"}}, 8),
        ({"w": 3}, 8),
        ({f"w{i}": tensor([0], 0, 0) for i in range(1001)}, 0),
        ([1, 2], 8),
    ],
    ids=[
        *("no tensor", "too few bytes for the shape", "cut short", "bytes that no tensor claims"),
        *("a gap before", "an overlap", "a gap between", "a negative side", "an endless shape"),
        *("a forbidden type", "an unknown field", "no tensor at all", "too many tensors", "no table"),
    ],
)
def test_a_table_that_does_not_fit_its_numbers_is_refused(table: Any, size: int) -> None:
    with pytest.raises(WeightsInvalid):
        inspect_weights(pack(table, b"\0" * size))


@pytest.mark.parametrize(
    "blob",
    [b"", b"\0" * 7, struct.pack("<Q", 1 << 63) + b"{}", struct.pack("<Q", 2) + b"[]", b"\x80\x04pickle" * 9],
    ids=["empty", "no length", "an endless table", "a list", "a pickle"],
)
def test_bytes_that_are_no_weights_are_refused(blob: bytes) -> None:
    with pytest.raises(WeightsInvalid):
        inspect_weights(blob)


@pytest.mark.parametrize(
    "change",
    [
        {"class_name": "A" * 101},
        {"class_name": 3},
        {"parameters": -1},
        {"parameters": "6"},
        {"inputs": {**ABOUT["inputs"], "mean": float("nan")}},
        {"layers": [["a", "Linear", "more"]]},
        {"more": 1},
    ],
)
def test_a_description_out_of_bounds_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(WeightsInvalid):
        inspect_weights(model_file(**change))


def keep(limit: int, *files: bytes) -> KeptModels:
    kept = KeptModels(limit)
    for number, file in enumerate(files):
        weights = inspect_weights(file)
        if not kept.has(weights):
            kept.add(weights.as_model("", number), weights)
    return kept


def test_the_same_weights_are_kept_once() -> None:
    kept = keep(9, model_file(2), model_file(2, trained=False, inputs=None), model_file(3))
    assert [model.cell for model in kept.models] == [0, 2]


def test_a_rare_width_is_never_lost_for_a_common_one() -> None:
    files = [model_file(8), *(model_file(2, bytes([i])) for i in range(5))]
    kept = keep(3, *files)
    assert [model.cell for model in kept.models] == [0, 4, 5]
    assert kept.dropped == 3


def test_of_one_architecture_the_untrained_go_first() -> None:
    kept = keep(2, model_file(2, b"\1"), model_file(2, b"\2", trained=False), model_file(2, b"\3"))
    assert [model.cell for model in kept.models] == [0, 2]
