"""Cells that belong to no part and may hold an answer whose own place is gone or empty."""

from __future__ import annotations

import re
from collections.abc import Sequence

from grader.domain.answers import Alignment, Answer, AnswerState, Candidate
from grader.domain.rubric import Part

from .choices.reading import read_choice

_EMPTY = frozenset({AnswerState.BLANK, AnswerState.PLACEHOLDER})
_ABOUT_HOMEWORK = 0.3  # closeness of an unplaced cell to the nearest prompt
_MOST_READ = 100  # cells that belong nowhere; among more a human looks for what is meant
_FEWEST_WORDS = 3  # that are no names: the tersest answer to several questions
_FEWEST_IN_HEADING = 5
_LONGER_THAN_A_NAME = 12  # words: who says so much may be answering, whatever the words
_NUMBERED = re.compile(
    r"\W{0,9}(?:(?:question|answer|ans|q|a)\W{0,3})?\d{1,2} ?[.:)=|–-]", re.IGNORECASE
)  # "3: B"
_WHO_AND_WHAT = re.compile(  # "Name: …", "Student ID: …", "Homework 5"
    r"[\s#>*_\-+]{0,12}(?:(?:(?:full|first|last|family|student|group|team|matriculation|my|your) )?"
    r"(?:names?|student|id|number|group|team|partner|authors?|e-?mail|course|section|date)[\s*_]{0,4}:"
    r"|(?:group|team|homework|week|assignment|exercise)\W{1,3}\d{1,4}\W*\Z)",
    re.IGNORECASE,
)
_NO_WORDS = re.compile(  # pictures, addresses and thanks
    r"!\[[^\]]*\](?:\([^)]*\))?|\S{0,99}(?:://|@)\S*"
    r"|\b(?:thanks|thank you)(?! to\b)(?: (?:so|very) much| a lot)?(?: for [^.!?]{0,60})?",
    re.IGNORECASE,
)
_NAME = re.compile(r"(?<=[\w,)&])[ \t]{1,9}[*_]{0,3}[A-Z][^\W\d_A-Z]+")  # not where a sentence begins
# Where words are written without spaces, up to three characters are one.
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]{1,3}|[^\W\d_]+(?:['’-][^\W\d_]+)*")


def list_candidates(answer: Answer, alignment: Alignment, part: Part) -> Sequence[Candidate]:
    """Cells that may hold this answer.

    Where its place is gone, whatever belongs nowhere else may be it; where its place is empty, only what says
    something. Nothing tells which of several empty answers is meant, so that each of them has these cells.
    """
    if answer.candidates or answer.state is AnswerState.AMBIGUOUS:
        return answer.candidates
    if answer.state is AnswerState.MISSING:
        return alignment.unmapped
    if is_empty(answer.state, answer.text):
        if len(alignment.unmapped) > _MOST_READ:
            return alignment.unmapped
        return tuple(candidate for candidate in alignment.unmapped if _may_answer(candidate, part))
    return ()


def is_empty(state: AnswerState, text: str) -> bool:
    """Whether nothing of the student's own stands there."""
    return state in _EMPTY or (state is AnswerState.ANSWERED and not text.strip())


def _may_answer(candidate: Candidate, part: Part) -> bool:
    words = candidate.excerpt
    return (
        candidate.score >= _ABOUT_HOMEWORK
        or len(words.split()) >= _LONGER_THAN_A_NAME
        or _NUMBERED.match(words) is not None
        or sum(map(_count_said, words.splitlines())) >= _FEWEST_WORDS
        or (bool(part.options) and read_choice(words, part.options).letter is not None)
    )


def _count_said(line: str) -> int:
    """The words of a line, but not names, thanks, short headings, and whose work it is."""
    if _WHO_AND_WHAT.match(line):
        return 0
    said = len(_WORD.findall(_NAME.sub("", _NO_WORDS.sub("", line))))
    return 0 if line.lstrip().startswith("#") and said < _FEWEST_IN_HEADING else said
