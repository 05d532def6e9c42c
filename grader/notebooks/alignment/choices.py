"""Lists of options: whether a line is one of them, and which one a student marked in the list."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from rapidfuzz import fuzz

from grader.domain.rubric import Part
from grader.notebooks.alignment.words import STRONG, STRUCK, Line, make_key

_MOST_EXTRA_WORDS = 3  # "x", "my answer", "correct": more is a sentence of the student's
_MARKS = re.compile(r"<-|<=|←|⬅|->|=>|→|➡|✓|✔|☑|✅|👈|👉|\[[xX]\]|\*\*|__|==|\*{3}")
_STRUCK = re.compile(r"~~|❌|✗|✘")
_LETTER = re.compile(r"[^\w]{0,12}(?:\[?[xX ]?\]?\s{0,2})?[^\w]{0,6}([A-Za-z])\s{0,2}[).:\]–-]")


def find_option(text: str, part: Part) -> tuple[str, int] | None:
    """The letter of the option that a line prints, and how many other words stand there."""
    key = make_key(text)
    if len(key) > 400:
        return None
    letter = _LETTER.match(text)
    for option, words in part.options.items():
        wanted = make_key(f"{option} {words}")
        if f" {wanted} " in f" {key} ":
            extra = len(key.split()) - len(wanted.split())
            return (option, extra) if extra <= _MOST_EXTRA_WORDS else None
        if letter and letter[1].upper() == option and fuzz.ratio(key, wanted) >= 80:
            return option, 0
    return None


def is_option_line(line: Line, part: Part) -> bool:
    """Whether a line is one of the options, perhaps marked or misspelt."""
    return find_option(line.text, part) is not None


def split_lists(lines: Sequence[tuple[int, str]], part: Part) -> tuple[list[list[str]], list[int]]:
    """Neighbouring option lines as lists, and the positions of those that stand alone (each option once).

    `lines` are (position, raw line); positions that follow one another are neighbours.
    """
    lists: list[list[tuple[int, str, str]]] = []
    for position, raw in lines:
        found = find_option(raw, part)
        letter = found[0] if found else ""
        last = lists[-1][-1] if lists else None
        if last is None or position != last[0] + 1 or letter <= last[2]:
            lists.append([])
        lists[-1].append((position, raw, letter))
    alone: dict[str, int] = {}
    for listed in lists:
        if len(listed) == 1:
            alone.setdefault(listed[0][2], listed[0][0])
    return [[raw for _, raw, _ in found] for found in lists if len(found) > 1], sorted(alone.values())


def find_marked(lists: Iterable[Sequence[str]], part: Part) -> list[str]:
    """The letters that are marked in lists of options, or the one that was not struck out."""
    marked: set[str] = set()
    struck: set[str] = set()
    listed: set[str] = set()
    for lines in lists:
        for raw in lines:
            letter, extra = find_option(raw, part) or ("", 0)
            listed.add(letter)
            if STRUCK in raw or _STRUCK.search(raw):
                struck.add(letter)
            elif extra or STRONG in raw or _MARKS.search(_without(raw, part)):
                marked.add(letter)
    if not marked and len(listed - struck) == 1 and struck:
        return sorted(listed - struck)
    return sorted(marked) if marked < listed else []


def names_an_option(text: str, part: Part) -> bool:
    """Whether a short line says which option is chosen, rather than why."""
    key = make_key(text)
    words = key.split()
    if not words or len(words) > 12:
        return False
    letters = {letter.casefold() for letter in part.options}
    if len(words) <= 3 and set(words) & letters:
        return True
    if words[0] in letters and (len(words) < 2 or text.strip(" *_(")[1:2] in (")", ".", ":", "*", "_", ",")):
        return True
    named = re.search(r"\b(?:option|answer|choice)(?: is)? ([a-z])\b", key)
    if named and named[1] in letters:
        return True
    options = [make_key(option) for option in part.options.values()]
    return any(key == option or fuzz.ratio(key, option) >= 90 for option in options)


def _without(raw: str, part: Part) -> str:
    """A line without the option's own text: a mark that the template itself prints is none."""
    for words in part.options.values():
        if words in raw:
            return raw.replace(words, "")
    return raw
