"""The narrow rows that figures of a class are reckoned from, made of what counts."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from grader.domain.grade import ItemState
from grader.domain.models import ModelReport
from grader.domain.statistics import WAITS
from grader.storage.classes.figures import CountedAttempt, Measured, name_shape, pack_points, pack_shares
from grader.storage.standings import Mark, Standing
from grader.storage.unit_of_work import UnitOfWork


def keep_counted(unit: UnitOfWork, submission_ids: Iterable[str]) -> None:
    """Write the rows of these submissions, which count and are settled."""
    ids = list(submission_ids)
    standings, marks = unit.standings.find_all(ids), unit.standings.marks_of(ids)
    models = unit.class_figures.measured_of(ids)
    unit.class_figures.count(
        [to_counted(standing, marks.get(one, []), models.get(one, [])) for one, standing in standings.items()]
    )


def to_counted(standing: Standing, marks: Sequence[Mark], models: Sequence[Measured]) -> CountedAttempt:
    """One row."""
    in_order = sorted(marks, key=lambda mark: mark.item)
    return CountedAttempt(
        standing.course,
        standing.assignment,
        standing.user_id,
        standing.submission_id,
        final=_hundredths(standing.final),
        expected=sum(_hundredths(expect(mark)) for mark in marks),
        maximum=_hundredths(standing.maximum),
        waiting=standing.waiting,
        shape=name_shape({mark.item: mark.max_points for mark in marks}),
        points=pack_points(WAITS if waits(mark) else _hundredths(mark.points) for mark in in_order),
        choices=" ".join(f"{mark.item}={mark.choice}" for mark in in_order if mark.choice),
        images=models[0].dataset_sha256 if models else "",
        sizes=" ".join(str(model.latent_dim) for model in models),
        explained=pack_shares(model.explained_variance for model in models),
    )


def list_measured(report: ModelReport) -> list[Measured]:
    """The best model of each latent size, where its numbers are finite."""
    best = (report.best(width) for width in sorted({m.latent_dim for m in report.measurements}))
    return [
        Measured(model.latent_dim, report.dataset.sha256, model.explained_variance)
        for model in best
        if model is not None and math.isfinite(model.explained_variance)
    ]


def waits(mark: Mark) -> bool:
    """Whether a human has to decide."""
    return mark.state == ItemState.NEEDS_REVIEW.value


def expect(mark: Mark) -> float:
    """Its points, or what is proposed while it waits."""
    return max(mark.points, mark.proposed or 0.0) if waits(mark) else mark.points


def _hundredths(points: float) -> int:
    return round(100 * points)
