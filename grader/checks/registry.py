"""Every check that a rubric can name, with its settings and the kind of part that it judges."""

from __future__ import annotations

from grader.domain.rubric import PartKind

from .check import Check, NoParameters
from .multiple_choice import ChoiceParameters, choice
from .reconstruction import reconstruction
from .runs import runs
from .thresholds import ReconstructionSettings
from .trend import TrendParameters, trend
from .written import explanation, observations, short_answer

CHECKS: dict[str, Check] = {
    "runs": runs,
    "reconstruction": reconstruction,
    "trend": trend,
    "observations": observations,
    "choice": choice,
    "explanation": explanation,
    "short_answer": short_answer,
}

# Dataclasses whose field metadata bounds the values that a rubric may give.
PARAMETERS: dict[str, type] = {
    "runs": NoParameters,
    "reconstruction": ReconstructionSettings,
    "trend": TrendParameters,
    "observations": NoParameters,
    "choice": ChoiceParameters,
    "explanation": NoParameters,
    "short_answer": NoParameters,
}

JUDGES: dict[str, PartKind] = {
    "runs": PartKind.EXERCISE,
    "reconstruction": PartKind.EXERCISE,
    "trend": PartKind.EXERCISE,
    "observations": PartKind.EXERCISE,
    "choice": PartKind.CHOICE,
    "explanation": PartKind.CHOICE,
    "short_answer": PartKind.SHORT_ANSWER,
}

# What a human (and, in time, a scorer) looks for: concepts make sense for written answers only.
TAKES_CONCEPTS = frozenset({"observations", "explanation", "short_answer"})
