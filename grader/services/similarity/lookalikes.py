"""Whose weights are these? Marks of a submission's models, compared with those of other users."""

from __future__ import annotations

from collections.abc import Sequence

from grader.domain.evidence import Lookalike
from grader.domain.models import ModelReport, WeightsMark
from grader.domain.submission import Submission
from grader.storage.unit_of_work import UnitOfWork
from grader.storage.weights import StoredMark

_ALIKE = 0.9995  # cosine of two sketches; trainings that differ in anything stay below
_LEAST_BYTES_PER_PARAMETER = 0.5  # what weights take in a notebook, however they are packed


def find_lookalikes(
    unit: UnitOfWork, own: Submission, report: ModelReport, code_bytes: int
) -> tuple[Lookalike, ...]:
    """For each measured model the likest of another user's, where there is one.

    The same code under the same seed gives the same weights, and a homework hands out code and seed. So
    weights count as someone's only where ``code_bytes``, the size of the notebook's code, could hold them:
    a notebook has no other way to get at weights than to carry them or to train them.
    """
    measured = {measurement.weights_sha256 for measurement in report.measurements}
    found = []
    for mark in report.marks:
        carries = code_bytes >= _LEAST_BYTES_PER_PARAMETER * mark.parameters
        if mark.weights_sha256 in measured and carries:
            best = _likest(mark, unit.weights.of_others(own, mark))
            if best is not None:
                found.append(best)
    return tuple(found)


def _likest(mark: WeightsMark, others: Sequence[StoredMark]) -> Lookalike | None:
    best: Lookalike | None = None
    for other in others:
        alike = 1.0 if other.fingerprint == mark.fingerprint else _cosine(mark.sketch, other.sketch)
        if alike >= _ALIKE and (best is None or alike > best.similarity):
            best = Lookalike(mark.weights_sha256, other.submission_id, round(min(alike, 1.0), 6))
    return best


def _cosine(one: Sequence[float], other: Sequence[float]) -> float:
    """Of two sketches of length 1; 0 where one is missing."""
    if len(one) != len(other):
        return 0.0
    return sum(a * b for a, b in zip(one, other, strict=True))
