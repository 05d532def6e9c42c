"""Which models were found, by the width of their code."""

from __future__ import annotations

import math
from collections.abc import Collection

from grader.domain.evidence import Evidence
from grader.domain.grade import ItemState
from grader.domain.models import Measurement, ModelReport, UnmeasuredModel

from .runs import SUSPICIOUS


def best_measured(report: ModelReport, latent_dim: int) -> Measurement | None:
    """The best model of this width; one whose training diverged only where there is no other."""
    fitting = [m for m in report.measurements if m.latent_dim == latent_dim]
    finite = [m for m in fitting if is_finite(m)]
    return max(finite, key=lambda m: m.explained_variance, default=fitting[0] if fitting else None)


def is_finite(measurement: Measurement) -> bool:
    """Whether the weights still lead to numbers."""
    return measurement.finite and math.isfinite(measurement.explained_variance)


def possibly_of(report: ModelReport, latent_dims: Collection[int]) -> tuple[UnmeasuredModel, ...]:
    """Models that could not be measured and may have one of these widths."""
    return tuple(m for m in report.unmeasured if m.latent_dim is None or m.latent_dim in latent_dims)


def state_when_absent(evidence: Evidence, unmeasured: Collection[UnmeasuredModel]) -> ItemState:
    """A missing model is certain only if nothing else might be it and the run told all it had."""
    doubtful = unmeasured or evidence.run.verdict in SUSPICIOUS
    return ItemState.NEEDS_REVIEW if doubtful else ItemState.AUTO


def of_other_widths(report: ModelReport) -> str:
    """Class, cell and width of at most three measured models of a width that nobody asked for."""
    others = [m for m in report.measurements if m.latent_dim not in report.pca_mse][:3]
    return "; ".join(f"{m.class_name[:60] or 'one'} in cell {m.cell + 1} has {m.latent_dim}" for m in others)


def likeness(evidence: Evidence, measurement: Measurement) -> float | None:
    """How alike its weights are to those of someone else; None where they are like nobody's."""
    alike = [
        one.similarity for one in evidence.lookalikes if one.weights_sha256 == measurement.weights_sha256
    ]
    return max(alike, default=None)


def describe(models: Collection[UnmeasuredModel]) -> str:
    """Class, cell and reason of at most three of them, for a sentence."""
    told = [f"{m.class_name[:60]} in cell {m.cell + 1} ({m.reason[:200]})" for m in list(models)[:3]]
    more = len(models) - len(told)
    return "; ".join(told) + (f"; and {more} more" if more else "")


def as_evidence(models: Collection[UnmeasuredModel]) -> list[dict[str, object]]:
    """The same for the record."""
    return [
        {"class": m.class_name, "cell": m.cell, "reason": m.reason, "latent_dim": m.latent_dim}
        for m in list(models)[:20]
    ]
