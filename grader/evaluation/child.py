"""Inside the jail: measure weights, one frame in and one frame out for each. Runs no student code.

In: ``reference`` (payload: model.py), ``images`` and ``samples`` (payload: rows of ``pixels`` bytes), then a
``model`` per set of weights (payload: safetensors). Out: ``prepared`` and ``ready``, or ``broken``; then
``measured`` (payload: float32, the error per image; then the samples reconstructed, as they came) or
``unmeasured`` per model, in order.
"""

from __future__ import annotations

import os
import sys
from typing import Any, BinaryIO

import torch
from safetensors.torch import load

from grader.evaluation.architecture import Misfit
from grader.evaluation.child_marks import count_images, mark
from grader.evaluation.child_model import Reference
from grader.sandbox.frames import read_frame, write_frame
from grader.sandbox.jail import PREPARED, Frame

_MOST_BYTES = 1 << 30  # one frame in; the parent sends far less


def main() -> None:
    """Serve the frames on stdin until they end."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # a library that prints must not speak between frames
    serve(sys.stdin.buffer, answers)


def serve(questions: BinaryIO, answers: BinaryIO) -> None:
    """Answer every frame of ``questions``."""
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    try:
        reference = Reference(_next(questions).payload)
        reference.blueprint(2)
    except Exception as error:
        write_frame(answers, Frame({"kind": "broken", "reason": _short(error)}))
        return
    images, samples = _rows(_next(questions)), _rows(_next(questions))
    write_frame(answers, Frame({"kind": PREPARED}))
    write_frame(answers, Frame({"kind": "ready", "images": len(images)}))
    while (question := read_frame(questions, _MOST_BYTES)) is not None:
        write_frame(answers, _answer(reference, question, images, samples))


def _next(questions: BinaryIO) -> Frame:
    frame = read_frame(questions, _MOST_BYTES)
    if frame is None:
        raise EOFError("the questions ended too early")
    return frame


def _rows(shown: Frame) -> torch.Tensor:
    grey = torch.frombuffer(bytearray(shown.payload), dtype=torch.uint8)
    return grey.reshape(-1, shown.header["pixels"]).float() / 255


def _answer(reference: Reference, question: Frame, images: torch.Tensor, samples: torch.Tensor) -> Frame:
    index = question.header["index"]
    layers = [(name, kind) for name, kind in question.header["layers"]]
    marked: dict[str, Any] = {"index": index, "fingerprint": "", "sketch": [], "holds_images": 0}
    try:
        state = load(question.payload)
        known = mark(state)
        marked |= {"fingerprint": known.fingerprint, "sketch": known.sketch}
        outcome = reference.reconstruct(state, layers, images, samples)
        if isinstance(outcome, Misfit):
            marked["holds_images"] = count_images(state, images)
    except (
        Exception
    ) as error:  # whatever these bytes do to the loader is theirs, and the next model's turn comes
        outcome = Misfit(f"its weights could not be read: {_short(error)}", None)
    if isinstance(outcome, Misfit):
        told = {"kind": "unmeasured", "reason": outcome.reason[:500], "latent_dim": outcome.latent_dim}
        return Frame(marked | told)
    measured = {
        "kind": "measured",
        "latent_dim": outcome.latent_dim,
        "mse": outcome.mse,
        "input_convention": outcome.input_convention,
        "output_convention": outcome.output_convention,
        "certain": outcome.certain,
        "finite": outcome.finite,
    }
    return Frame(marked | measured, outcome.errors + outcome.samples)


def _short(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:300]


if __name__ == "__main__":
    main()
