"""What alignment promises beside the layouts of `test_align_cases`."""

from __future__ import annotations

import json
from typing import Any

import pytest

from grader.domain.answers import Alignment, Answer, AnswerState
from grader.domain.notebook import Cell, CellKind, Notebook
from grader.domain.rubric import PartKind
from grader.notebooks.alignment.align import align
from grader.notebooks.read import read_notebook
from tests.unit.notebook_builders import (
    CHOICE,
    LABEL,
    LAYOUTS,
    LIMITS,
    QUESTIONS,
    SHORT,
    TEMPLATE_FILE,
    Draft,
    DraftCell,
    as_json,
    draft,
    parts,
    template,
)

PARTS = parts()
TEXT = "The code is far too small to store every picture, so it keeps what digits share."
OTHER = "It could simply store the training images one by one."


def _align(made: Draft, layout: str = "one_cell") -> Alignment:
    return align(made.build(), template(layout), PARTS)


def _answer(made: Draft, part: str) -> Answer:
    return _align(made).answers[part]


# -- states -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_template_as_handed_out_answers_nothing(layout: str) -> None:
    alignment = _align(draft(layout), layout)
    assert {answer.state for answer in alignment.answers.values()} == {AnswerState.PLACEHOLDER}
    assert alignment.answers["q3"].explanation_state is AnswerState.PLACEHOLDER
    assert alignment.unmapped == ()


def test_the_solution_answers_everything() -> None:
    solution = read_notebook(TEMPLATE_FILE.with_name("solution.ipynb").read_bytes(), LIMITS)
    alignment = align(solution, template(), PARTS)
    assert {answer.state for answer in alignment.answers.values()} == {AnswerState.ANSWERED}
    for part in ("q3", "q6"):
        answer = alignment.answers[part]
        assert (answer.text, answer.explanation_state) == ("B", AnswerState.ANSWERED)
    assert alignment.unmapped == ()


@pytest.mark.parametrize("part", QUESTIONS)
def test_a_deleted_placeholder_is_blank(part: str) -> None:
    made = draft()
    made.answer(part, "", "" if part in ("q3", "q6") else None)
    answer = _answer(made, part)
    assert (answer.state, answer.explanation_state) == (AnswerState.BLANK, AnswerState.BLANK)


@pytest.mark.parametrize("nothing", ["...", "-", "---", "**", "[]", "<br>", "<p></p>", "&nbsp;", "```\n```"])
def test_an_answer_without_a_word_is_blank(nothing: str) -> None:
    made = draft()
    made.answer("q1", nothing)
    assert _answer(made, "q1").state is AnswerState.BLANK


def test_a_deleted_question_is_missing() -> None:
    made = draft()
    made.cells = [cell for cell in made.cells if cell.part != "q4"]
    answer = _answer(made, "q4")
    assert (answer.state, answer.text, answer.candidates) == (AnswerState.MISSING, "", ())


def test_two_different_answers_are_ambiguous_and_both_are_shown() -> None:
    made = draft()
    made.answer("q1", TEXT)
    made.append(draft().text_of("q1").replace(SHORT, OTHER))
    answer = _answer(made, "q1")
    assert answer.state is AnswerState.AMBIGUOUS
    assert [candidate.excerpt for candidate in answer.candidates] == [TEXT, OTHER]
    assert answer.text == f"{TEXT}\n\n{OTHER}"


def test_two_different_choices_are_ambiguous() -> None:
    made = draft()
    made.answer("q3", "B")
    made.append(draft().text_of("q3").replace(CHOICE, "C"))
    assert _answer(made, "q3").state is AnswerState.AMBIGUOUS


def test_a_large_notebook_with_many_outputs_and_pictures_is_aligned_as_a_small_one() -> None:
    made = draft()
    for part in QUESTIONS:
        made.answer(part, "B" if part in ("q3", "q6") else f"{TEXT} That is the answer to {part}.")
    small = _align(made)
    picture = f"data:image/png;base64,{'iVBORw0KGgo+' * 20_000}"
    made.below("q1", f"![my plot]({picture})")
    made.below("q2", f'<img src="{picture}">')
    for number in range(300):
        made.append(f"loss_{number} = history[{number}]", CellKind.CODE)
    document: dict[str, Any] = as_json(made.build())
    for cell in document["cells"][-300:]:
        cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": ["step 1 loss 0.1\n"] * 500}]
    large = align(read_notebook(json.dumps(document).encode(), LIMITS), template(), PARTS)
    assert large.unmapped == ()
    shown = {"q1": "\n\n![my plot](data:…)", "q2": "\n\n![image]()"}
    assert {part: large.answers[part].text for part in QUESTIONS} == {
        part: small.answers[part].text + shown.get(part, "") for part in QUESTIONS
    }


def test_an_empty_notebook_misses_everything() -> None:
    answers = align(Notebook((Cell(0, CellKind.CODE, ""),)), template(), PARTS).answers
    assert {answer.state for answer in answers.values()} == {AnswerState.MISSING}


# -- what belongs to no part ------------------------------------------------------------------------


def test_what_belongs_to_no_part_is_kept_and_offered_to_the_part_that_misses_its_answer() -> None:
    made = draft()
    made.cells = [cell for cell in made.cells if cell.part not in ("q7", "q8")]
    made.append("Noise is removed, and that is an additional gain.\n\nAnd so on, I suppose.")
    alignment = _align(made)
    assert [candidate.cell for candidate in alignment.unmapped] == [len(made.cells) - 1]
    assert "additional gain" in alignment.answers["q7"].candidates[0].excerpt
    assert alignment.answers["q7"].candidates[0].score > alignment.answers["q8"].candidates[0].score


def test_a_title_of_the_student_is_unmapped_and_no_answer() -> None:
    made = draft()
    made.cells.insert(0, DraftCell(CellKind.MARKDOWN, "# Ada Lovelace\nGroup 7"))
    alignment = _align(made)
    assert [candidate.excerpt for candidate in alignment.unmapped] == ["# Ada Lovelace\nGroup 7"]


def test_an_excerpt_is_at_most_300_characters() -> None:
    made = draft()
    made.append("word " * 1000)
    assert [len(candidate.excerpt) for candidate in _align(made).unmapped] == [300]


def test_one_text_between_two_questions_is_the_missing_one_with_less_confidence() -> None:
    made = draft()
    made.answer("q1", TEXT)
    for cell in made.of("q4"):
        cell.source = f"{LABEL}\n\n{OTHER}"
    made.without_ids()
    answers = _align(made).answers
    assert answers["q4"].text == OTHER
    assert answers["q4"].confidence < answers["q1"].confidence == 1.0


def test_a_cell_whose_words_are_the_next_questions_is_not_the_one_befores() -> None:
    text = "A denoising autoencoder is more robust, related to data augmentation: an additional capability."
    made = draft()
    made.without_ids()
    made.answer("q6", "B", "A balance is needed.")
    made.cells = [cell for cell in made.cells if cell.part != "q7"]
    made.below("q6", text)
    answers = _align(made).answers
    assert (answers["q6"].explanation, answers["q7"].text) == ("A balance is needed.", text)
    assert answers["q7"].confidence < 0.7


# -- ids --------------------------------------------------------------------------------------------


def _swap_answers(made: Draft) -> None:
    """The answers' cells of two questions have changed places; nothing but their ids tells."""
    made.answer("q1", TEXT)
    made.answer("q2", OTHER)
    first, second = (made.cells.index(made.of(part)[1]) for part in ("q1", "q2"))
    made.cells[first], made.cells[second] = made.cells[second], made.cells[first]


def test_ids_are_believed_where_the_content_of_other_cells_agrees_with_them() -> None:
    made = draft("separate_cells")
    _swap_answers(made)
    answers = _align(made, "separate_cells").answers
    assert (answers["q1"].text, answers["q2"].text) == (TEXT, OTHER)
    assert answers["q1"].confidence < 1


def test_ids_are_not_believed_where_any_content_contradicts_them() -> None:
    made = draft("separate_cells")
    _swap_answers(made)
    made.of("q5")[0].id, made.of("q6")[0].id = made.of("q6")[0].id, made.of("q5")[0].id
    answers = _align(made, "separate_cells").answers
    assert (answers["q1"].text, answers["q2"].text) == (OTHER, TEXT)


def test_an_assignment_without_questions_finds_no_answer_in_a_students_words() -> None:
    exercises = [part for part in PARTS if part.kind is PartKind.EXERCISE]
    words = Cell(0, CellKind.MARKDOWN, "Some words of my own about what the training did to the loss.")
    alignment = align(Notebook((words,)), template(), exercises)
    assert [candidate.cell for candidate in alignment.unmapped] == [0]
