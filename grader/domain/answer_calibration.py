"""What reviewers' own marks taught about the proposals for one question."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class MarkedProposal:
    """A human's mark beside what was proposed, both as shares of the item's points, 0..1."""

    given: float
    proposed: float
    doubt: float
    features: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """Predictions of about one confidence: how sure they were, and how often a human agreed."""

    least: float  # the lowest confidence in it
    predictions: int
    confidence: float  # their mean
    confirmed: int  # within a quarter of the points of what a human gave


@dataclass(frozen=True, slots=True)
class AnswerCalibration:
    """How proposals for one question are corrected, and how far the corrections can be trusted.

    Everything is in shares of the item's points. Errors are of each mark against the correction that the
    other marks alone would have made.
    """

    id: str  # sha256 of all that it says
    question_sha256: str  # the question whose proposals it was learned from
    marks: int
    weights: tuple[float, ...]  # of the summary of an answer's features, see `checks.answers.calibration`
    inverse: tuple[tuple[float, ...], ...]  # of the normal equations: how unlike the marks an answer is
    errors: tuple[float, ...]  # sizes, each divided by what was expected there; ascending
    rmse: float
    rmse_proposed: float  # without any correction
    undoubted: int  # marks of answers that could have been accepted for want of doubt
    far_off: int  # of these, off by half of the points or more
    bins: tuple[ReliabilityBin, ...]


@dataclass(frozen=True, slots=True)
class Correction:
    """What a calibration makes of one proposal."""

    share: float  # of the item's points, in eighths
    spread: float  # what error is expected, relative to other answers
    confidence: float  # that a human gives within a quarter of the points of it; below 1 - 1 / (marks + 1)
