"""An answer as sentences and clauses, and which of them belong to which numbered sub-question."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from typing import NamedTuple

from .words import Word, has_words, split_words

_SENTENCE_END = re.compile(r"(?<![.!?])[.!?]++(?=\s|$)|\n\s*\n|\n(?=\s*(?:[-*•#]|\(?\d{1,2}[.):]))")
_CLAUSE_END = re.compile(
    r"[,;:\n]|\s[-–—=]\s|\b(?:but|so|because|since|while|whereas|although|and|therefore)\b", re.IGNORECASE
)
_NUMBER = re.compile(r"(?:(?<=\s)|(?<=^))[(\[*_#]{0,3}(?:[Qq])?([1-9]|[a-f])[)\].:][*_]{0,2}(?=\s|[A-Za-z])")
_LETTERS = "abcdef"
MOST_CHARACTERS = 20_000  # of an answer that are read


class Piece(NamedTuple):
    """A sentence or a clause. ``part`` is the sub-question that it answers by its number, if any."""

    start: int
    end: int
    words: tuple[Word, ...]
    part: int | None = None
    is_sure: bool = True  # numbered by the student, not merely as many pieces as there are sub-questions


def split_sentences(text: str, parts: int = 0) -> list[Piece]:
    """The sentences of ``text``, within its numbered parts. ``parts``: how many sub-questions there are."""
    text = text[:MOST_CHARACTERS]
    words = split_words(text)
    sections = _number(text) or _count(text, parts) or [(0, len(text), None, True)]
    return [
        piece
        for start, end, part, is_sure in sections
        for piece in _split(text, words, (start, end), _SENTENCE_END, part, is_sure=is_sure)
    ]


def split_clauses(sentence: Piece, text: str) -> list[Piece]:
    """The clauses of a sentence; itself, where it has one."""
    section = (sentence.start, sentence.end)
    return _split(text, sentence.words, section, _CLAUSE_END, sentence.part, is_sure=sentence.is_sure)


def join_pieces(pieces: Sequence[Piece]) -> Piece:
    """Neighbouring pieces as one."""
    words = tuple(word for piece in pieces for word in piece.words)
    return Piece(pieces[0].start, pieces[-1].end, words, pieces[0].part, pieces[0].is_sure)


def take_words(piece: Piece, positions: Sequence[int]) -> Piece:
    """The stretch of neighbouring words at these positions."""
    words = piece.words[positions[0] : positions[-1] + 1]
    return Piece(words[0].start, words[-1].end, words, piece.part, piece.is_sure)


def _number(text: str) -> list[tuple[int, int, int | None, bool]]:
    """Sections that begin with 1., 2., … (or a), b), …) in this order; at least two of them."""
    found: list[tuple[int, int, int]] = []
    for match in _NUMBER.finditer(text):
        number = int(match[1]) if match[1].isdigit() else _LETTERS.index(match[1]) + 1
        if number == (found[-1][2] if found else 0) + 1:
            found.append((match.start(), match.end(), number))
    if len(found) < 2:
        return []
    ends = [start for start, _, _ in found[1:]] + [len(text)]
    before: list[tuple[int, int, int | None, bool]] = [(0, found[0][0], None, True)] if found[0][0] else []
    return before + [(begin, end, number, True) for (_, begin, number), end in zip(found, ends, strict=True)]


def _count(text: str, parts: int) -> list[tuple[int, int, int | None, bool]]:
    """As many pieces as sub-questions, parted by semicolons, lines or full stops, answer them in order."""
    if parts < 2:
        return []
    for parting in (";", "\n", ". "):
        pieces, at = [], 0
        for piece in text.split(parting):
            if has_words(piece):
                pieces.append((at, at + len(piece)))
            at += len(piece) + len(parting)
        if len(pieces) == parts:
            return [(start, end, number, False) for number, (start, end) in enumerate(pieces, 1)]
    return []


def _split(
    text: str,
    words: Sequence[Word],
    section: tuple[int, int],
    border: re.Pattern[str],
    part: int | None,
    *,
    is_sure: bool,
) -> list[Piece]:
    """The stretches of a section between borders; ``words`` are those of the text, or of the section."""
    start, end = section
    pieces: list[Piece] = []
    at = start
    starts = [word.start for word in words]
    borders = [(m.start(), m.end()) for m in border.finditer(text, start, end)] + [(end, end)]
    for stop, following in borders:
        first = bisect_left(starts, at)
        inside = tuple(words[first : bisect_left(starts, stop, first)])
        if inside:
            pieces.append(Piece(inside[0].start, inside[-1].end, inside, part, is_sure))
        # A conjunction belongs to the clause that it opens, a full stop to the sentence that it ends.
        at = stop if text[stop : stop + 1].isalpha() else following
    return pieces
