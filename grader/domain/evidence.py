"""Everything that a check may see; stored for ever, so that a changed rubric judges again without a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from grader.domain.answers import Alignment
from grader.domain.calibration import ReferenceFigures
from grader.domain.models import ModelReport
from grader.domain.run import NotebookRun


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
