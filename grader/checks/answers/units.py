"""The stretches of an answer that are held against a statement: sentences, clauses, pairs of sentences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from grader.domain.rubric import Concept

from .denial import find_denied
from .direction import Law, find_laws
from .lexicon import TURNING
from .parts import Piece, join_pieces, split_clauses
from .polarity import Signed, find_sizes, first_entity, sign_words
from .words import stem

_TURNING = frozenset(map(stem, TURNING))
_DENIED = ""  # no word's stem
_PAIR = 0.95
_CLAUSE = 0.95


class Unit(NamedTuple):
    """One stretch with its content words. ``weight`` is less where it is less certain to be meant so."""

    piece: Piece
    signed: tuple[Signed, ...]
    weight: float = 1.0
    is_pair: bool = False
    turning: frozenset[str] = frozenset()  # stems in its sentence that may turn it round
    sizes: frozenset[tuple[str, int]] = frozenset()  # see `find_sizes`
    laws: frozenset[Law] = frozenset()  # see `find_laws`

    def answers(self, concept: Concept) -> bool:
        """Whether it stands under the number of the concept's sub-question."""
        return self.piece.part is not None and self.piece.part == concept.subquestion


def make_units(sentences: Sequence[Piece], text: str) -> list[Unit]:
    """All stretches of the sentences, with signs that hold within a whole sentence."""
    units: list[Unit] = []
    before: Unit | None = None
    denials = find_denied([sentence.words for sentence in sentences])
    judged = max((at for at, denied in enumerate(denials) if denied.is_of_before), default=0)
    for at, (sentence, denied) in enumerate(zip(sentences, denials, strict=True)):
        about = first_entity(before.signed) if before else ""
        everything = sign_words(sentence.words, about, denied)
        signed = tuple(said for said in everything if said.word.is_content)
        turning = frozenset(word.stem for word in sentence.words if word.stem in _TURNING)
        if denied.flips or at < judged:
            turning |= {_DENIED}
        sizes, laws = find_sizes(everything), find_laws(everything)
        unit = Unit(sentence, signed, turning=turning, sizes=sizes, laws=laws)
        units.append(unit)
        clauses = split_clauses(sentence, text)
        for clause in clauses if len(clauses) > 1 else ():
            inside = tuple(said for said in signed if clause.start <= said.word.start < clause.end)
            if 0 < len(inside) < len(signed):  # or it says nothing, or no more than its sentence
                units.append(Unit(clause, inside, _CLAUSE, turning=turning, sizes=sizes, laws=laws))
        if before and before.piece.part == sentence.part:
            pair = join_pieces([before.piece, sentence])
            both = (*before.signed, *signed)
            turning |= before.turning
            sizes |= before.sizes
            units.append(
                Unit(pair, both, _PAIR, is_pair=True, turning=turning, sizes=sizes, laws=before.laws | laws)
            )
        before = unit
    return units
