"""How good is good: the numbers of a rubric, or of the calibration on the data set that was used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from grader.domain.calibration import ReferenceFigures

CALIBRATED: Literal["calibrated"] = "calibrated"
_BAND = 0.02  # where neither the rubric nor a calibration says


@dataclass(frozen=True, slots=True)
class ReconstructionParameters:
    """Which model, and what it is held against."""

    latent_dim: int
    threshold: float
    band: float
    reference: ReferenceFigures | None = None  # what the reference reaches on this data set


@dataclass(frozen=True, slots=True)
class ReconstructionSettings:
    """What a rubric says of it. The field's metadata says what it may give."""

    latent_dim: int = field(
        metadata={
            "gt": 0,
            "examples": [8],
            "description": "The width of the model's code; one of `latent_dims`.",
        }
    )
    threshold: float | Literal["calibrated"] = field(
        metadata={
            "gt": 0,
            "le": 1,
            "examples": [0.5],
            "description": "Explained variance that earns all points, or `calibrated`: the one that "
            "`grader calibrate` wrote for the data set in use.",
        }
    )
    band: float | None = field(
        default=None,
        metadata={
            "ge": 0,
            "lt": 1,
            "examples": [0.02],
            "description": "So far below the threshold a human decides: chance may have tipped the scale. "
            f"Default: the calibration's beside `calibrated`, else {_BAND}.",
        },
    )

    def against(self, reference: Mapping[int, ReferenceFigures]) -> ReconstructionParameters | None:
        """The numbers to judge by; None where a calibration is asked for and there is none of this width."""
        figures = reference.get(self.latent_dim)
        if self.threshold != CALIBRATED:
            band = _BAND if self.band is None else self.band
            return ReconstructionParameters(self.latent_dim, self.threshold, band, figures)
        if figures is None:
            return None
        band = figures.band if self.band is None else self.band
        return ReconstructionParameters(self.latent_dim, figures.threshold, band, figures)
