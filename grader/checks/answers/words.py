"""Words with their places, stems and groups of meaning."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, lru_cache

from snowballstemmer.english_stemmer import EnglishStemmer

from .lexicon import GENERIC, GROUPS, STOP, word_set
from .spelling import mend

# No part of a pattern can match in two ways: linear on any text.
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?|\d+(?:\.\d+)?|<(?!-)|(?<![-=])>")
_JOINED = word_set("linear linearly linearity linearities trained training labeled labelled supervised tuned")
_PREFIXES = word_set("non pre un fine")
_CANNOT = word_set("cannot can't cant")
_UNMARKED = word_set("dont doesnt isnt wont didnt arent")
_SIGNS = {"<": "fewer", ">": "larger"}


@dataclass(slots=True)  # frozen, it would take five times as long to make
class Word:
    """A word of a text. ``groups`` maps what it can mean to +1, or -1 where it means the opposite."""

    text: str  # small letters
    stem: str
    is_content: bool  # whether it says something by itself
    start: int
    end: int

    @property
    def groups(self) -> dict[str, int]:
        """What it can mean, with its sign."""
        return groups_of(self.stem)


@lru_cache(maxsize=20_000)
def stem(word: str) -> str:
    """The Snowball stem of a word in small letters; British endings as American ones, slips mended."""
    stemmed = _stem(word)
    if stemmed in _index() or word in _known():
        return stemmed
    mended = mend(word)
    return stemmed if mended == word else _stem(mended)


def _stem(word: str) -> str:
    return str(EnglishStemmer().stemWord(word.replace("isation", "ization").replace("labell", "label")))


@cache
def _known() -> frozenset[str]:
    return STOP | GENERIC


@cache
def _index() -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for group, words in GROUPS.items():
        same, _, opposite = words.partition("|")
        for sign, listed in ((1, same), (-1, opposite)):
            for word in listed.split():
                found.setdefault(_stem(word), {}).setdefault(group, sign)
    return found


@cache
def generic_stems() -> frozenset[str]:
    """Stems that carry little in any answer."""
    return frozenset(_stem(word) for word in GENERIC)


def groups_of(stemmed: str) -> dict[str, int]:
    """The groups of a stem."""
    return _index().get(stemmed, {})


@lru_cache(maxsize=20_000)
def alike_stems(stemmed: str) -> frozenset[str]:
    """The stem itself and all that share a group with it."""
    mine = groups_of(stemmed)
    return frozenset(
        [stemmed, *(other for other, groups in _index().items() if not groups.keys().isdisjoint(mine))]
    )


def split_words(text: str) -> list[Word]:
    """The words of ``text`` in order; "can't" yields "can" and "not" with one place."""
    words: list[Word] = []
    for match in _WORD.finditer(text):
        start, end = match.span()
        for word, stemmed, is_content in _read(match.group()):
            if word in _JOINED and words and words[-1].text in _PREFIXES and start - words[-1].end <= 1:
                prefix = words.pop()  # "non-linear" is one word
                words.append(Word(*_know(prefix.text + word), prefix.start, end))
            else:
                words.append(Word(word, stemmed, is_content, start, end))
    return words


@lru_cache(maxsize=20_000)
def _read(written: str) -> tuple[tuple[str, str, bool], ...]:
    """What is written as one word, without its place: answers to a question have most words in common."""
    shown = written.casefold().replace("’", "'")
    return tuple(_know(piece) for piece in _pieces(_SIGNS.get(shown, shown)))


def _know(text: str) -> tuple[str, str, bool]:
    """A word with its stem, and whether it says something by itself."""
    return text, stem(text), text not in STOP and (len(text) > 1 or text.isdigit())


def has_words(text: str) -> bool:
    """Whether `split_words` finds any."""
    return _WORD.search(text) is not None


def _pieces(shown: str) -> tuple[str, ...]:
    if shown in _CANNOT:
        return ("can", "not")
    if shown.endswith("n't"):
        return (shown[:-3], "not")
    if shown in _UNMARKED:
        return (shown[:-2], "not")
    return (shown.partition("'")[0],)
