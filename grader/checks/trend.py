"""Does the error fall as the code widens?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from grader.domain.evidence import Evidence
from grader.domain.grade import CheckResult, ItemState
from grader.domain.rubric import Item, Part

from .runs import describe_ending
from .widths import as_evidence, best_measured, describe, is_finite, possibly_of, state_when_absent

_ROUNDING = 1e-9  # 0.70 - 0.69 is a little more than 0.01


@dataclass(frozen=True, slots=True)
class TrendParameters:
    """Which widths are compared, and how much of a difference chance can make."""

    latent_dims: Sequence[int] = field(
        metadata={
            "min_length": 2,
            "examples": [[2, 8, 32, 128]],
            "description": "The widths to compare, rising; each one of the rubric's `latent_dims`.",
        }
    )
    band: float = field(
        default=0.01,
        metadata={
            "ge": 0,
            "lt": 1,
            "examples": [0.01],
            "description": "A loss of explained variance up to this may be chance: a human decides.",
        },
    )


def trend(evidence: Evidence, item: Item, part: Part) -> CheckResult:  # noqa: ARG001
    """The share of steps from one width to the next at which the explained variance rises."""
    params = TrendParameters(**item.params)
    explained = {
        width: best.explained_variance
        for width in params.latent_dims
        if (best := best_measured(evidence.models, width)) is not None and is_finite(best)
    }
    steps = list(pairwise(params.latent_dims))
    shown = sum(_rises(explained, *step) for step in steps)
    by_chance = [step for step in steps if _falls_a_little(explained, *step, params.band)]
    missing = [width for width in params.latent_dims if width not in explained]
    unmeasured = possibly_of(evidence.models, missing)
    state = state_when_absent(evidence, unmeasured) if missing else ItemState.AUTO
    if by_chance:
        state = ItemState.NEEDS_REVIEW
    sentences = [_measured(explained), f"{shown} of {len(steps)} steps to a wider code show a smaller error."]
    if missing:
        sentences.append(
            f"Without a measured model: latent_dim = {_list(missing)}. {describe_ending(evidence.run)}"
        )
    if unmeasured and missing:
        sentences.append(f"What was found and could not be measured: {describe(unmeasured)}.")
    if by_chance:
        sentences.append("A step is so small that chance may have decided.")
    sentences.append(_close(state, shown == len(steps)))
    return CheckResult(
        share=shown / len(steps),
        feedback=" ".join(" ".join(sentences).split()),
        state=state,
        confidence=1.0 if state is ItemState.AUTO else 0.0,
        evidence={
            "explained_variance": {str(width): round(value, 6) for width, value in explained.items()},
            "unmeasured": as_evidence(unmeasured) if missing else [],
        },
    )


def _rises(explained: dict[int, float], narrow: int, wide: int) -> bool:
    # A model that has learnt nothing shows no trend, whichever way its random error falls.
    return 0 < explained.get(narrow, 0.0) < explained.get(wide, 0.0)


def _falls_a_little(explained: dict[int, float], narrow: int, wide: int, band: float) -> bool:
    before, after = explained.get(narrow, 0.0), explained.get(wide, 0.0)
    return min(before, after) > 0 and 0 <= before - after <= band + _ROUNDING


def _measured(explained: dict[int, float]) -> str:
    if not explained:
        return "No model could be measured, so no trend can be seen."
    told = ", ".join(f"{value:.1%} with {width}" for width, value in explained.items())
    return f"Explained variance on images the models never saw: {told}."


def _close(state: ItemState, complete: bool) -> str:
    if state is ItemState.NEEDS_REVIEW:
        return "A teacher will look at it."
    if complete:
        return ""
    return "Train one model per width, all for equally long: a wider code should leave a smaller error."


def _list(widths: list[int]) -> str:
    return ", ".join(str(width) for width in widths)
