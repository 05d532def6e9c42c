"""The agreed architecture at work: needs torch."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="module")
def reference(repository: Path) -> ModuleType:
    path = repository / "reference" / "homework_05" / "model.py"
    spec = importlib.util.spec_from_file_location("agreed_architecture", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("width", [1, 2, 128])
def test_its_halves_are_the_whole(reference: ModuleType, width: int) -> None:
    import torch

    model = reference.build(width)
    images = torch.rand(3, 784)
    codes = reference.encode(model, images)
    decoded, encoded = model(images)
    assert codes.shape == (3, width)
    assert torch.equal(codes, encoded)
    assert torch.equal(reference.decode(model, codes), decoded)


def test_the_width_is_told_from_weights_that_fit_and_from_no_others(reference: ModuleType) -> None:
    import torch

    state = reference.build(8).state_dict()
    assert reference.latent_dim_of(state) == 8
    assert reference.latent_dim_of({**state, "extra": torch.zeros(1)}) is None
    assert reference.latent_dim_of({**state, "decoder.0.weight": torch.zeros(256, 9)}) is None
    assert reference.latent_dim_of({**state, "encoder.2.bias": torch.zeros(10**9, device="meta")}) is None
    assert reference.latent_dim_of({}) is None
