"""Evidence with defaults, so that a test says only what it is about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from grader.checks.registry import CHECKS
from grader.domain.answers import Alignment, Answer, AnswerState, Candidate
from grader.domain.evidence import Evidence
from grader.domain.grade import CheckResult
from grader.domain.models import DatasetIdentity, Measurement, ModelReport, UnmeasuredModel
from grader.domain.rubric import Item, Part, PartKind
from grader.domain.run import CellRun, CellState, NotebookRun, Verdict

MEAN_IMAGE_MSE = 0.0676
PART = Part(
    "q3", PartKind.CHOICE, "Question 3", "Loss", {"A": "It works well", "B": "The model is overfitting"}
)


def measured(latent_dim: int, explained: float, **changes: Any) -> Measurement:
    """A model that explains so much of the variance."""
    mse = MEAN_IMAGE_MSE * (1 - explained)
    return replace(Measurement("w" * 64, 5, latent_dim, mse, explained, "[0, 1]", "[0, 1]"), **changes)


def unmeasured(latent_dim: int | None, class_name: str = "Deep") -> UnmeasuredModel:
    """A model that does not fit the agreed architecture."""
    return UnmeasuredModel("u" * 64, 5, class_name, "own architecture", latent_dim)


def answered(text: str, **changes: Any) -> Answer:
    """An answer to the part."""
    return replace(Answer(PART.key, AnswerState.ANSWERED, text, cells=(7,)), **changes)


def candidate(score: float = 0.8) -> Candidate:
    """A cell that might be an answer."""
    return Candidate(11, "the gap is large", score)


def make_evidence(
    *answers: Answer,
    models: Sequence[Measurement] = (),
    others: Sequence[UnmeasuredModel] = (),
    cells: Sequence[CellRun] = (CellRun(2, CellState.OK),),
    verdict: Verdict = Verdict.OK,
    unmapped: Sequence[Candidate] = (),
) -> Evidence:
    """One submission's evidence: nothing found, and a run without errors, unless said otherwise."""
    return Evidence(
        notebook_sha256="n" * 64,
        alignment=Alignment({answer.part: answer for answer in answers}, tuple(unmapped)),
        run=NotebookRun(verdict, tuple(cells), (), 9.0, 1.0, "e" * 64, 0, {}, 1),
        models=ModelReport(
            measurements=tuple(models),
            unmeasured=tuple(others),
            mean_image_mse=MEAN_IMAGE_MSE,
            pca_mse={2: 0.056, 8: 0.038, 32: 0.017, 128: 0.0044},
            dataset=DatasetIdentity("mnist", "d" * 64, 1000),
            versions={},
            seconds=1.0,
        ),
        grader_version="0.1.0",
    )


def run_check(
    check: str, evidence: Evidence, params: Mapping[str, Any] | None = None, part: Part = PART
) -> CheckResult:
    """What one check of the registry says."""
    return CHECKS[check](
        evidence, Item(f"{part.key}.item", part.key, "An item", 4.0, check, params or {}), part
    )
