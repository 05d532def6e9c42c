"""Placeholders ("[Write your answer here …]"): found whole, begun, misspelt or with an answer inside."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz

from grader.notebooks.alignment.words import make_key

_FEWEST_PREFIX_WORDS = 4
_BETWEEN = r"[\W_]{1,8}"
_ALIKE = 88  # of 100
_BRACKETED = re.compile(r"\[([^\[\]\n]{8,200})\]")
_LONGEST_MISSPELT = 2000  # characters of a line


@dataclass(frozen=True, slots=True)
class Placeholders:
    """A template's placeholders."""

    keys: tuple[str, ...]
    opening_words: frozenset[str]
    whole: tuple[re.Pattern[str], ...]
    begun: tuple[re.Pattern[str], ...]  # the first words, behind a bracket or alone on the line

    def take_off(self, text: str) -> tuple[str, bool]:
        """A line without the placeholders' words, and whether there were any."""
        rest = text
        if "[" not in text and not any(word in text.casefold() for word in self.opening_words):
            return text, False
        for pattern in self.whole:
            rest = pattern.sub(" ", rest)
        begun = [match for match in (pattern.search(rest) for pattern in self.begun) if match]
        if begun:
            longest = max(begun, key=lambda match: len(match[0]))
            rest = f"{rest[: longest.start()]} {rest[longest.end() :]}"
        if "[" in rest and len(rest) < _LONGEST_MISSPELT:
            rest = _BRACKETED.sub(lambda match: " " if self._is_misspelt(match[1]) else match[0], rest)
        return (text, False) if rest == text else (_tidy(rest.strip()), True)

    def _is_misspelt(self, words: str) -> bool:
        key = make_key(words)
        letters = {word for word in key.split() if len(word) == 1}  # a choice, perhaps
        return any(fuzz.ratio(key, known) >= _ALIKE and letters <= set(known.split()) for known in self.keys)


def make_placeholders(phrases: Sequence[str]) -> Placeholders:
    """The placeholders that say these phrases."""
    keys = [make_key(phrase) for phrase in phrases]
    opening = frozenset(key.partition(" ")[0] for key in keys)
    return Placeholders(tuple(keys), opening, tuple(map(_make_whole, keys)), tuple(map(_make_begun, keys)))


def _make_whole(key: str) -> re.Pattern[str]:
    words = _BETWEEN.join(map(re.escape, key.split()))
    return re.compile(rf"[\[(*_]{{0,4}}\b{words}\b['\"’”)\]*_.]{{0,6}}", re.IGNORECASE)


def _make_begun(key: str) -> re.Pattern[str]:
    words = list(map(re.escape, key.split()))
    begun = _BETWEEN.join(words[:_FEWEST_PREFIX_WORDS])
    tail = ""
    for word in reversed(words[_FEWEST_PREFIX_WORDS:]):
        tail = rf"(?:{_BETWEEN}{word}{tail})?"
    closing = r"\b[)\]*_]{0,3}"
    alone = r"(?=\s*(?:[^\w\s]|$))"
    return re.compile(
        rf"\[[\s*_]{{0,3}}{begun}{tail}{closing}|^[*_]{{0,2}}{begun}{tail}{closing}{alone}", re.IGNORECASE
    )


def _tidy(rest: str) -> str:
    """What the placeholder's brackets, dashes and quotes leave around an answer."""
    if not make_key(rest):
        return ""
    if rest[0] in ":-–—.,":
        rest = rest.lstrip(":-–—., ")
    if rest.endswith("]") and rest.count("]") > rest.count("["):
        rest = rest[:-1].strip(" '\"’‘”“") if len(rest) < 8 else rest[:-1].rstrip()
    return rest
