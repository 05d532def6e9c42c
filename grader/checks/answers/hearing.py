"""Which terms of a question the words of an answer stand for, and what they count for them."""

from __future__ import annotations

from .polarity import Signed, agree, contrast
from .statements import Hit, Place, Question, Wanted
from .units import Unit

_SYNONYM = 0.9  # of the word itself

Heard = tuple[Hit, int]  # with the place of the word


def hear(question: Question, unit: Unit) -> dict[Wanted, list[Heard]]:
    """What a unit says of each statement that it has a word of, in the order of the statement's terms.

    A term is heard once: from the same stem rather than one of the same group, and of several from the first
    that is meant the same way, or else the first.
    """
    best: dict[int, Heard] = {}
    for said in unit.signed:
        if said.word.stem in question.places:
            for hit in _find_hits(question, said):
                other = best.get(hit.at)
                if other is None or hit.rank > other[0].rank:
                    best[hit.at] = hit, said.word.start
    heard: dict[Wanted, list[Heard]] = {}
    for at in sorted(best):
        heard.setdefault(best[at][0].wanted, []).append(best[at])
    return heard


def _find_hits(question: Question, said: Signed) -> tuple[Hit, ...]:
    """What a word stands for, which is the same in every answer to the question."""
    meant = said.word.stem, said.sign, said.entity
    if (hits := question.hits.get(meant)) is None:
        is_own = said.word.stem not in question.prompt_stems
        places = question.places[said.word.stem]
        hits = question.hits[meant] = tuple(_hit(said, place, is_own=is_own) for place in places)
    return hits


def _hit(said: Signed, place: Place, *, is_own: bool) -> Hit:
    wanted, at, term = place
    target = term.signed
    agreement = agree(said, target)
    if agreement is None and target.sign < 0 and term.is_key:
        agreement = said.sign < 0  # a misconception that denies something
    is_same = said.word.stem == target.word.stem
    share = 1.0 if is_same else _SYNONYM
    got = share * term.weight
    is_turned = agreement is None and said.sign != target.sign and not contrast(said, target)
    return Hit(
        wanted,
        at,
        is_given=term.is_given,
        rank=2 * is_same + (agreement is not False),
        got=got,
        demoted=share * term.demoted,
        own=got * is_own,
        keys=got * (term.is_key and agreement is not False),
        polar=got * (agreement is not None),
        against=got * (agreement is False),
        turned=got * (agreement is False or is_turned),
        is_same_thing=bool(agreement) and said.entity == target.entity != "",
    )
