"""Aligning takes as much more work as there is more to read, whatever a notebook is made of."""

from __future__ import annotations

import sys
from types import FrameType
from typing import Any

import pytest

from grader.domain.notebook import Cell, CellKind, Notebook
from grader.domain.rubric import Part, PartKind
from grader.notebooks.alignment.align import align

OPTIONS = {"A": "The model is working perfectly", "B": "The model is overfitting"}
QUESTION = (
    "## Question 1: Loss\nWhat happens?\nA) The model is working perfectly\nB) The model is overfitting\n"
)
PARTS = (
    Part("q1", PartKind.CHOICE, "Question 1", "Loss", OPTIONS),
    Part("q2", PartKind.SHORT_ANSWER, "Question 2", "Depth"),
)
HOSTILE = {
    "headings that may number sub-questions": lambda count: "Question 1: x\n" * count,
    "a heading of its own for every answer": lambda count: "".join(
        f"## Question 2\nanswer {number}\n" for number in range(count)
    ),
    "misspelt options, then headings": lambda count: (
        QUESTION + "A) The model is workin perfectly\n" * count + "## Question 1\n" * count
    ),
    "as many labels as lines": lambda count: QUESTION + "Answer: x\n" * count,
    "many headings in one line": lambda count: "Q1: B, Q2: deep, " * count,
    "lines of two letters": lambda count: "ab\n" * count,
    "one long line": lambda count: "word " * count,
}


def _notebook(*sources: str) -> Notebook:
    return Notebook(
        tuple(Cell(index, CellKind.MARKDOWN, source, None) for index, source in enumerate(sources))
    )


TEMPLATE = _notebook(QUESTION + "**Your Answer**: [Write your answer here]", "## Question 2: Depth\nWhy?")


def _count_steps(submitted: Notebook) -> int:
    """How many of the interpreter's steps it takes to align this."""
    steps = 0

    def follow(frame: FrameType, event: str, _argument: Any) -> Any:
        nonlocal steps
        frame.f_trace_opcodes = True
        steps += event == "opcode"
        return follow

    before = sys.gettrace()
    sys.settrace(follow)
    try:
        align(submitted, TEMPLATE, PARTS)
    finally:
        sys.settrace(before)
    return steps


@pytest.mark.parametrize("kind", HOSTILE)
def test_twice_as_much_to_read_is_at_most_some_twice_the_work(kind: str) -> None:
    few, many = (_count_steps(_notebook(HOSTILE[kind](count))) for count in (500, 1000))
    assert many < 2.3 * few


def test_a_line_may_name_any_number_of_headings() -> None:
    alignment = align(_notebook("Q1: B, Q2: deep, " * 20_000), TEMPLATE, PARTS)
    assert alignment.answers["q1"].text
