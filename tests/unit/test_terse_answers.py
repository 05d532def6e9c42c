"""A right but terse answer, wherever it stands, is no zero that nobody has looked at; a blank one is."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from grader.assignments import Assignment, load_assignment
from grader.checks.judge import judge
from grader.domain.grade import ItemGrade, ItemState
from grader.domain.notebook import CellKind
from grader.notebooks.alignment.align import align
from tests.unit.judging import make_evidence
from tests.unit.notebook_builders import CHOICE, WHY, Draft, DraftCell, draft, template

WRITTEN = [f"q{n}" for n in (1, 2, 4, 5, 7, 8, 9, 10)]
EMPTY = [*WRITTEN, "q3.choice", "q3.explanation", "q6.choice", "q6.explanation", "ex1.observations"]
HINT = "**Hint**: Large gap between train and test = overfitting."


@cache
def _homework() -> Assignment:
    return load_assignment(Path(__file__).parents[2], "homework_05")


def _judge(made: Draft) -> dict[str, ItemGrade]:
    rubric = _homework().rubric
    alignment = align(made.build(), template(), rubric.parts)
    grade = judge(rubric, replace(make_evidence(), alignment=alignment))
    return {item.key: item for item in grade.items}


def _waiting(made: Draft) -> list[str]:
    """The written items and choices that a human decides on."""
    items = _judge(made)
    assert all(item.points == 0 for key, item in items.items() if key in EMPTY and not key.endswith("choice"))
    return [key for key in EMPTY if items[key].state is ItemState.NEEDS_REVIEW]


# -- beside the letter -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "written",
    [
        "B, memorized",
        "B, gap",
        "B: gap",
        "B\ngap",
        "B - gap",
        "B; memorised",
        "B, overfits",
        "B, variance",
        "B, 10x",
        "B / not generalizing",
    ],
)
def test_one_word_behind_the_letter_is_an_explanation(written: str) -> None:
    made = draft()
    made.answer("q3", written)
    items = _judge(made)
    assert (items["q3.choice"].state, items["q3.choice"].points) == (ItemState.AUTO, 3)
    assert _waiting(made) == ["q3.explanation"]
    assert items["q3.explanation"].evidence["text"] == written


@pytest.mark.parametrize(
    "written", ["B", "**B**", "(b)", "Option B", "I would go with B.", "Not A or C, but B"]
)
def test_a_letter_however_it_is_put_is_no_explanation(written: str) -> None:
    made = draft()
    made.answer("q3", written)
    assert _waiting(made) == []


@pytest.mark.parametrize("written", ["D is wrong", "A is false", "Not A"])
def test_what_is_said_of_other_letters_behind_explanation_is_read(written: str) -> None:
    made = draft()
    made.replace("q3", WHY, written)
    assert _waiting(made) == ["q3.choice", "q3.explanation"]


# -- pasted options and hints ----------------------------------------------------------------------


@pytest.mark.parametrize("letter", ["B", CHOICE])
@pytest.mark.parametrize(
    ("part", "pasted"),
    [
        ("q3", "The model is overfitting"),
        ("q3", "B) The model is overfitting"),
        ("q3", f"\n{HINT}"),
        ("q3", "\nWhat does this suggest?"),
        ("q6", "latent_dim = 256 (moderate compression)"),
    ],
)
def test_an_option_or_hint_as_explanation_earns_nothing_and_never_silently(
    part: str, pasted: str, letter: str
) -> None:
    made = draft()
    made.answer(part, letter, pasted)
    explanation = _judge(made)[f"{part}.explanation"]
    assert f"{part}.explanation" in _waiting(made)
    assert explanation.evidence["state"] == "answered"
    assert explanation.evidence["proposal"]["gates"] == ["copied"]
    assert explanation.evidence["proposal"]["points"] == 0


def test_an_option_pasted_as_explanation_still_says_what_was_chosen() -> None:
    made = draft()
    made.replace("q3", WHY, "The model is overfitting")
    assert _judge(made)["q3.choice"].points == 3


# -- elsewhere -------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", CellKind)
@pytest.mark.parametrize(
    "words",
    [
        "The network can't fit everything so it keeps only the gist.",
        "It cannot remember each picture, so it keeps what matters.",
        "not enough capacity to memorize",
        "no room; patterns; identity",
        "No Room; Patterns; Identity",
        "Not enough room",
        "- Capacity\n- Patterns\n- Identity",
        "NO ROOM, PATTERNS",
        "Thanks to compression it generalizes",
        "\u4ee3\u7801\u592a\u5c0f\uff0c\u65e0\u6cd5\u8bb0\u4f4f\u56fe\u50cf",
    ],
)
def test_words_below_the_last_question_keep_every_empty_answer_waiting(words: str, kind: CellKind) -> None:
    made = draft()
    made.append(
        "\n".join(f"# {line}" for line in words.split("\n")) if kind is CellKind.CODE else words, kind
    )
    items = _judge(made)
    assert _waiting(made) == EMPTY
    candidate = {"cell": len(made.cells) - 1, "excerpt": words, "score": 0.0}
    assert items["q1"].evidence["candidates"][0] | {"score": 0.0} == candidate


def test_a_comment_beside_code_below_the_last_question_is_not_lost() -> None:
    made = draft()
    made.append("x = 1\n# not enough capacity to memorize", CellKind.CODE)
    assert _waiting(made) == EMPTY


def test_a_letter_below_the_last_question_may_be_of_either_choice_and_of_nothing_else() -> None:
    made = draft()
    made.append("B")
    assert _waiting(made) == ["q3.choice", "q3.explanation", "q6.choice", "q6.explanation"]


def test_answers_that_are_there_do_not_wait_for_words_elsewhere() -> None:
    made = draft()
    made.answer("q3", "B", "The test loss is ten times the train loss.")
    made.append("no room; patterns; identity")
    items = _judge(made)
    assert "candidates" not in items["q3.explanation"].evidence
    assert items["q3.choice"].state is ItemState.AUTO


# -- nothing ---------------------------------------------------------------------------------------


def test_the_untouched_template_is_graded_without_a_human() -> None:
    assert _waiting(draft()) == []


@pytest.mark.parametrize("at", [0, None])
@pytest.mark.parametrize(
    "remark",
    [
        "thanks!",
        "Thank you for reading, have a nice day!",
        "Good luck!",
        "Done",
        "# My solutions",
        "## Results of training",
        "# Week 5 Homework - Ada Lovelace",
        "Ada Lovelace, group 7",
        "Ada Lovelace and Grace Hopper",
        "**Name:** Ada Lovelace\n\n**Student ID:** 12345\n\nGroup 7",
        "https://example.org/ada/homework-5",
        "2024-10-11",
    ],
)
def test_names_headings_and_courtesies_send_no_blank_to_a_human(remark: str, at: int | None) -> None:
    made = draft()
    made.cells.insert(len(made.cells) if at is None else at, DraftCell(CellKind.MARKDOWN, remark))
    assert _waiting(made) == []


def test_code_and_its_comments_above_the_questions_send_no_blank_to_a_human() -> None:
    made = draft()
    made.cells.insert(2, DraftCell(CellKind.CODE, "# use the graphics card if any\ndevice = choose_device()"))
    assert _waiting(made) == []


# -- observations ----------------------------------------------------------------------------------


@pytest.mark.parametrize("comment", ["# gets sharper", "# sharper", "#gets\n#sharper"])
def test_an_observation_in_a_comment_of_its_own_cell_may_be_as_short_as_it_likes(comment: str) -> None:
    made = draft()
    made.below("ex1", comment, CellKind.CODE)
    assert _waiting(made) == ["ex1.observations"]


@pytest.mark.parametrize("code", ["print('done')", "losses", "x = train(2)  # epochs"])
def test_a_word_that_code_prints_or_is_beside_is_no_observation(code: str) -> None:
    made = draft()
    made.below("ex1", code, CellKind.CODE)
    assert _waiting(made) == []
