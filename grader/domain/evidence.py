"""Everything that a check may see; stored for ever, so that a changed rubric judges again without a run."""

from __future__ import annotations

from dataclasses import dataclass

from grader.domain.answers import Alignment
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
