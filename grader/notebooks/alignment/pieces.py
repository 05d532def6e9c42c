"""A submission's lines at their places."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import Enum

from grader.notebooks.alignment.prompts import Owner


class Zone(Enum):
    """Where in a part a line stands."""

    BEFORE_LABEL = 0
    ANSWER = 1
    EXPLANATION = 2


class PieceKind(Enum):
    """What a line is, now that its place is known."""

    OWN = "own"  # the student's
    QUOTE = "quote"  # the prompt's, once more than the template prints it
    OPTION = "option"  # one of a choice's options, perhaps marked
    GAP = "gap"  # without words: an empty line, a rule, a fence
    PLACEHOLDER = "placeholder"


@dataclass(frozen=True, slots=True)
class Piece:
    """One line at its place."""

    cell: int
    kind: PieceKind
    zone: Zone
    text: str = ""
    raw: str = ""  # options: with the marks for bold and struck out


@dataclass(slots=True)
class Place:
    """A stretch of the notebook that belongs to one part; `part` is None where it belongs to none."""

    part: Owner
    pieces: list[Piece] = field(default_factory=list)
    code_cells: list[int] = field(default_factory=list)  # an exercise's
    asides: list[Piece] = field(default_factory=list)  # comments in code beside a question
    consumed: Counter[str] = field(default_factory=Counter)  # how often each prompt line stood here
    zone: Zone = Zone.BEFORE_LABEL
    answer_cell: int | None = None  # where the answer's label stands
    explanation_cell: int | None = None
    has_heading: bool = False
    has_own: bool = False  # kept by the walk, which asks so often that going through `own` would be quadratic
    is_extra: bool = False  # opened by a second label: perhaps another part's
    is_title: bool = False
    confidence: float = 1.0

    @property
    def own(self) -> list[Piece]:
        """The student's lines."""
        return [piece for piece in self.pieces if piece.kind is PieceKind.OWN]
