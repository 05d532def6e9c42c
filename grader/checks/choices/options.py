"""Where an answer repeats an option's own text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher
from functools import cache, lru_cache

from .words import LEADS, OPENERS, Word, split_words, texts

_ALIKE = 0.88  # "overfiting" is "overfitting"; "underfitting" is not
_ENDS = frozenset(",.;:!?\n(-–—")


def without_pasted_list(text: str, options: Mapping[str, str]) -> tuple[str, bool]:
    """The text without two or more option lines copied word for word, and whether there were any."""
    kept, pasted = [], set()
    for line in text.split("\n"):
        words = texts(split_words(line[:500]))
        letter = next((key for key, option in options.items() if words == _labelled(key, option)), None)
        kept.append(line if letter is None else "")
        pasted.add(letter)
    pasted.discard(None)
    return ("\n".join(kept), True) if len(pasted) > 1 else (text, False)


@cache
def _labelled(letter: str, option: str) -> list[str]:
    return [letter.casefold(), *texts(split_words(option))]


def match_option(words: Sequence[Word], start: int, options: Mapping[str, str]) -> tuple[str | None, int]:
    """The option whose text stands at ``start``, small typos allowed, and how many words it takes."""
    longest: tuple[str | None, int] = (None, 0)
    for letter, option in options.items():
        for alias in _aliases(option):
            if len(alias) > longest[1] and _matches(words[start : start + len(alias)], alias):
                longest = (letter, len(alias))
    return longest


def find_option_text(words: Sequence[Word], options: Mapping[str, str]) -> str | None:
    """The option whose text is the answer: alone, or before punctuation or a "because"."""
    found = set()
    for start in range(min(len(words), 12)):
        letter, length = match_option(words, start, options)
        if letter is not None and _ends(words, start + length):
            found.add(letter)
        if words[start].text not in LEADS:
            break
    rest = {match_option(words, start, options)[0] for start in range(min(len(words), 200))} - {None}
    return found.pop() if len(found) == 1 and rest == found else None


def _ends(words: Sequence[Word], end: int) -> bool:
    return end >= len(words) or words[end].text in OPENERS or bool(_ENDS & set(words[end - 1].after))


@cache
def _aliases(option: str) -> list[list[str]]:
    """An option's text; where part of it stands in brackets, also what is outside and what is inside."""
    outside, _, inside = option.partition("(")
    written = [option, outside, inside] if inside else [option]
    aliases = [texts(split_words(text)) for text in written]
    return [alias for alias in aliases if len(alias) > 1]  # one word says too little


def _matches(words: Sequence[Word], alias: Sequence[str]) -> bool:
    return len(words) == len(alias) and all(
        _alike(word.text, wanted) for word, wanted in zip(words, alias, strict=True)
    )


@lru_cache(maxsize=4096)  # a text of one word, over and over, is compared with every option at every place
def _alike(word: str, wanted: str) -> bool:
    if word == wanted:
        return True
    # A typo in a number is another number, and short words differ by one letter too easily.
    shorter, longer = sorted((len(word), len(wanted)))
    if not wanted.isalpha() or shorter < 5 or 2 * shorter < _ALIKE * (shorter + longer):
        return False
    return SequenceMatcher(None, word, wanted).ratio() >= _ALIKE
