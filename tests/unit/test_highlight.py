"""Marks in a student's words."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from grader.web.pages.highlight import Piece, cut


def test_overlapping_spans_are_told_apart() -> None:
    assert cut("abcdef", [(0, 4), None, (2, 6)]) == [
        Piece("ab", (1,)),
        Piece("cd", (1, 3)),
        Piece("ef", (3,)),
    ]


def test_what_lies_outside_the_text_marks_nothing() -> None:
    assert cut("abc", [(2, 9), (-1, 2), (2, 2)]) == [Piece("abc", ())]
    assert cut("", [(0, 1)]) == []


@given(
    st.text(max_size=40),
    st.lists(st.none() | st.tuples(st.integers(-2, 45), st.integers(-2, 45)), max_size=5),
)
def test_no_character_is_lost_or_doubled(text: str, spans: list[tuple[int, int] | None]) -> None:
    assert "".join(piece.text for piece in cut(text, spans)) == text
