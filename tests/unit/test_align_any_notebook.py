"""Properties: answers are found exactly, nothing fails, and no word is lost."""

from __future__ import annotations

import re

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from grader.domain.answers import Alignment, AnswerState
from grader.domain.notebook import Cell, CellKind, Notebook
from grader.notebooks.alignment.align import align
from grader.notebooks.alignment.words import make_key
from tests.unit.notebook_builders import (
    CHOICE,
    LABEL,
    LAYOUTS,
    QUESTIONS,
    SHORT,
    WHY,
    Draft,
    DraftCell,
    draft,
    parts,
    template,
)

PARTS = parts()


def _align(made: Draft, layout: str = "one_cell") -> Alignment:
    return align(made.build(), template(layout), PARTS)


_WORDS = st.text(alphabet="abcdefghijklmnoprstuvwyz", min_size=3, max_size=9)
_SENTENCE = st.lists(_WORDS, min_size=4, max_size=20).map(lambda words: " ".join(words).capitalize() + ".")
_PLACES = (
    "placeholder", "brackets", "below placeholder", "label's line", "before label", "label deleted",
    "new cell", "new raw cell", "new code cell", "new string cell", "html",
)  # fmt: skip
_ARRANGEMENTS = ("as it is", "reversed", "merged", "no ids", "no headings")


def _write(made: Draft, part: str, text: str, place: str) -> None:
    label = f"{LABEL}\n\n{SHORT}"
    in_place = {
        "placeholder": (SHORT, text),
        "brackets": (SHORT, f"[{text}]"),
        "below placeholder": (SHORT, f"{SHORT}\n\n{text}"),
        "label's line": (label, f"{LABEL} {text}"),
        "before label": (label, f"{text}\n\n{LABEL}"),
        "label deleted": (label, text),
        "html": (SHORT, f"<p><b>{text}</b></p>"),
    }
    if place in in_place:
        made.replace(part, *in_place[place])
        return
    source, kind = {
        "new cell": (text, CellKind.MARKDOWN),
        "new raw cell": (text, CellKind.RAW),
        "new code cell": (f"# {text}", CellKind.CODE),
        "new string cell": (f'"""{text}"""', CellKind.CODE),
    }[place]
    last = made.cells.index(made.of(part)[-1])
    made.cells.insert(last + 1, DraftCell(kind, source, part=part))


def _arrange(made: Draft, arrangement: str) -> None:
    if arrangement == "reversed":
        start = made.cells.index(made.of("q1")[0])
        groups = [made.of(key) for key in reversed(QUESTIONS)]
        made.cells[start : start + sum(map(len, groups))] = [cell for group in groups for cell in group]
    elif arrangement == "merged" and all(
        c.kind is CellKind.MARKDOWN for c in made.cells if c.part in QUESTIONS
    ):
        made.merge(*QUESTIONS)
    elif arrangement == "no ids":
        made.without_ids()
    elif arrangement == "no headings":
        for key in QUESTIONS:
            made.drop_lines(key, r"^### ")


@given(
    st.dictionaries(
        st.sampled_from([key for key in QUESTIONS if key not in ("q3", "q6")]),
        st.tuples(_SENTENCE, st.sampled_from(_PLACES)),
        max_size=8,
    ),
    st.sampled_from(_ARRANGEMENTS),
    st.sampled_from(LAYOUTS),
)
@settings(max_examples=150, deadline=None)
def test_every_answer_is_found_exactly_in_every_layout(
    written: dict[str, tuple[str, str]], arrangement: str, layout: str
) -> None:
    assume(len({text for text, _ in written.values()}) == len(written))
    made = draft(layout)
    for part, (text, place) in written.items():
        _write(made, part, text, place)
    _arrange(made, arrangement)
    answers = _align(made, layout).answers
    assert {key: a.text for key, a in answers.items() if a.text} == {
        k: text for k, (text, _) in written.items()
    }


_FRAGMENTS = st.sampled_from(
    [
        *(line for cell in template().cells for line in cell.source.split("\n")),
        *(LABEL, SHORT, CHOICE, WHY, "Answer:", "**Explanation:**", "Q3: B", "## Q7", "[", "]", "**"),
        *("```", "---", "<b>", "</p>", "<script>", "# ", '"""', "'", "\\", "$$", "B"),
        *("[x] B) The model is overfitting", "\N{NO-BREAK SPACE}"),
    ]
)  # fmt: skip
_CELLS = st.lists(
    st.tuples(
        st.sampled_from(CellKind),
        st.lists(st.one_of(_FRAGMENTS, st.text(max_size=30)), max_size=12).map("\n".join),
        st.sampled_from([None, "question-1", "question-2", "x"]),
    ),
    max_size=12,
)


@given(_CELLS)
@settings(max_examples=150, deadline=None)
def test_no_notebook_makes_alignment_fail(cells: list[tuple[CellKind, str, str | None]]) -> None:
    notebook = Notebook(tuple(Cell(i, kind, text, id_) for i, (kind, text, id_) in enumerate(cells)))
    alignment = align(notebook, template(), PARTS)
    assert list(alignment.answers) == [part.key for part in PARTS]
    assert align(notebook, template(), PARTS) == alignment
    for answer in alignment.answers.values():
        assert bool(answer.text) == (answer.state in (AnswerState.ANSWERED, AnswerState.AMBIGUOUS))
        assert all(0 <= candidate.score <= 1 for candidate in answer.candidates)


@given(
    st.lists(
        st.tuples(
            st.integers(0, 30),
            st.sampled_from([CellKind.MARKDOWN, CellKind.RAW]),
            st.lists(st.integers(0, 10**9).map(lambda n: f"zq{n} vx{n} jk{n}"), min_size=1, max_size=3),
        ),
        max_size=8,
    ),
    st.sets(st.sampled_from(QUESTIONS)),
    st.sampled_from(LAYOUTS),
)
@settings(max_examples=150, deadline=None)
def test_every_word_of_a_text_cell_is_in_an_answer_or_unmapped(
    inserted: list[tuple[int, CellKind, list[str]]], deleted: set[str], layout: str
) -> None:
    made = draft(layout)
    made.cells = [cell for cell in made.cells if cell.part not in deleted]
    for position, kind, lines in inserted:
        made.cells.insert(position, DraftCell(kind, "\n\n".join(lines)))
    alignment = _align(made, layout)
    kept = [f"{answer.text} {answer.explanation}" for answer in alignment.answers.values()]
    kept += [made.cells[candidate.cell].source for candidate in alignment.unmapped]
    words = set(make_key(" ".join(kept)).split())
    assert words >= {word for _, _, lines in inserted for line in lines for word in line.split()}


def test_hostile_notebooks_are_aligned() -> None:
    """Sizes at which anything worse than linear would run into the suite's time limit."""
    almost = re.sub("e", "a", template().cells[7].source)
    hostile = [
        "[" * 200_000, "<" * 200_000, "<b " * 70_000, "*" * 200_000, "\\'''" * 50_000, '"' * 200_000,
        "\n".join(f"{LABEL} {n}" for n in range(3000)), "### Question 1 (Short Answer)\na\n" * 2000,
        "a\n" * 30_000, almost * 300, "# " * 100_000, "write your answer " * 10_000,
        "&amp;" * 40_000, "(data:" * 30_000,
        "<script>" * 20_000, "(" * 100_000, "- " * 100_000, "a. " * 60_000, "Question 1 " * 20_000,
    ]  # fmt: skip
    cells = [
        Cell(at, kind, source)
        for at, (kind, source) in enumerate((kind, source) for source in hostile for kind in CellKind)
    ]
    assert align(Notebook(tuple(cells)), template(), PARTS).answers["q1"].state is AnswerState.AMBIGUOUS
