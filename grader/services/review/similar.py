"""How alike two answers are, for offering one decision to both. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from rapidfuzz import fuzz, process

from grader.checks.answers.polarity import sign_words
from grader.checks.answers.words import groups_of, split_words

NEAR = 85.0  # of 100; what is less alike is not offered
_COMPARES = frozenset({"than", "from", "versus", "vs"})
_TURNS = ("un", "in", "im", "non", "dis", "ir", "over", "under")


@dataclass(frozen=True, slots=True)
class Words:
    """What counts of a text."""

    line: str  # its stems, sorted: the same for two texts that differ in order alone
    signs: frozenset[tuple[str, int]]  # each stem with +1, or -1 where it is negated
    numbers: tuple[str, ...]
    compared: str  # its stems in order, where it compares things ("more than"); else ""

    @property
    def stems(self) -> frozenset[str]:
        """Without their signs."""
        return frozenset(stem for stem, _ in self.signs)


def find_alike(text: str, others: Mapping[str, str]) -> dict[str, float]:
    """Those of ``others`` that say nearly the same in nearly the same words, with how alike, 85..100.

    Order of words, case and punctuation do not matter, but in comparisons. What is negated or turned round
    in one and not in the other, or names other numbers, is never alike, however few letters differ.
    """
    mine = read_words(text)
    if not mine.line:
        return {}
    known = {key: read_words(other) for key, other in others.items()}
    lines = {key: words.line for key, words in known.items() if words.line}
    near = process.extract(mine.line, lines, scorer=fuzz.ratio, score_cutoff=NEAR, limit=None)
    return {key: round(score, 1) for _, score, key in near if _mean_the_same(mine, known[key])}


@lru_cache(maxsize=4096)
def read_words(text: str) -> Words:
    """Read a text for comparison."""
    signed = sign_words(split_words(text))
    content = [said for said in signed if said.word.is_content]
    stems = [said.word.stem for said in content]
    compares = any(said.word.text in _COMPARES for said in signed)
    return Words(
        line=" ".join(sorted(stems)),
        signs=frozenset((said.word.stem, said.sign) for said in content),
        numbers=tuple(sorted(stem for stem in stems if stem[0].isdigit())),
        compared=" ".join(stems) if compares else "",
    )


def _mean_the_same(one: Words, other: Words) -> bool:
    shared = one.stems & other.stems
    agree = {said for said in one.signs if said[0] in shared} == {
        said for said in other.signs if said[0] in shared
    }
    in_order = fuzz.ratio(one.compared, other.compared) >= NEAR if one.compared or other.compared else True
    return (
        agree
        and in_order
        and one.numbers == other.numbers
        and not _are_opposed(one.stems - shared, other.stems - shared)
    )


def _are_opposed(mine: frozenset[str], theirs: frozenset[str]) -> bool:
    """Whether a word that only one of them has is the opposite of a word that only the other has."""
    return any(_is_opposite(stem, other) for stem in mine for other in theirs)


def _is_opposite(stem: str, other: str) -> bool:
    here, there = groups_of(stem), groups_of(other)
    return any(here[group] != there[group] for group in here.keys() & there.keys()) or any(
        prefix + stem == other or prefix + other == stem for prefix in _TURNS
    )
