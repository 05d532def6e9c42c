"""The trusted side of a replay: what it believes of jails in which student code runs, and whom it blames."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from grader.domain.run import HarvestedModel
from grader.errors import OurFailure
from grader.evaluation.idx import pack_images
from grader.evaluation.prepared import Dataset
from grader.evaluation.replay.images import mix
from grader.evaluation.replay.program import take_program
from grader.evaluation.replay.replay import NotReplayed, Replayed, replay
from grader.sandbox.fake import FakeSandbox
from grader.sandbox.jail import ExitReason, Frame, JailExit

READY = Frame({"kind": "ready"})
PLAN = {
    "candidates": [0],
    "route": 0,
    "layout": 0,
    "scaling": "[0, 1]",
    "operation": 3,
    "shape": [8],
}
MODEL = HarvestedModel("one", 5, "Net", (), 10)


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    images = np.random.RandomState(0).randint(0, 256, size=(120, 28, 28)).astype(np.uint8)
    (tmp_path / "held_out-images-idx3-ubyte").write_bytes(pack_images(images))
    return Dataset("small", tmp_path, str(tmp_path), 120, tuple(0.1 for _ in range(785)))


def run(sandbox: FakeSandbox, dataset: Dataset) -> tuple[list[Replayed], list[NotReplayed]]:
    return replay(
        [MODEL],
        lambda _: b"weights",
        take_program([(5, "K = 8")]),
        widths=(2, 8),
        dataset=dataset,
        sandbox=sandbox,
        on_start=lambda _: None,
    )


def encoded(codes: np.ndarray, **changes: Any) -> Frame:
    header = {"kind": "encoded", "models": [0], "plan": PLAN, "whole_mse": 0.05, "certain": True, **changes}
    return Frame(header, codes.astype(np.float32).tobytes())


def codes(rows: int, width: int = 8) -> np.ndarray:
    return np.random.RandomState(1).normal(size=(rows, width))


def decoded(outputs: np.ndarray) -> Frame:
    return Frame({"kind": "decoded", "models": [0]}, outputs.astype(np.float16).tobytes())


def test_the_decoder_gets_rounded_shuffled_codes_and_no_image(dataset: Dataset) -> None:
    mixed = mix(dataset.held_out, dataset.sha256)
    given = codes(len(mixed.pixels))
    shuffled = (mixed.pixels / 255)[mixed.shuffle(0)]
    sandbox = FakeSandbox([READY, encoded(given)], [READY, decoded(shuffled)])
    (found,), failed = run(sandbox, dataset)
    assert failed == []
    assert found.errors.mse < 1e-6
    assert (found.width, found.errors.convention) == (8, "[0, 1]")
    encoding, decoding = sandbox.requests
    assert encoding.opening[0].payload == mixed.pixels.tobytes()
    assert decoding.opening[0].payload == b""
    (question,) = [frame for frame in decoding.frames if frame.header["kind"] == "codes"]
    told = np.frombuffer(question.payload, np.float16).reshape(-1, 8)
    back = np.empty_like(told)
    back[mixed.shuffle(0)] = told
    assert np.array_equal(back[mixed.held_out], given.astype(np.float32).astype(np.float16)[mixed.held_out])
    assert not np.array_equal(told, back)
    off = np.abs(back[mixed.moved].astype(float) - given[mixed.moved])
    assert 0 < off.mean() < 0.05


def test_held_out_images_are_spread_among_as_many_moved_copies_in_whole_batches(dataset: Dataset) -> None:
    mixed = mix(dataset.held_out, dataset.sha256)
    assert len(mixed.pixels) % 251 == 0
    assert not set(mixed.held_out) & set(mixed.moved)
    assert len(set(mixed.held_out)) == len(set(mixed.moved)) == 120
    assert list(mixed.held_out) != sorted(mixed.held_out)


ROWS = 251


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (encoded(codes(ROWS - 1)), "one row of numbers"),
        (encoded(codes(ROWS, 9), plan={**PLAN, "shape": [9]}), "one row of numbers"),
        (encoded(codes(ROWS, 16)), "one row of numbers"),
        (encoded(np.full((ROWS, 8), np.nan)), "one row of numbers"),
        (encoded(np.full((ROWS, 8), 1e6)), "one row of numbers"),
        (encoded(codes(ROWS), plan={**PLAN, "candidates": [1 << 40]}), "out of turn"),
        (encoded(codes(ROWS), plan={**PLAN, "note": "x" * 4000}), "out of turn"),
        (encoded(codes(ROWS), whole_mse=-1.0), "out of turn"),
        (encoded(codes(ROWS), models=[7]), "ended the process"),
        (Frame({"kind": "measured", "mse": 0.0}), "out of turn"),
        (Frame({"kind": "failed", "models": [0], "reason": "no such class"}), "no such class"),
    ],
)
def test_codes_that_are_not_what_was_asked_for_are_refused_and_nothing_is_decoded(
    dataset: Dataset, answer: Frame, words: str
) -> None:
    sandbox = FakeSandbox([READY, answer], [READY], [READY])
    replayed, (failed,) = run(sandbox, dataset)
    assert replayed == []
    assert words in failed.reason
    assert {request.entry.rpartition(".")[2] for request in sandbox.requests} == {"encode"}


@pytest.mark.parametrize("payload", [b"", b"x", bytes(2 * ROWS * 784 - 2), bytes(6 * ROWS * 784)])
def test_images_of_another_number_are_refused(dataset: Dataset, payload: bytes) -> None:
    answer = Frame({"kind": "decoded", "models": [0]}, payload)
    replayed, (failed,) = run(FakeSandbox([READY, encoded(codes(ROWS))], [READY, answer]), dataset)
    assert replayed == []
    assert "no images" in failed.reason


@pytest.mark.parametrize(
    ("script", "ends"),
    [
        ([], JailExit(ExitReason.DIED, "no module named torch", 1.0)),
        ([READY], JailExit(ExitReason.KILLED, "killed", 1.0)),
    ],
)
def test_a_jail_that_never_began_or_that_we_killed_is_our_failure(
    dataset: Dataset, script: Sequence[Frame], ends: JailExit
) -> None:
    with pytest.raises(OurFailure):
        run(FakeSandbox(script, ends=ends), dataset)
