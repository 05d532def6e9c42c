"""Short pieces: "32 < 784, no room" says what a statement says in many words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .polarity import agree
from .statements import Question, Term, weigh
from .units import Unit

_MOST_WORDS = 7  # content words; what is longer is compared as a sentence
_NEEDED = 1.5  # weight of matching words
_NEEDED_UNNUMBERED = 2.0
_UNNUMBERED = 0.6  # of the rating, where nothing says which sub-question is answered
_GUESSED = 0.9  # where only the count of the pieces says so


def rate_terse(
    unit: Unit, vocabulary: Mapping[str, Sequence[Term]], question: Question, *, is_own: bool
) -> float:
    """How much of a short piece is in the concept's own words, 0..1; 0 for what is long or denies them."""
    if not 0 < len(unit.signed) <= _MOST_WORDS:
        return 0.0
    total = got = against = 0.0
    for signed in unit.signed:
        weight = weigh(signed.word, question.prompt_stems)
        total += weight
        hits = vocabulary.get(signed.word.stem)
        if not hits:
            continue
        weight = min(weight, max(term.weight for term in hits))
        if all(agree(signed, term.signed) is False for term in hits):
            against += weight
        else:
            got += weight
    rating = max(0.0, got - against) / total * min(1.0, got / (_NEEDED if is_own else _NEEDED_UNNUMBERED))
    if not is_own:
        return _UNNUMBERED * rating
    return rating if unit.piece.is_sure else _GUESSED * rating
