"""Entry of the encoding jail: rebuild models and encode images. Its decoder never sees them.

In: ``encode`` (payload: N×784 bytes, N a multiple of 251), ``program`` (payload: JSON), then a ``model``
per set of weights (payload: safetensors). Out: ``prepared`` and ``ready``, then for each model ``encoded``
(payload: N×width float32) or ``failed``; two models that are a pair come in one ``encoded``, at the end.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

import torch

from grader.evaluation.replay.cut import BATCH
from grader.evaluation.replay.rebuild import OutOfTime, Wanted, Workshop
from grader.evaluation.replay.search import TooWide, Trial, Unplayable, encode, find_cut, find_trial, pair_up
from grader.evaluation.replay.wire import Questions, answer
from grader.sandbox.jail import Frame


def play(questions: Questions) -> Iterator[Frame]:
    """Answer for every model."""
    pixels = torch.frombuffer(bytearray(questions.opening.payload), dtype=torch.uint8)
    images = pixels.reshape(-1, 784).float() / 255
    probe = images[:BATCH]
    widest = max(questions.widths)
    failed: list[tuple[tuple[Workshop, Wanted], str]] = []
    for index in questions.models:
        (workshop,) = questions.workshops([index])
        try:
            trial = find_trial(*workshop, probe)
            yield _encoded([index], trial, images, widest)
        except TooWide as error:
            yield _failed(index, str(error))
        except Unplayable as error:
            failed.append((workshop, str(error)))
        except OutOfTime:
            yield _failed(index, "running it takes too long")
        except (Exception, SystemExit) as error:
            yield _failed(index, f"running it ended in {type(error).__name__}: {error}")
    yield from _pairs(failed, images, widest)


def _pairs(
    failed: list[tuple[tuple[Workshop, Wanted], str]], images: torch.Tensor, widest: int
) -> Iterator[Frame]:
    paired: set[int] = set()
    if len(failed) > 1:
        for places, trial in pair_up([one for one, _ in failed], images[:BATCH]):
            indices = [failed[place][0][1].index for place in places]
            try:
                yield _encoded(indices, trial, images, widest)
                paired |= set(indices)
            except (Exception, OutOfTime, SystemExit) as error:
                for place in places:
                    reason = f"with its other half it ended in {type(error).__name__}: {error}"
                    failed[place] = failed[place][0], reason
    for (_, wanted), reason in failed:
        if wanted.index not in paired:
            yield _failed(wanted.index, reason)


def _encoded(indices: Sequence[int], trial: Trial, images: torch.Tensor, widest: int) -> Frame:
    plan = find_cut(trial, images[:BATCH], widest)
    codes = encode(trial.forward, plan, images)
    header: dict[str, Any] = {
        "kind": "encoded",
        "models": list(indices),
        "plan": asdict(plan),
        "whole_mse": min(1.0, trial.error),
        "certain": trial.certain,
    }
    return Frame(header, codes.contiguous().numpy().tobytes())


def _failed(index: int, reason: str) -> Frame:
    return Frame(
        {"kind": "failed", "models": [index], "reason": reason.encode("ascii", "replace").decode()[:300]}
    )


if __name__ == "__main__":
    answer(play)
