"""What a machine proposes for a written answer: points for each concept, with the words they rest on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Gate(StrEnum):
    """Why an answer cannot be taken for an ordinary one. Each asks for a human."""

    DONT_KNOW = "dont_know"  # "no idea", "TODO": nothing is proposed
    COPIED = "copied"  # sentences or long runs of the prompt or its hint, which earn nothing
    KEYWORDS = "keywords"  # a list of terms that says nothing about them
    GIBBERISH = "gibberish"  # no words
    LANGUAGE = "language"  # not English: not read
    UNFAMILIAR = "unfamiliar"  # too many long words that nobody told the scorer of: not read
    SHORT = "short"  # fewer than four words
    LONG = "long"  # more characters than are read


# Behind these no concept is looked for; the answer is proposed for nothing, and a human reads it.
UNREAD = frozenset({Gate.DONT_KNOW, Gate.KEYWORDS, Gate.GIBBERISH, Gate.LANGUAGE, Gate.UNFAMILIAR})


class Hold(StrEnum):
    """Why a proposal cannot be accepted without a human."""

    PLACE = "place"  # it is not sure that these words answer this question
    GATE = "gate"  # a gate is shut
    DOUBT = "doubt"  # its decisions were near to falling otherwise
    UNCALIBRATED = "uncalibrated"  # fewer than five marks of this question, or it was not read
    NOT_FOUND = "not_found"  # hardly any points, or half of them not found: it may be right in other words
    CONFIDENCE = "confidence"  # below 0.95
    FAR_OFF = "far_off"  # without doubt, and yet off by half of the points: more than one of 100 marks
    OPINION = "opinion"  # a second opinion says something else


class Rule(StrEnum):
    """What decided on a concept."""

    STATED = "stated"
    PARTLY_STATED = "partly_stated"
    CONTRADICTED = "contradicted"  # the words are there and say the opposite
    MISCONCEPTION = "misconception"  # a misconception is nearer than every statement
    COPIED = "copied"  # only the prompt's own sentences speak of it
    NOT_FOUND = "not_found"
    NOT_READ = "not_read"  # a gate was shut before concepts were looked for


@dataclass(frozen=True, slots=True)
class Span:
    """Characters ``start`` to ``end`` of the judged text."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class ConceptProposal:
    """One concept's share and why. ``matched`` is the rubric's statement, or the misconception."""

    id: str
    points: float
    max_points: float
    level: float  # 0; 0.3 where it is partly said, 0.8 where it is said, 1 where clearly
    rule: Rule
    matched: str = ""
    span: Span | None = None  # the student's own words


@dataclass(frozen=True, slots=True)
class Proposal:
    """Proposed points for one answer.

    ``features`` are what a calibration learns from, by name; the names are the same for all answers to one
    question.
    """

    points: float
    max_points: float
    gates: tuple[Gate, ...]
    concepts: tuple[ConceptProposal, ...]
    doubt: float  # 0..1, for the order of the queue; it is no probability
    question_sha256: str  # equal: same text, same nearness; only points and thresholds may differ
    features: Mapping[str, float] = field(default_factory=dict)
