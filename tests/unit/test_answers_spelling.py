"""Slips of the keyboard are read as what was meant, and other words as they are."""

from __future__ import annotations

import pytest

from grader.checks.answers.spelling import mend
from tests.unit.marked import proposed


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("simmilar", "similar"),
        ("latnet", "latent"),
        ("importnat", "important"),
        ("distnace", "distance"),
        ("modle", "model"),
    ],
)
def test_a_letter_more_or_less_or_two_swapped_are_mended(written: str, meant: str) -> None:
    assert mend(written) == meant


@pytest.mark.parametrize("word", ["form", "angle", "through", "learner", "größer", "simmilar" * 2_500, ""])
def test_other_words_stay_as_they_are(word: str) -> None:
    assert mend(word) == word


def test_an_answer_with_slips_earns_what_it_earns_without() -> None:
    clean = "It cannot store every input, because the code has not enough capacity."
    slips = "It cannot store every inptu, becuase the code has not enough capcity."
    assert proposed("q1", slips).points == proposed("q1", clean).points > 0
