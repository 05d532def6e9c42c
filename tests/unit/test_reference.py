"""The homework's notebooks: word for word what the homework says, and a solution that only adds answers."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import nbformat
import pytest

HOMEWORK = Path(__file__).parent / "data" / "homework_05.txt"
TODO = "# TODO: Train each and observe reconstruction quality"


@pytest.fixture(scope="module")
def folder(repository: Path) -> Path:
    return repository / "reference" / "homework_05"


def cells_of(path: Path) -> list[dict[str, Any]]:
    return list(json.loads(path.read_text("utf-8"))["cells"])


def print_cell(cell: dict[str, Any]) -> str:
    source = "".join(cell["source"])
    return f"In [None]:\n{source}" if cell["cell_type"] == "code" else source


def test_the_template_is_the_homeworks_text_word_for_word(folder: Path) -> None:
    printed = "\n\n".join(print_cell(cell) for cell in cells_of(folder / "template.ipynb"))
    assert printed == HOMEWORK.read_text("utf-8")


@pytest.mark.parametrize("name", ["template.ipynb", "solution.ipynb"])
def test_the_notebooks_are_valid_and_without_outputs(folder: Path, name: str) -> None:
    notebook = nbformat.read(folder / name, as_version=4)
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in notebook.cells)


def test_each_question_is_one_cell_with_a_stable_id(folder: Path) -> None:
    ids = [cell["id"] for cell in cells_of(folder / "template.ipynb")]
    assert [name for name in ids if name.startswith("question")] == [f"question-{n}" for n in range(1, 11)]
    assert len(set(ids)) == len(ids)


def test_the_solution_is_the_template_with_every_placeholder_answered(folder: Path) -> None:
    solved = {cell["id"]: "".join(cell["source"]) for cell in cells_of(folder / "solution.ipynb")}
    assert "[Write your answer" not in "".join(solved.values())
    assert "[Explain why" not in "".join(solved.values())
    for cell in cells_of(folder / "template.ipynb"):
        source = "".join(cell["source"])
        kept = source.partition(TODO)[0].partition("[Write your answer")[0]
        assert solved[cell["id"]].startswith(kept)
        assert source == kept or len(solved[cell["id"]]) > len(source) or "(Multiple Choice)" in source
    assert set(solved) - {cell["id"] for cell in cells_of(folder / "template.ipynb")} == {
        "exercise-1-observations"
    }


def test_the_agreed_architecture_is_the_class_that_the_homework_prints(folder: Path) -> None:
    code = next(cell for cell in cells_of(folder / "template.ipynb") if cell["id"] == "exercise-1-code")
    printed, agreed = (
        next(node for node in ast.parse(source).body if isinstance(node, ast.ClassDef))
        for source in ("".join(code["source"]), (folder / "model.py").read_text("utf-8"))
    )
    assert ast.dump(printed) == ast.dump(agreed)
