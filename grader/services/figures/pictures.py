"""The pictures of a graded submission: a grid for each latent size, and the curve beside the class."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from grader.domain.evidence import Evidence
from grader.domain.models import ModelReport
from grader.domain.submission import SubmissionState
from grader.errors import NotFound
from grader.services.figures.curve import Range, draw_curve
from grader.services.figures.explained import describe_explained, gather_explained
from grader.services.grades.report import Report
from grader.storage.blobs import Blobs
from grader.storage.classes.figures import ClassRow
from grader.storage.unit_of_work import Database

CURVE = "error_curve.svg"
LEAST_STUDENTS = 5  # with fewer, quartiles tell too much of single students


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture that there is."""

    name: str
    kind: Literal["reconstructions", "error_curve"]
    media_type: Literal["image/png", "image/svg+xml"]
    latent_dim: int | None = None
    sha256: str = ""  # of its blob; "" where it is drawn when asked for


def list_pictures(report: Report) -> list[Picture]:
    """What there is of a submission: nothing before it is graded, no grid of a model that was replayed."""
    if report.evidence is None or report.filed.submission.state is not SubmissionState.GRADED:
        return []
    models = report.evidence.evidence.models
    pictures = grids(models)
    if best_errors(models):
        pictures.append(Picture(CURVE, "error_curve", "image/svg+xml"))
    return pictures


def grids(models: ModelReport) -> list[Picture]:
    """The grid of the best model of each latent size."""
    best = {width: models.best(width) for width in sorted({m.latent_dim for m in models.measurements})}
    return [
        Picture(f"latent_{width}.png", "reconstructions", "image/png", width, model.picture_sha256)
        for width, model in best.items()
        if model is not None and model.picture_sha256
    ]


def read_picture(database: Database, blobs: Blobs, report: Report, name: str) -> tuple[Picture, bytes]:
    """One of `list_pictures` with its bytes. Raises `NotFound`; `EvidenceMissing` where its blob is gone."""
    picture = next((picture for picture in list_pictures(report) if picture.name == name), None)
    if picture is None or report.evidence is None:
        raise NotFound(f"This submission has no picture {name[:80]!r}.")
    if picture.sha256:
        return picture, blobs.get(picture.sha256)
    evidence, submission = report.evidence.evidence, report.filed.submission
    with database.read() as unit:
        rows = unit.class_figures.attempts(submission.course, submission.assignment)
    curve = draw_curve(
        best_errors(evidence.models),
        evidence.models.pca_mse,
        _reference_errors(evidence),
        class_spread(rows, evidence.models),
    )
    return picture, curve.encode()


def best_errors(models: ModelReport) -> dict[int, float]:
    """The mean squared error of the best model of each latent size."""
    best = (models.best(width) for width in {m.latent_dim for m in models.measurements})
    return {m.latent_dim: m.mse for m in best if m is not None and math.isfinite(m.mse)}


def class_spread(rows: Iterable[ClassRow], own: ModelReport) -> dict[int, Range]:
    """Quartiles of the class's errors by latent size, on the images of ``own``.

    Only of the sizes that at least `LEAST_STUDENTS` students have an error for.
    """
    of_class = gather_explained(rows).get(own.dataset.sha256, {})
    spread = {}
    for width, explained in describe_explained(of_class, LEAST_STUDENTS).items():
        high, middle, low = ((1 - share) * own.mean_image_mse for share in explained)
        spread[width] = (low, middle, high)
    return spread


def _reference_errors(evidence: Evidence) -> dict[int, Range]:
    whole = evidence.models.mean_image_mse
    return {
        width: ((1 - f.mean - f.band) * whole, (1 - f.mean) * whole, (1 - f.mean + f.band) * whole)
        for width, f in evidence.reference.items()
    }
