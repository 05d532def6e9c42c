"""What is named only to be denied: "it is a myth that …", "… but they are wrong", "That is false."."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from operator import or_

from .lexicon import CLAIMS, DENIALS, OPINIONS, REFERRING, VERDICTS, word_set
from .words import Word

_COPULAS = word_set("is are was were be been s isn aren wasn")
_NEGATIONS = word_set("not no never nobody none neither nor hardly without")
_BEFORE = 4  # words in which a negation belongs to a verdict: "not at all the case"
_BETWEEN = 3  # words from a verdict to its "that": "wrong to say that"
_CLAUSE = 12  # words of a clause in which a verdict stands
_LAST = 2  # words behind a verdict that still ends its clause
_TURNS = word_set(
    "but because instead so since while whereas although though therefore"
)  # to what is not denied


@dataclass(frozen=True, slots=True)
class Denied:
    """``flips``: the words that are turned round. ``spent``: negations that did it, and deny nothing else."""

    flips: frozenset[int] = frozenset()
    spent: frozenset[int] = frozenset()
    is_of_before: bool = False  # it denies the sentence before


NOT_DENIED = Denied()


def find_denied(sentences: Sequence[Sequence[Word]]) -> list[Denied]:
    """What verdicts and opinions deny of each sentence. Linear in its words."""
    found = [_find_within(words) for words in sentences]
    for at, words in enumerate(sentences[:-1]):
        if found[at + 1].is_of_before:
            flips = frozenset(range(len(words))) - found[at].flips
            found[at] = replace(found[at], flips=flips)
    return found


def _find_within(words: Sequence[Word]) -> Denied:
    verdicts = [at for at, word in enumerate(words) if word.text in VERDICTS]
    if not verdicts:
        return NOT_DENIED
    has_content = [False, *accumulate((word.is_content for word in words), or_)]  # before each word
    turns = [0] * (len(words) + 1)  # +1 where a stretch that is denied begins and where it ends
    spent: set[int] = set()
    is_of_before = False
    until = -1  # where the last stretch ends
    for at in verdicts:
        first = _begin_clause(words, at)
        nearby = range(max(first, at - _BEFORE), at)
        negations = [i for i in nearby if words[i].text in _NEGATIONS and i not in spent]
        is_denial = (words[at].text in DENIALS) != bool(negations)
        start = _begin_claim(words, at)
        is_back = start is None and _ends_clause(words, at)
        if start is None and not is_back:
            continue
        spent.update(negations)
        if not is_denial:
            continue
        if start is not None:
            if start > until:  # one denial of one stretch: a second verdict in it says the same
                behind = range(start + 1, len(words))
                until = next(
                    (i for i in behind if words[i].text in _TURNS or _is_parted(words, i)), len(words)
                )
                turns[start] += 1
                turns[until] += 1
        elif all(word.text in REFERRING or word.text in VERDICTS for word in words[first:at]):
            if has_content[first]:
                turns[0] += 1
                turns[first] += 1
            else:
                is_of_before = True
        elif any(word.text in _COPULAS for word in words[max(first, at - _BETWEEN) : at]):
            turns[first] += 1
            turns[at] += 1
    flips = (at for at, count in enumerate(accumulate(turns)) if count % 2)
    return Denied(frozenset(flips), frozenset(spent), is_of_before)


def _begin_clause(words: Sequence[Word], at: int) -> int:
    for position in range(at, max(0, at - _CLAUSE), -1):
        if words[position - 1].text in ("that", "which") or _is_parted(words, position):
            return position
    return max(0, at - _CLAUSE)


def _begin_claim(words: Sequence[Word], at: int) -> int | None:
    """Where what a verdict speaks of begins behind it; None where it does not stand behind it."""
    for position in range(at + 1, min(at + 1 + _BETWEEN + 1, len(words))):
        if words[position].text == "that" and position + 1 < len(words):
            return position + 1
        if words[position].text not in CLAIMS and words[position].is_content:
            break
    return at + 1 if words[at].text in OPINIONS and at + 1 < len(words) else None


def _ends_clause(words: Sequence[Word], at: int) -> bool:
    return any(
        position == len(words) or _is_parted(words, position) or words[position].text in _TURNS
        for position in range(at + 1, min(at + 1 + _LAST, len(words) + 1))
    )


def _is_parted(words: Sequence[Word], at: int) -> bool:
    """Whether punctuation stands before a word."""
    return at > 0 and words[at].start - words[at - 1].end >= 2
