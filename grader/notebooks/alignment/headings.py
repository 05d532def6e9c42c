"""Headings of parts, as the template prints them or as students do ("Q3:", "## Answer to question 3")."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz

from grader.domain.rubric import Part
from grader.notebooks.alignment.words import Line, after_words, balance_stars, make_key

_LEAD = frozenset(
    {"answer", "answers", "ans", "to", "for", "of", "my", "your", "the", "response", "solution"}
)
_MOST_WORDS = 8  # of a line, in which a heading must be named
_LONGEST = 400  # characters; a longer line is no heading alone, its beginning may be
_SEPARATORS = ("", ":", ".", ")", "-", "–", "—", "(", "]", "#", "|")
_CLOSING = re.compile(r"[*_]{0,3}\s{0,9}[:.)\]–—|-]{0,3}\s{0,9}")
_MARKUP = re.compile(r"[\s#>*_\-+]*")


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading that names a part."""

    part: str
    rest: str  # words of the student's own behind it
    is_plain: bool  # neither a Markdown heading nor the template's full words: a weak sign


Names = Mapping[tuple[str, ...], Part]


def name_parts(parts: Sequence[Part]) -> Names:
    """Every part by its heading's words, and by how students shorten them: "Q3", "Q. 3"."""
    names: dict[tuple[str, ...], Part] = {}
    for part in parts:
        words = make_key(part.heading).split()
        if len(words) == 2 and words[1].isdigit():
            for short in {words[0][0], words[0][:2]} if words[0] != "question" else {"q"}:
                names |= {(short + words[1],): part, (short, words[1]): part}
            names[("".join(words),)] = part
        names[tuple(words)] = part
    return names


def find_heading(line: Line, names: Names) -> Heading | None:
    """The part that a line names at its beginning, if it does so as a heading does."""
    words = line.key.split(" ", _MOST_WORDS)[:_MOST_WORDS]
    lead = 0
    while lead < min(4, len(words)) and words[lead] in _LEAD:
        lead += 1
    for length in (2, 1, 3, 4):
        name = tuple(words[lead : lead + length])
        part = names.get(name)
        if part is not None:
            full = len(name) > 1 and len(name[0]) > 2  # "Question 10", not "Q10"
            return _read_heading(line.text, part, lead + len(name), full=full)
    return None


def first_words_of_headings(names: Names) -> set[str]:
    """Words that a line with a heading can begin with."""
    return {words[0] for words in names if words} | _LEAD


def _read_heading(text: str, part: Part, count: int, *, full: bool) -> Heading | None:
    marks = _MARKUP.match(text)
    before = marks[0] if marks else ""
    is_marked = "#" in before or "**" in before or "__" in before
    behind = after_words(text, count)
    separator = behind.lstrip(" *_")[:1]
    if separator not in _SEPARATORS and "#" not in before:
        return None  # "Question 3 asks about …" is a sentence
    closing = _CLOSING.match(behind)
    rest = balance_stars(behind[closing.end() if closing else 0 :].strip())
    if len(text) <= _LONGEST:
        rest = _take_off_title(rest, part, keep=separator == ":" or "#" not in before)
    return Heading(part.key, rest, is_plain=not (is_marked and full))


def _take_off_title(rest: str, part: Part, *, keep: bool) -> str:
    """What is left when the template's "(Short Answer)" and title are taken off."""
    rest = re.sub(r"^\((?:short answer|multiple choice|[^()]{0,30})\)", "", rest, flags=re.IGNORECASE)
    rest = rest.strip(" -–—:")
    key, title = make_key(rest), make_key(part.title)
    if not key or fuzz.ratio(key, title) >= 75 or set(key.split()) <= {*title.split(), "short", "answer"}:
        return ""
    if key.startswith(title + " ") and title:
        return after_words(rest, len(title.split())).strip(" :.-–—*_")
    return rest if keep or len(key.split()) > 3 else ""
