"""The stretches of an answer that are held against a statement: sentences, clauses, pairs of sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from grader.domain.rubric import Concept

from .parts import Piece, join_pieces, split_clauses
from .polarity import Signed, first_entity, sign_words

_PAIR = 0.95
_CLAUSE = 0.95


@dataclass(frozen=True, slots=True)
class Unit:
    """One stretch with its content words. ``weight`` is less where it is less certain to be meant so."""

    piece: Piece
    signed: tuple[Signed, ...]
    weight: float = 1.0
    is_pair: bool = False
    stems: frozenset[str] = frozenset()

    def answers(self, concept: Concept) -> bool:
        """Whether it stands under the number of the concept's sub-question."""
        return self.piece.part is not None and self.piece.part == concept.subquestion


def make_units(sentences: Sequence[Piece], text: str) -> list[Unit]:
    """All stretches of the sentences, with signs that hold within a whole sentence."""
    units: list[Unit] = []
    before: Unit | None = None
    for sentence in sentences:
        about = first_entity(before.signed) if before else ""
        signed = tuple(said for said in sign_words(sentence.words, about) if said.word.is_content)
        unit = Unit(sentence, signed, stems=_stems(signed))
        units.append(unit)
        clauses = split_clauses(sentence, text)
        for clause in clauses if len(clauses) > 1 else ():
            inside = tuple(said for said in signed if clause.start <= said.word.start < clause.end)
            units.append(Unit(clause, inside, _CLAUSE, stems=_stems(inside)))
        if before and before.piece.part == sentence.part:
            pair = join_pieces([before.piece, sentence])
            stems = before.stems | unit.stems
            units.append(Unit(pair, (*before.signed, *signed), _PAIR, is_pair=True, stems=stems))
        before = unit
    return units


def _stems(signed: Sequence[Signed]) -> frozenset[str]:
    return frozenset(said.word.stem for said in signed)
