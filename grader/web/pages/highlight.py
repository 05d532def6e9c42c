"""A student's words cut where a proposal rests on them, so that a page can mark them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

Span = tuple[int, int]  # characters from and to


@dataclass(frozen=True, slots=True)
class Piece:
    """Words in a row, and the numbers (from 1) of the spans that hold them."""

    text: str
    marks: tuple[int, ...]


def cut(text: str, spans: Sequence[Span | None]) -> list[Piece]:
    """The whole text in pieces. ``spans`` may overlap; what lies outside the text marks nothing."""
    inside = [(n, *span) for n, span in enumerate(spans, 1) if span and 0 <= span[0] < span[1] <= len(text)]
    edges = sorted({0, len(text), *(edge for _, *span in inside for edge in span)})
    return [
        Piece(text[start:end], tuple(n for n, low, high in inside if low <= start and end <= high))
        for start, end in pairwise(edges)
    ]
