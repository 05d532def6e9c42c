"""Slips of the keyboard: "simmilar", "latnet", "importnat" mean words that the tables know."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from string import ascii_lowercase

from .lexicon import GENERIC, GROUPS, STOP

_SHORTEST = 6  # letters; shorter words are too near to others
_SHORTEST_SWAPPED = 5
_LONGEST = 24  # of what is looked for: no word is longer


def mend(word: str) -> str:
    """The one word of the tables that has a letter more or less, or two swapped; or else the word itself."""
    if not _SHORTEST_SWAPPED <= len(word) <= _LONGEST or word in STOP:
        return word
    if not word.isascii() or not word.isalpha():
        return word
    found = {near for near in _variants(word) if near in _vocabulary()}
    return found.pop() if len(found) == 1 else word


def _variants(word: str) -> Iterator[str]:
    """What may have been meant, with the same first letter; swapped, or else with the same last one too."""
    inside = range(1, len(word) - 1)
    yield from (word[:at] + word[at + 1] + word[at] + word[at + 2 :] for at in inside)
    if len(word) >= _SHORTEST:
        yield from (word[:at] + word[at + 1 :] for at in inside)
        yield from (
            word[:at] + letter + word[at:] for at in range(1, len(word)) for letter in ascii_lowercase
        )


@cache
def _vocabulary() -> frozenset[str]:
    grouped = {word for words in GROUPS.values() for word in words.replace("|", " ").split()}
    return frozenset(word for word in grouped | GENERIC if len(word) >= _SHORTEST_SWAPPED)
