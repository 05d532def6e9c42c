"""Everything that a check may see; stored for ever, so that a changed rubric judges again without a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from grader.domain.answer_calibration import AnswerCalibration
from grader.domain.answers import Alignment
from grader.domain.calibration import ReferenceFigures
from grader.domain.models import ModelReport
from grader.domain.opinion import Opinion
from grader.domain.run import NotebookRun


@dataclass(frozen=True, slots=True)
class Lookalike:
    """Another user's model of the same assignment with the same weights, or nearly the same."""

    weights_sha256: str  # of this submission's model
    submission_id: str  # of the other; for teachers only
    similarity: float  # cosine of the two; 1.0 for the same numbers


@dataclass(frozen=True, slots=True)
class Evidence:
    """One submission's evidence."""

    notebook_sha256: str
    alignment: Alignment
    run: NotebookRun
    models: ModelReport
    grader_version: str
    seed: int = 0
    hash_seed: int = 0  # of Python's strings, in every jail
    reference: Mapping[int, ReferenceFigures] = field(default_factory=dict)  # by width; none: not calibrated
    lookalikes: tuple[Lookalike, ...] = ()
    # Each item's record in the grade before, put in when it is judged again: what was found in an answer
    # stands while question and answer are the same, and need not be found anew.
    earlier: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    opinions: Mapping[str, tuple[Opinion, ...]] = field(default_factory=dict)  # by item
    # By item, put in when it is judged and never stored: what reviewers' marks had taught until then.
    calibrations: Mapping[str, AnswerCalibration] = field(default_factory=dict)
