"""Corrections of proposals, learned from reviewers' own marks of one question.

A ridge regression of what humans gave *beyond* the proposal, so that few marks change little, on a summary
of four numbers that is the same for all questions. How sure it is comes from its own errors on marks that
it did not know (exact, without fitting again), each held against the error that was expected there: with n
marks, no confidence is above n / (n + 1).
"""

from __future__ import annotations

import hashlib
import math
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence

from grader.domain.answer_calibration import AnswerCalibration, Correction, MarkedProposal, ReliabilityBin

FEWEST_MARKS = 5
CLOSE = 0.25  # of the points: so near to what a human gives a correction is right
FAR_OFF = 0.5
MOST_DOUBT = 0.2  # up to here an answer counts as undoubted
_STEPS = 8  # corrections are in eighths of the points, as people mark
_PENALTIES = (3.0, 1.0, 1.0, 1.0)  # marks that speak for no correction at all
_EXPECTED = 0.25  # error of an answer without doubt, relative to one with the greatest (1.25)
_DIGITS = 9  # kept of every number, so that machines agree on them
_BINS = (0.0, 0.5, 0.7, 0.8, 0.9, 0.95)
_ROUNDING = 1e-9

Vector = tuple[float, ...]
Matrix = tuple[Vector, ...]


def fit(question_sha256: str, marks: Sequence[MarkedProposal]) -> AnswerCalibration | None:
    """Learn from a question's marks, in any order; None below five.

    Equal answers with the same mark are one mark: who gives twenty copies the same points has said one thing.
    """
    told = {(mark.proposed, mark.given, mark.doubt, tuple(sorted(mark.features.items()))) for mark in marks}
    if len(told) < FEWEST_MARKS:
        return None
    rows = sorted(
        (_summarise(proposed, dict(features)), given, doubt) for proposed, given, doubt, features in told
    )
    vectors = [vector for vector, _, _ in rows]
    inverse = _invert(_normal_equations(vectors))
    beyond = [given - vector[1] for vector, given, _ in rows]
    pulls = [math.fsum(v[at] * b for v, b in zip(vectors, beyond, strict=True)) for at in range(len(inverse))]
    weights = _round(_dot(line, pulls) for line in inverse)
    errors, scores, spreads = [], [], []
    for vector, given, doubt in rows:
        leverage = min(_form(vector, inverse), 1 - _ROUNDING)
        # What the other marks alone would have said of this one.
        left_out = given - (given - vector[1] - _dot(vector, weights)) / (1 - leverage)
        errors.append(abs(_step(left_out) - given))
        spreads.append(_spread(doubt, leverage / (1 - leverage)))
        scores.append(round(errors[-1] / spreads[-1], _DIGITS))
    ascending = tuple(sorted(scores))
    undoubted = [error for error, (_, _, doubt) in zip(errors, rows, strict=True) if doubt <= MOST_DOUBT]
    said = (question_sha256, len(rows), weights, inverse, ascending)
    return AnswerCalibration(
        id=hashlib.sha256(repr(said).encode()).hexdigest(),
        question_sha256=question_sha256,
        marks=len(rows),
        weights=weights,
        inverse=inverse,
        errors=ascending,
        rmse=_root_mean_square(errors),
        rmse_proposed=_root_mean_square([given - vector[1] for vector, given, _ in rows]),
        undoubted=len(undoubted),
        far_off=sum(error >= FAR_OFF - _ROUNDING for error in undoubted),
        bins=count_bins(
            # Without its own error, as every new answer is.
            (_confidence(ascending, spread, without=score), error <= CLOSE + _ROUNDING)
            for error, spread, score in zip(errors, spreads, scores, strict=True)
        ),
    )


def correct(
    calibration: AnswerCalibration, proposed: float, doubt: float, features: Mapping[str, float]
) -> Correction:
    """Correct one proposal, given as a share of the points. Equal input gives equal output."""
    vector = _summarise(proposed, features)
    spread = _spread(doubt, _form(vector, calibration.inverse))
    return Correction(
        share=_step(proposed + _dot(vector, calibration.weights)),
        spread=round(spread, 6),
        confidence=_confidence(calibration.errors, spread),
    )


def count_bins(predictions: Iterable[tuple[float, bool]]) -> tuple[ReliabilityBin, ...]:
    """Sort predictions (confidence, whether a human agreed) by confidence; empty bins are left out."""
    sorted_in: dict[float, list[tuple[float, bool]]] = {least: [] for least in _BINS}
    for confidence, is_confirmed in predictions:
        sorted_in[_BINS[bisect_right(_BINS, confidence) - 1]].append((confidence, is_confirmed))
    return tuple(
        ReliabilityBin(
            least,
            len(found),
            round(math.fsum(confidence for confidence, _ in found) / len(found), 4),
            sum(is_confirmed for _, is_confirmed in found),
        )
        for least, found in sorted_in.items()
        if found
    )


def _confidence(errors: Sequence[float], spread: float, without: float | None = None) -> float:
    """The share of errors that, as large an answer's as this one's, would be small; one more may be large."""
    bound = CLOSE / spread + _ROUNDING
    small, count = bisect_right(errors, bound), len(errors)
    if without is not None:
        small, count = small - (without <= bound), count - 1
    return round(small / (count + 1), 6)


def _spread(doubt: float, leverage: float) -> float:
    return (_EXPECTED + doubt) * math.sqrt(1 + leverage)


def _summarise(proposed: float, features: Mapping[str, float]) -> Vector:
    """One, the proposal, and how near the answer comes to statements and to misconceptions on average."""
    return (1.0, proposed, _mean(features, ".stated"), _mean(features, ".misconception"))


def _mean(features: Mapping[str, float], kind: str) -> float:
    found = [value for name, value in features.items() if name.endswith(kind)]
    return math.fsum(found) / len(found) if found else 0.0


def _step(share: float) -> float:
    return round(min(1.0, max(0.0, share)) * _STEPS) / _STEPS


def _normal_equations(vectors: Sequence[Vector]) -> Matrix:
    size = range(len(_PENALTIES))
    return tuple(
        tuple(
            math.fsum(vector[row] * vector[column] for vector in vectors)
            + (_PENALTIES[row] if row == column else 0.0)
            for column in size
        )
        for row in size
    )


def _invert(matrix: Matrix) -> Matrix:
    """Gauss and Jordan; a matrix of normal equations with penalties needs no pivots."""
    size = len(matrix)
    lines = [[*line, *(float(row == column) for column in range(size))] for row, line in enumerate(matrix)]
    for pivot in range(size):
        lines[pivot] = [value / lines[pivot][pivot] for value in lines[pivot]]
        for row in range(size):
            if row != pivot:
                share = lines[row][pivot]
                lines[row] = [a - share * b for a, b in zip(lines[row], lines[pivot], strict=True)]
    return tuple(_round(line[size:]) for line in lines)


def _form(vector: Vector, matrix: Matrix) -> float:
    return _dot(vector, [_dot(line, vector) for line in matrix])


def _dot(first: Iterable[float], second: Iterable[float]) -> float:
    return math.fsum(a * b for a, b in zip(first, second, strict=True))


def _root_mean_square(errors: Sequence[float]) -> float:
    return round(math.sqrt(math.fsum(error * error for error in errors) / len(errors)), 6)


def _round(values: Iterable[float]) -> Vector:
    return tuple(round(value, _DIGITS) for value in values)
