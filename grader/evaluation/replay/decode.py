"""Entry of the decoding jail: rebuild models and decode codes, without ever having seen an image.

In: ``decode``, ``program`` (payload: JSON), a ``model`` per set of weights (payload: safetensors), then
``codes`` (payload: N×width float16, N a multiple of 251). Out: ``prepared`` and ``ready``, then for each set
of codes ``decoded`` (payload: one or two times N×784 float16) or ``failed``.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch

from grader.evaluation.replay.rebuild import OutOfTime
from grader.evaluation.replay.search import Plan, decode, forward_of
from grader.evaluation.replay.wire import Questions, answer
from grader.sandbox.jail import Frame


def play(questions: Questions) -> Iterator[Frame]:
    """Answer for every set of codes."""
    for frame in questions.rest:
        models = list(frame.header["models"])
        try:
            yield Frame({"kind": "decoded", "models": models}, _decoded(questions, frame))
        except (Exception, OutOfTime, SystemExit) as error:
            reason = f"decoding its codes ended in {type(error).__name__}: {error}"
            shown = reason.encode("ascii", "replace").decode()[:300]
            yield Frame({"kind": "failed", "models": models, "reason": shown})


def _decoded(questions: Questions, frame: Frame) -> bytes:
    told = frame.header["plan"]
    plan = Plan(
        candidates=tuple(told["candidates"]),
        route=told["route"],
        layout=told["layout"],
        scaling=told["scaling"],
        operation=told["operation"],
        shape=tuple(told["shape"]),
    )
    forward = forward_of(questions.workshops(frame.header["models"]), plan)
    codes = torch.frombuffer(bytearray(frame.payload), dtype=torch.float16).float()
    outputs = decode(forward, plan, codes.reshape(-1, frame.header["width"]))
    # Beyond float16 no reading of it is an image.
    values = torch.stack(outputs).nan_to_num(nan=60_000.0).clamp(-60_000, 60_000).half()
    return values.contiguous().numpy().tobytes()


if __name__ == "__main__":
    answer(play)
