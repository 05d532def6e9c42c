"""The files that must stand beside a rubric, in `reference/<id>/`."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader.domain.rubric import Part

from .calibration_file import NAME, read_calibration

_NEEDED = {
    "template.ipynb": "put the notebook there that students get",
    "solution.ipynb": "put the notebook there that earns full marks",
    "model.py": "put the agreed architecture there, with build, encode and decode",
}
_FOR_STUDENTS = re.compile(r"(?:your answer|explanation|answer)\W*(?::.*)?$|\[", re.IGNORECASE)
_FUNCTIONS = ("build", "encode", "decode")


@dataclass(frozen=True, slots=True)
class Wrong:
    """Something wrong in one of the files. ``line`` counts from 1."""

    name: str
    line: int
    message: str


def check_files(folder: Path) -> Iterator[Wrong]:
    """What is missing or unreadable in ``folder``."""
    for name, mend in _NEEDED.items():
        if not (folder / name).is_file():
            yield Wrong(name, 1, f"the file is missing; {mend}")
        elif name.endswith(".ipynb"):
            yield from _check_notebook(folder / name)
        else:
            yield from _check_model(folder / name)
    yield from _check_calibration(folder / NAME)


def has_heading(template: bytes, part: Part) -> bool:
    """Whether a Markdown heading of the template begins with the part's heading."""
    cells = json.loads(template)["cells"]
    return any(cell.get("cell_type") == "markdown" and _begins(cell, part) for cell in cells)


def _begins(cell: Mapping[str, Any], part: Part) -> bool:
    return any(
        line.startswith("#") and f"{line.lstrip('# ')} ".startswith((f"{part.heading} ", f"{part.heading}:"))
        for line in _source(cell).splitlines()
    )


def _source(cell: Mapping[str, Any]) -> str:
    source = cell.get("source", "")
    return source if isinstance(source, str) else "".join(source)


def _check_notebook(path: Path) -> Iterator[Wrong]:
    try:
        notebook = json.loads(path.read_bytes())
    except ValueError as error:
        yield Wrong(
            path.name, getattr(error, "lineno", 1), f"this is no JSON ({error}); save it from Jupyter anew"
        )
        return
    if not isinstance(notebook, dict) or not isinstance(notebook.get("cells"), list):
        yield Wrong(path.name, 1, "this is no notebook with cells; save it from Jupyter as .ipynb")


def _check_model(path: Path) -> Iterator[Wrong]:
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError) as error:
        yield Wrong(path.name, getattr(error, "lineno", None) or 1, f"this is no Python: {error}")
        return
    defined = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    for name in _FUNCTIONS:
        if name not in defined:
            yield Wrong(
                path.name,
                1,
                f"the function {name} is missing; the measuring side calls it, see ARCHITECTURE.md",
            )


def _check_calibration(path: Path) -> Iterator[Wrong]:
    try:
        read_calibration(path.parent)
    except ValueError as error:
        yield Wrong(path.name, 1, f"{error}; remove the file and run `grader calibrate {path.parent.name}`")


def read_prompt(template: bytes, part: Part) -> str:
    """What the template asks under the part's heading, a line each: its text, and comments of its code.

    Labels and placeholders, which a student replaces, are not in it.
    """
    lines: list[str] = []
    inside = False
    for cell in json.loads(template)["cells"]:
        if cell.get("cell_type") == "markdown":
            inside = _begins(cell, part)
            if inside:
                lines += [line for line in _source(cell).splitlines() if not line.startswith("#")]
        elif inside:
            lines += [line for line in _source(cell).splitlines() if line.lstrip().startswith("#")]
    plain = [line.strip("#*- \t").replace("**", "") for line in lines]
    return "\n".join(line for line in plain if line and not _FOR_STUDENTS.match(line))
