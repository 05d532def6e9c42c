"""Read the letter of a multiple-choice answer out of a student's words.

A letter is read only where the words claim exactly one. Whatever leaves a doubt is no letter and asks for a
human: a wrong zero and a wrong full mark are both worse than a minute of a teacher's time.
"""

from __future__ import annotations

import html
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from .mentions import Mention, find_mentions
from .options import find_option_text, match_option, without_pasted_list
from .words import (
    CHOOSING,
    DOUBTS,
    JOINERS,
    REFUSALS,
    VERDICTS,
    Word,
    split_words,
    strip_markup,
    texts,
)

_LONGEST = 20_000  # characters that are read; nobody needs more to name a letter
_PLACEHOLDER = ["write", "your", "answer", "here"]
_HINT = ["e", "g", "b"]  # "- e.g., 'B'"
_INVISIBLE = "\u200b\ufeff"


@dataclass(frozen=True, slots=True)
class Choice:
    """What was read. ``ambiguous`` asks for a human; without a letter and unambiguous means blank."""

    letter: str | None
    ambiguous: bool
    reason: str  # for the student
    rest: str = ""  # all words, where one of them goes beyond naming a letter


def read_choice(text: str, options: Mapping[str, str]) -> Choice:
    """The letter among ``options`` (letter → text) that ``text`` claims."""
    if len(text) > _LONGEST:
        return _unclear("The answer is too long to find a letter in it.", text)
    plain, pasted = without_pasted_list(strip_markup(text), options)
    written = split_words(plain)
    words, edited = _without_placeholder(written)
    if edited:
        partly = "The placeholder was only partly replaced, so it is not clear what is meant."
        return _unclear(partly, _rest(words, find_mentions(words, options), plain, options))
    if words:
        return _decide(words, plain, options)
    if pasted:
        return _unclear("All that stands there is the list of options.")
    # An image, an emoji, struck-out words: something was meant, and a machine cannot tell what.
    left = html.unescape(text).strip(string.whitespace + string.punctuation + _INVISIBLE + "\xa0")
    if left and not written:
        return _unclear("No letter could be read.")
    return Choice(None, False, "Nothing was chosen.")


def _decide(words: Sequence[Word], plain: str, options: Mapping[str, str]) -> Choice:
    mentions = find_mentions(words, options)
    if _judges_each(words, mentions):
        return _unclear("More than one letter was judged.", _rest(words, mentions, plain, options))
    positive = [mention for mention in mentions if not mention.negated]
    rest = _rest(words, mentions, plain, options)
    written_out = find_option_text(words, options)
    if not positive:
        if written_out is not None and not mentions:
            return Choice(written_out, False, "Read from the option's text.", rest)
        return _unclear("No letter could be read for certain.", rest)
    chosen = _choose(words, positive)
    if chosen is None:
        return _unclear("More than one letter, or none for certain, could be read.", rest)
    beside, _ = match_option(words, chosen.index + 1, options)
    if any(other not in (None, chosen.letter) for other in (beside, written_out)):
        return _unclear("The letter and the option's text do not belong together.", rest)
    return Choice(chosen.letter, False, "Read from the letter.", rest)


def _judges_each(words: Sequence[Word], mentions: Sequence[Mention]) -> bool:
    """Whether several letters are followed by a verdict, or corrected: "a) no b) yes", "C no B"."""
    behind = {m.letter: words[m.index + 1].text for m in mentions if m.index + 1 < len(words)}
    judged = sum(word in VERDICTS for word in behind.values())
    return len({m.letter for m in mentions}) > 1 and (judged > 1 or not REFUSALS.isdisjoint(behind.values()))


def _choose(words: Sequence[Word], positive: Sequence[Mention]) -> Mention | None:
    """The one mention that the words stand by, if there is one."""
    claimed = {mention.letter for mention in positive if mention.claimed}
    standing = [mention for mention in positive if mention.claimed or mention.offered]
    if not standing or len(claimed) > 1:
        return None
    if len({mention.letter for mention in positive}) == 1:
        return standing[0]
    first = positive[0]
    if first is standing[0]:
        return first if claimed <= {first.letter} and _explains(words, first, positive[1:]) else None
    # Reasons first, the letter last: "… as in case A or C, so the answer is B".
    last = positive[-1]
    others = [mention for mention in standing if mention.letter != last.letter]
    return last if last.claimed and not others else None


def _explains(words: Sequence[Word], first: Mention, others: Sequence[Mention]) -> bool:
    """Whether the other letters only stand in the reasons: "B because A would mean …", not "B or A"."""
    if others[0].index <= first.index + 1:  # "A/B", "AB"
        return False
    if words[first.index + 1].text in JOINERS | DOUBTS | {"but"}:
        return False
    previous = first
    for mention in others:
        between = texts(words[previous.index + 1 : mention.index])
        joined = previous is not first and set(between) <= JOINERS
        doubtful = mention.labelled or (not joined and DOUBTS & set(between[-4:]))
        if mention.letter != first.letter and doubtful:
            return False
        previous = mention
    return True


def _without_placeholder(words: list[Word]) -> tuple[list[Word], bool]:
    """The words without the template's placeholder, and whether it was edited instead of replaced."""
    for start in range(len(words) - len(_PLACEHOLDER) + 1):
        end = start + len(_PLACEHOLDER)
        if texts(words[start:end]) == _PLACEHOLDER:
            if texts(words[end : end + len(_HINT)]) == _HINT:
                end += len(_HINT)
            opened = start == 0 or bool({"[", "\n"} & set(words[start].before))
            closed = end == len(words) or bool({"]", "\n"} & set(words[end].before))
            return words[:start] + words[end:], not (opened and closed)
    return words, _has_traces(texts(words))


def _has_traces(words: list[str]) -> bool:
    """Whether parts of the placeholder remain: "answer here", or "e.g." with a letter behind it."""
    hints = any(words[at : at + 2] == _HINT[:2] and len(words[at + 2]) == 1 for at in range(len(words) - 2))
    return hints or ("answer", "here") in pairwise(words)


def _rest(words: Sequence[Word], mentions: Sequence[Mention], plain: str, options: Mapping[str, str]) -> str:
    """All of the words, if any of them says more than which letter is meant, as in "B, memorized"."""
    skipped = {mention.index for mention in mentions}
    for index, word in enumerate(words):
        skipped.update(range(index, index + match_option(words, index, options)[1]))
        if not (index in skipped or word.negates or word.text in CHOOSING):
            return plain.strip()
    return ""


def _unclear(reason: str, rest: str = "") -> Choice:
    return Choice(None, True, reason, rest)
