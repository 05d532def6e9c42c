"""The words of a multiple-choice answer, without markup, and the sets of words that matter in one."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

# Letters of other scripts that look like ours: a keyboard's layout is no wrong answer.
_LOOK_ALIKES = str.maketrans("АВСЕΑΒΕасе", "ABCEABEace")

# No pattern here nests quantifiers, and each stops at its own opening character: linear on any text.
_STRUCK_OUT = re.compile(r"~~[^~]+~~|<(?:s|del|strike)>[^<]*</(?:s|del|strike)>", re.IGNORECASE)
_LINE_TAG = re.compile(r"<(?:br|p|div|li|/p|/div|/li)\b[^<>]*>", re.IGNORECASE)
_TAG = re.compile(r"<[a-zA-Z/!][^<>]*>")
_LATEX_COMMAND = re.compile(r"\\[A-Za-z]{2,}")
_MARKUP = re.compile(r"[*`$\\{}~]")
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


LEADS = _set(
    """a an my your the i i'd i'm i'll we would will think believe guess say go going with for choose chose
    choosing pick picked select selected is it it's its that answer answers ans option choice letter correct
    right best most final question probably maybe perhaps definitely clearly surely likely must should be to
    of sure but instead so therefore hence thus obviously one this only reasonable"""
)
CLAIMS = _set(
    """answer answer's ans is it's its choose chose choosing pick picked select selected be therefore thus
    hence so final correct guess say think believe"""
)
CLAIMING_PAIRS = frozenset({("go", "with"), ("going", "with"), ("went", "with")})
NAMINGS = _set("option choice letter")
NEGATIONS = _set(
    """not never neither nor cannot no except excluding without than unlike eliminate eliminated exclude
    excluded wrong incorrect false"""
)
NEGATING_PAIRS = frozenset(
    {("instead", "of"), ("rule", "out"), ("ruled", "out"), ("anything", "but"), ("everything", "but")}
    | {("all", "but")}
)
FILLERS = _set(
    """think believe say it it's its is was be would could should that the an a answer option options choice
    letter choose pick select either correct right one"""
)
JOINERS = _set("or nor and either both")
STATES = _set("is was are were would be being does can could will seems looks")
FAULTS = _set("not wrong incorrect false never too")
# Behind "A": words that cannot follow the article, so that the letter is meant.
AFTER_LETTER = _set(
    """because since as is the it cause would due seems this that there and or not but was isn't if when for
    so in with my its i means are were can can't cannot could does doesn't maybe"""
)
DOUBTS = _set(
    """or maybe perhaps possibly actually wait sorry correction edit oops rather could might also both either
    instead no nope"""
)
REFUSALS = _set("no nope non nein")  # behind a letter
VERDICTS = REFUSALS | _set("yes yep oui ja true false right wrong correct incorrect")
# Who says nothing else has only chosen, however politely, and given no reason.
CHOOSING = LEADS | FILLERS | JOINERS | STATES | DOUBTS | VERDICTS
OPENERS = _set("because since as due so cause which given for")


@dataclass(frozen=True, slots=True)
class Word:
    """A word, lower-case, with what stands between it and its neighbours."""

    text: str
    shown: str  # as written
    before: str
    after: str

    @property
    def negates(self) -> bool:
        """Whether it turns what follows into its opposite."""
        return self.text in NEGATIONS or self.text.endswith("n't")


def strip_markup(text: str) -> str:
    """The text without Markdown, HTML and LaTeX, and without what was struck out."""
    text = html.unescape(unicodedata.normalize("NFKC", text)).replace("’", "'").replace("‘", "'")
    text = _LINE_TAG.sub("\n", _STRUCK_OUT.sub(" ", text))
    return _MARKUP.sub("", _LATEX_COMMAND.sub(" ", _TAG.sub(" ", text)))


def split_words(text: str) -> list[Word]:
    """The words of ``text`` in order."""
    found = list(_WORD.finditer(text))
    starts = [0, *(match.end() for match in found)]
    ends = [*(match.start() for match in found), len(text)]
    gaps = [text[start:end] for start, end in zip(starts, ends, strict=True)]
    return [_word(match.group(), gaps[index], gaps[index + 1]) for index, match in enumerate(found)]


def _word(shown: str, before: str, after: str) -> Word:
    if len(shown) == 1:
        shown = shown.translate(_LOOK_ALIKES)
    return Word(shown.casefold(), shown, before, after)


def texts(words: Sequence[Word]) -> list[str]:
    """The bare words."""
    return [word.text for word in words]
