"""Where an answer names letters, and whether its words stand by them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import pairwise

from .options import match_option
from .words import (
    AFTER_LETTER,
    CLAIMING_PAIRS,
    CLAIMS,
    FAULTS,
    FILLERS,
    JOINERS,
    LEADS,
    NAMINGS,
    NEGATING_PAIRS,
    STATES,
    Word,
    texts,
)

_STOPS = frozenset(",.;!?\n")  # a "not" does not reach across these
_ENDS = frozenset(".;!?\n")  # of a sentence or line
_PLURAL = frozenset({"are", "were", "aren't", "weren't"})


@dataclass(slots=True)
class Mention:
    """A letter at one place among the words."""

    index: int
    letter: str
    negated: bool = False
    claimed: bool = False  # said to be the answer: "the answer is B", "so B", "… B."
    offered: bool = False  # leads the answer, or is set off by quotes or brackets
    labelled: bool = False  # its option's text follows


def find_mentions(words: Sequence[Word], options: Mapping[str, str]) -> list[Mention]:
    """Every letter of ``options`` that is named, in order."""
    mentions: list[Mention] = []
    leading = True
    for index, word in enumerate(words):
        letters = _letters(words, index, options)
        for letter in letters:
            mention = Mention(index, letter, negated=_is_negated(words, index, options))
            mention.claimed = _is_claimed(words, index)
            mention.offered = leading or _is_set_off(words, index)
            mention.labelled = match_option(words, index + 1, options)[0] == letter
            mentions.append(mention)
            leading = leading and mention.negated
        carries_on = word.text in LEADS | JOINERS or word.negates or not word.text.isalpha()
        leading = leading and (bool(letters) or carries_on)
    _spread_negation(words, mentions)
    return mentions


def _letters(words: Sequence[Word], index: int, options: Mapping[str, str]) -> list[str]:
    word = words[index]
    known = {letter.casefold(): letter for letter in options}
    if len(word.text) > 1:  # "ABCD" names four
        several = (
            word.shown.isupper() and len(set(word.text)) == len(word.text) and set(word.text) <= set(known)
        )
        return [known[letter] for letter in word.text] if several else []
    if word.text not in known or (word.text == "a" and _is_article(words, index, options)):
        return []
    return [known[word.text]]


def _is_article(words: Sequence[Word], index: int, options: Mapping[str, str]) -> bool:
    """Read "A model that …" as no letter, but "A because …", "A)", "option A" and "A <its own text>"."""
    word = words[index]
    if index + 1 == len(words) or word.after.strip() or "\n" in word.after:
        return False
    if (index and words[index - 1].text in NAMINGS) or words[index + 1].text in AFTER_LETTER:
        return False
    return match_option(words, index + 1, options)[0] != "A"


def _is_negated(words: Sequence[Word], index: int, options: Mapping[str, str]) -> bool:
    return _negated_before(words, index, options) or _negated_after(words, index)


def _negated_before(words: Sequence[Word], index: int, options: Mapping[str, str]) -> bool:
    known = {letter.casefold() for letter in options}
    for place in range(index - 1, max(-1, index - 9), -1):
        word = words[place]
        if _STOPS & set(word.after):
            return False
        if word.negates or (place and (words[place - 1].text, word.text) in NEGATING_PAIRS):
            return True
        if word.text not in FILLERS | JOINERS | known:
            return False
    return False


def _negated_after(words: Sequence[Word], index: int) -> bool:
    if index + 1 >= len(words) or words[index].after.strip(" )*"):
        return False
    state = words[index + 1]
    if state.text.endswith("n't") or state.text in {"cannot", "wrong", "incorrect", "false"}:
        return True
    return state.text in STATES and index + 2 < len(words) and words[index + 2].text in FAULTS


def _spread_negation(words: Sequence[Word], mentions: Sequence[Mention]) -> None:
    """In "A, C and D are wrong", what is said of the last is said of all."""
    plural = False
    for mention, following in reversed(list(pairwise(mentions))):
        plural = plural or (following.negated and _follows(words, following.index, _PLURAL))
        plural = plural and set(texts(words[mention.index + 1 : following.index])) <= JOINERS
        mention.negated = mention.negated or plural


def _follows(words: Sequence[Word], index: int, wanted: Set[str]) -> bool:
    return index + 1 < len(words) and words[index + 1].text in wanted


def _is_claimed(words: Sequence[Word], index: int) -> bool:
    before = words[index].before
    if index and not {".", "\n"} & set(before):
        pair = (words[index - 2].text if index > 1 else "", words[index - 1].text)
        if pair[1] in CLAIMS or pair in CLAIMING_PAIRS:
            return True
    return _is_alone(words, index)


def _is_alone(words: Sequence[Word], index: int) -> bool:
    """Whether the letter is a sentence or a line of its own."""
    starts = index == 0 or bool(_ENDS & set(words[index].before))
    return starts and (index + 1 == len(words) or bool(_ENDS & set(words[index].after)))


def _is_set_off(words: Sequence[Word], index: int) -> bool:
    if index and words[index - 1].text in NAMINGS:
        return True
    return words[index].after.lstrip(" \t").startswith((")", "]", "'", '"', "”", "»"))
