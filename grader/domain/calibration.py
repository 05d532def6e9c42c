"""What the reference solution reaches on a data set: the yardstick that a submission is held against."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ReferenceFigures:
    """Explained variance of the reference's models of one width, trained with several seeds."""

    seeds: int  # how many
    mean: float
    spread: float  # standard deviation over the seeds
    threshold: float  # earns all points where a rubric asks for the calibrated one
    band: float  # so far below it chance may have decided: a human does
