"""The arithmetic: spreads of what was measured, and ratios of runs made next to each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Spread:
    """The least, the middle and the most of a few values."""

    minimum: float
    median: float
    maximum: float

    def __str__(self) -> str:
        return f"{self.minimum:7.3f} {self.median:7.3f} {self.maximum:7.3f}"


def spread(values: Sequence[float]) -> Spread:
    """At least one value is needed."""
    return Spread(min(values), median(values), max(values))


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> Spread:
    """The spread of the ratios pair by pair: the machine was in the same mood for both of a pair."""
    return spread([one / other for one, other in zip(ours, theirs, strict=True)])
