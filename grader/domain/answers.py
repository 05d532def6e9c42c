"""Which words of a notebook answer which part of the homework."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class AnswerState(StrEnum):
    """What was found where an answer was expected."""

    ANSWERED = "answered"
    BLANK = "blank"  # the place is there and nothing stands in it
    PLACEHOLDER = "placeholder"  # the template's own words, untouched
    MISSING = "missing"  # the place itself was not found
    AMBIGUOUS = "ambiguous"  # several cells claim to be the answer


@dataclass(frozen=True, slots=True)
class Candidate:
    """A cell that might be an answer and that no rule could place for certain."""

    cell: int  # index in the submitted notebook
    excerpt: str  # at most 300 characters
    score: float  # 0..1, how well it fits the part


@dataclass(frozen=True, slots=True)
class Answer:
    """A student's words for one part, with the prompt's own words taken off."""

    part: str
    state: AnswerState
    text: str = ""
    explanation: str = ""  # choice parts: the text after "Explanation"
    explanation_state: AnswerState = AnswerState.BLANK
    cells: tuple[int, ...] = ()  # where the words came from; for an exercise: its code cells too
    confidence: float = 1.0
    candidates: tuple[Candidate, ...] = ()


@dataclass(frozen=True, slots=True)
class Alignment:
    """Every part's answer, and what could not be mapped to any part (never dropped)."""

    answers: Mapping[str, Answer]
    unmapped: tuple[Candidate, ...] = field(default=())
