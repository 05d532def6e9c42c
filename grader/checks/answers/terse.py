"""Short pieces: "32 < 784, no room" says what a statement says in many words."""

from __future__ import annotations

from .polarity import Signed, agree
from .statements import Question, Sought, weigh
from .units import Unit

_MOST_WORDS = 7  # content words; what is longer is compared as a sentence
_NEEDED = 1.5  # weight of matching words
_NEEDED_UNNUMBERED = 2.0
_UNNUMBERED = 0.6  # of the rating, where nothing says which sub-question is answered


def rate_terse(unit: Unit, sought: Sought, question: Question, *, is_own: bool) -> float:
    """How much of a short piece is in the concept's own words, 0..1; 0 for what is long or denies them."""
    if not 0 < len(unit.signed) <= _MOST_WORDS:
        return 0.0
    total = got = against = 0.0
    for said in unit.signed:
        if said.word.stem not in sought.vocabulary:
            total += weigh(said.word, question.prompt_stems)
            continue
        meant = said.word.stem, said.sign, said.entity
        if (counts := sought.terse.get(meant)) is None:
            counts = sought.terse[meant] = _count(said, sought, question)
        total += counts[0]
        got += counts[1]
        against += counts[2]
    rating = max(0.0, got - against) / total * min(1.0, got / (_NEEDED if is_own else _NEEDED_UNNUMBERED))
    if not is_own:
        return _UNNUMBERED * rating
    return rating


def _count(said: Signed, sought: Sought, question: Question) -> tuple[float, float, float]:
    """What a word weighs, and how much of it speaks for and against the concept: in every answer the same."""
    weight = weigh(said.word, question.prompt_stems)
    terms = sought.vocabulary[said.word.stem]
    counted = min(weight, max(term.weight for term in terms))
    if all(agree(said, term.signed) is False for term in terms):
        return weight, 0.0, counted
    return weight, counted, 0.0
