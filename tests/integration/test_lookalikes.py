"""Weights that another user handed in are known again, under other names and with a little noise."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from grader.domain.models import ModelReport, WeightsMark
from grader.domain.submission import Submission
from grader.evaluation.child_marks import mark
from grader.services.similarity.lookalikes import find_lookalikes
from tests.integration.parts import Parts, make_models, make_parts

State = dict[str, torch.Tensor]
ENOUGH = 10_000_000


@pytest.fixture
def parts(tmp_path: Path) -> Parts:
    return make_parts(tmp_path)


def weights(seed: int) -> State:
    torch.manual_seed(seed)
    return {"encoder.0.weight": torch.randn(256, 784) / 28, "encoder.0.bias": torch.randn(256) / 28}


def report(state: State) -> ModelReport:
    known = mark(state)
    size = sum(tensor.numel() for tensor in state.values())
    return replace(make_models(), marks=(WeightsMark("b" * 64, known.fingerprint, known.sketch, size),))


def hand_in(parts: Parts, user: str, state: State) -> tuple[Submission, ModelReport]:
    ticket = parts.submit(f"# {user}", user=user)
    with parts.database.write() as unit:
        unit.weights.add(ticket["id"], report(state).marks)
        unit.commit()
        filed = unit.submissions.find(ticket["id"])
    assert filed is not None
    return filed.submission, report(state)


def alike(parts: Parts, user: str, state: State, code_bytes: int = ENOUGH) -> list[float]:
    with parts.database.read() as unit:
        own, measured = hand_in(parts, user, state)
        return [one.similarity for one in find_lookalikes(unit, own, measured, code_bytes)]


def test_the_same_numbers_under_other_names_are_the_same_weights(parts: Parts) -> None:
    hand_in(parts, "first", weights(1))
    renamed = {key.replace("encoder", "enc"): tensor for key, tensor in weights(1).items()}
    assert alike(parts, "second", renamed) == [1.0]


def test_a_little_noise_and_another_scale_do_not_hide_them(parts: Parts) -> None:
    hand_in(parts, "first", weights(1))
    noisy = {key: tensor * 1.5 + torch.randn_like(tensor) * 1e-4 for key, tensor in weights(1).items()}
    (similarity,) = alike(parts, "second", noisy)
    assert 0.9995 <= similarity <= 1


def test_others_weights_and_ones_own_are_nobodys(parts: Parts) -> None:
    hand_in(parts, "first", weights(1))
    assert alike(parts, "second", weights(2)) == []
    assert alike(parts, "first", weights(1)) == []


def test_a_training_that_went_on_a_little_further_is_another_one(parts: Parts) -> None:
    hand_in(parts, "first", weights(1))
    trained = {key: tensor + torch.randn_like(tensor) * 0.05 / 28 for key, tensor in weights(1).items()}
    assert alike(parts, "second", trained) == []


def test_a_notebook_too_small_to_carry_the_weights_has_trained_them(parts: Parts) -> None:
    hand_in(parts, "first", weights(1))
    assert alike(parts, "second", weights(1), code_bytes=20_000) == []
    assert alike(parts, "third", weights(1), code_bytes=150_000) == [1.0]
