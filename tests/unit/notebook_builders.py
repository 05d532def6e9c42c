"""Notebooks for tests, made from the homework's own template."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from grader.domain.notebook import Cell, CellKind, Notebook
from grader.domain.rubric import Part, PartKind, UploadLimits
from grader.notebooks.read import read_notebook

TEMPLATE_FILE = Path(__file__).parents[2] / "reference" / "homework_05" / "template.ipynb"
LIMITS = UploadLimits(bytes=20_000_000, cells=500, nesting=64)
LAYOUTS = ("one_cell", "separate_cells")

LABEL = "**Your Answer**:"
SHORT = "[Write your answer here in 2-4 sentences]"
CHOICE = "[Write your answer here - e.g., 'B']"
WHY = "[Explain why this is correct]"
QUESTIONS = tuple(f"q{n}" for n in range(1, 11))
OPTIONS = (
    "A) The model is working perfectly\nB) The model is overfitting\n"
    "C) The latent dimension is too large\nD) The model needs more training"
)


@dataclass
class DraftCell:
    """A cell that can still be changed. `part` is what a test knows about it; no notebook contains it."""

    kind: CellKind
    source: str
    id: str | None = None
    part: str = ""


@dataclass
class Draft:
    """A submission in the making."""

    cells: list[DraftCell] = field(default_factory=list)

    def of(self, part: str) -> list[DraftCell]:
        return [cell for cell in self.cells if cell.part == part]

    def text_of(self, part: str) -> str:
        return "\n\n".join(cell.source for cell in self.of(part))

    def replace(self, part: str, old: str, new: str) -> None:
        """Replace text that stands exactly once among the part's cells."""
        holding = [cell for cell in self.of(part) if old in cell.source]
        assert len(holding) == 1, (part, old, len(holding))
        holding[0].source = holding[0].source.replace(old, new)

    def rewrite(self, part: str, change: Callable[[str], str]) -> None:
        for cell in self.of(part):
            cell.source = change(cell.source)

    def answer(self, part: str, text: str, why: str | None = None) -> None:
        """Write an answer where the placeholder stands."""
        self.replace(part, CHOICE if part in ("q3", "q6") else SHORT, text)
        if why is not None:
            self.replace(part, WHY, why)

    def below(self, part: str, source: str, kind: CellKind = CellKind.MARKDOWN) -> None:
        """A new cell below the part's last one."""
        last = self.cells.index(self.of(part)[-1])
        self.cells.insert(last + 1, DraftCell(kind, source, part=f"{part}+"))

    def append(self, source: str, kind: CellKind = CellKind.MARKDOWN) -> None:
        self.cells.append(DraftCell(kind, source))

    def drop_lines(self, part: str, *patterns: str) -> None:
        """Delete the lines that match any of the patterns."""
        for cell in self.of(part):
            lines = cell.source.split("\n")
            cell.source = "\n".join(x for x in lines if not any(re.search(p, x) for p in patterns))

    def merge(self, *parts: str) -> None:
        """All cells of these parts in one."""
        merged = [cell for cell in self.cells if cell.part in parts]
        merged[0].source = "\n\n".join(cell.source for cell in merged)
        gone = {id(cell) for cell in merged[1:]}
        self.cells = [cell for cell in self.cells if id(cell) not in gone]

    def without_ids(self) -> None:
        for cell in self.cells:
            cell.id = None

    def build(self) -> Notebook:
        return Notebook(tuple(Cell(i, c.kind, c.source, c.id) for i, c in enumerate(self.cells)))


def draft(layout: str = "one_cell") -> Draft:
    """The template as handed out; `separate_cells` has every answer's place in a cell of its own."""
    made = Draft()
    part = ""
    for cell in read_notebook(TEMPLATE_FILE.read_bytes(), LIMITS).cells:
        heading = re.search(r"^### (Exercise|Question) (\d+)", cell.source, re.MULTILINE)
        if heading:
            part = {"Exercise": "ex", "Question": "q"}[heading[1]] + heading[2]
        elif cell.kind is CellKind.MARKDOWN:
            part = ""
        prompt, label, answer = cell.source.partition(LABEL)
        if layout == "separate_cells" and label:
            made.cells.append(DraftCell(cell.kind, prompt.rstrip(), cell.id, part))
            made.cells.append(DraftCell(cell.kind, label + answer, f"{cell.id}-answer", part))
        else:
            made.cells.append(DraftCell(cell.kind, cell.source, cell.id, part))
    return made


def template(layout: str = "one_cell") -> Notebook:
    return draft(layout).build()


def parts() -> tuple[Part, ...]:
    """The homework's parts, read off the template."""
    made = draft()
    found = [Part("ex1", PartKind.EXERCISE, "Exercise 1", "Experiment: Compression Forces Learning")]
    for key in QUESTIONS:
        text = made.text_of(key)
        title = re.search(r"\*\*Question \d+ - (.*)\*\*", text)
        assert title is not None
        options = dict(re.findall(r"^([A-D])\) (.*)$", text, re.MULTILINE))
        kind = PartKind.CHOICE if options else PartKind.SHORT_ANSWER
        found.append(Part(key, kind, f"Question {key[1:]}", title[1], options))
    return tuple(found)


def as_json(notebook: Notebook, minor: int = 5) -> dict[str, object]:
    """A notebook of format 4 as a JSON object, as Jupyter writes it."""
    cells: list[dict[str, object]] = []
    for cell in notebook.cells:
        made: dict[str, object] = {
            "cell_type": cell.kind.value,
            "metadata": {},
            "source": cell.source.splitlines(keepends=True),
        }
        if cell.kind is CellKind.CODE:
            made |= {"outputs": [], "execution_count": None}
        if minor >= 5:
            made["id"] = cell.id or f"cell-{cell.index}"
        cells.append(made)
    return {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": minor}


def as_bytes(notebook: Notebook, minor: int = 5) -> bytes:
    return json.dumps(as_json(notebook, minor), ensure_ascii=False).encode()
