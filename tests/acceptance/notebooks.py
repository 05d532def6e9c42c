"""Small notebooks for tests that send many."""

from __future__ import annotations

import json
from typing import Any

import nbformat

from tests.golden.builder import build


def tiny(number: int) -> bytes:
    """A notebook with one quick code cell, or every other time a text; no two are the same."""
    make = nbformat.v4.new_markdown_cell if number % 2 else nbformat.v4.new_code_cell
    cells = [make(f"print({number})")]  # type: ignore[no-untyped-call]
    return str(nbformat.writes(nbformat.v4.new_notebook(cells=cells))).encode()  # type: ignore[no-untyped-call]


def without_code(**case: Any) -> dict[str, Any]:
    """The template without its code cells, as a dict to be altered."""
    from pathlib import Path

    built: dict[str, Any] = json.loads(build({"setup": None, "exercise": []} | case, Path()))
    return built
