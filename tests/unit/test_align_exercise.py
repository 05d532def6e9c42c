"""Which code cells are the exercise's, and what counts as an observation."""

from __future__ import annotations

import pytest

from grader.domain.answers import Answer, AnswerState
from grader.domain.notebook import CellKind
from grader.notebooks.alignment.align import align
from tests.unit.notebook_builders import (
    LABEL,
    Draft,
    draft,
    parts,
    template,
)

PARTS = parts()
TEXT = "The code is far too small to store every picture, so it keeps what digits share."
SEEN = "Reconstructions become sharper with every step."

EXERCISE_CODE = 5  # index of the template's cell


def _exercise(made: Draft) -> Answer:
    return align(made.build(), template(), PARTS).answers["ex1"]


def test_the_exercise_has_its_code_cells_and_not_the_setup() -> None:
    made = draft()
    made.below("ex1", "plt.show()", CellKind.CODE)
    made.below("ex1", "models = {d: train(d) for d in latent_dims}", CellKind.CODE)
    assert _exercise(made).cells == (EXERCISE_CODE, EXERCISE_CODE + 1, EXERCISE_CODE + 2)


def test_exercise_code_that_was_moved_is_still_the_exercises() -> None:
    made = draft()
    moved = made.cells.pop(EXERCISE_CODE)
    made.answer("q2", TEXT)
    made.cells.insert(made.cells.index(made.of("q2")[0]) + 1, moved)
    answers = align(made.build(), template(), PARTS).answers
    assert answers["ex1"].cells == (made.cells.index(moved),)
    assert answers["q2"].text == TEXT


def test_exercise_code_is_found_without_any_text_of_the_exercise() -> None:
    made = draft()
    made.cells = [cell for cell in made.cells if cell.kind is CellKind.CODE or cell.part != "ex1"]
    assert _exercise(made).cells == (EXERCISE_CODE - 1,)


@pytest.mark.parametrize(
    ("kind", "source", "text"),
    [
        (CellKind.MARKDOWN, SEEN, SEEN),
        (CellKind.MARKDOWN, f"**Observations:**\n{SEEN}", f"**Observations:**\n{SEEN}"),
        (CellKind.MARKDOWN, f"{LABEL} {SEEN}", SEEN),
        (CellKind.RAW, SEEN, SEEN),
        (CellKind.CODE, f"# {SEEN}", SEEN),
        (CellKind.CODE, f"x = 1\n# {SEEN}", SEEN),
        (CellKind.CODE, f'x = train()\n"""{SEEN}"""', SEEN),
        (CellKind.CODE, f'x = train()\nprint("{SEEN}")', SEEN),
        (CellKind.CODE, f"# Question: What happens to reconstruction as latent_dim changes?\n# {SEEN}", SEEN),
        (CellKind.CODE, f"# What is the model learning to fit into the bottleneck? {SEEN}", SEEN),
        (CellKind.CODE, "x = 1\n# What is the model learning to fit into the bottleneck? shapes", "shapes"),
        (
            CellKind.CODE,
            "x = 1\n# What is the model learning to fit into the bottleneck?\n# shapes",
            "shapes",
        ),
    ],
)
def test_observations_are_found(kind: CellKind, source: str, text: str) -> None:
    made = draft()
    made.below("ex1", source, kind)
    answer = _exercise(made)
    assert (answer.state, answer.text) == (AnswerState.ANSWERED, text)
    assert EXERCISE_CODE + 1 in answer.cells


@pytest.mark.parametrize(
    "source",
    [
        "# x = train(model)",
        "# for d in latent_dims:",
        "#plt.plot(losses)",
        "# epochs",
        "# import torch",
        "print(f'Reconstruction error with {d} numbers in the code: {loss}')",
        "plt.title('Reconstruction error against the size of the bottleneck')",
        "# TODO: Train each and observe reconstruction quality",
    ],
)
def test_code_and_its_marginalia_are_no_observation(source: str) -> None:
    made = draft()
    made.below("ex1", f"{source}\nx = train(2)", CellKind.CODE)
    assert _exercise(made).state is AnswerState.PLACEHOLDER


def test_an_exercise_whose_code_was_deleted_is_blank() -> None:
    made = draft()
    del made.cells[EXERCISE_CODE]
    answer = _exercise(made)
    assert (answer.state, answer.cells) == (AnswerState.BLANK, ())
