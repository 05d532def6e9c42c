"""Read an uploaded notebook: its cells' kinds and sources, whatever else the file claims or lacks.

Outputs are never looked at, so an honest student's file is not refused because some tool wrote an odd one.
For the same reason nbformat's validation and upgrade, which need every field, are not used: the little that
differs between the formats 3 and 4 is read here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from grader.domain.notebook import Cell, CellKind, Notebook
from grader.domain.rubric import UploadLimits
from grader.errors import NotANotebook, TooLarge
from grader.notebooks.decode import decode_json

MOST_CHARACTERS = 500_000  # in all cells; a finished homework has 15,000. It bounds what any later step costs
_LONGEST_ID = 128
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_OPEN_AND_SAVE = "Open it in Jupyter, VS Code or Colab, save it, and upload it again."
_KINDS = {
    "code": CellKind.CODE,
    "markdown": CellKind.MARKDOWN,
    "raw": CellKind.RAW,
    "heading": CellKind.MARKDOWN,  # nbformat 3
    "html": CellKind.MARKDOWN,  # nbformat 3
}


def read_notebook(data: bytes, limits: UploadLimits) -> Notebook:
    """The notebook in `data`: nbformat 4 of any minor version, or 3.

    Line ends are made Unix's; NULs and lone surrogates, which no interpreter takes, are taken out of sources.
    A cell of an unknown type becomes a raw one: its words count, it is never run.

    Raises `TooLarge` (bytes, pieces, nesting, cells, characters) or `NotANotebook`; their messages are
    written for the student.
    """
    document = decode_json(data, limits)
    if not isinstance(document, dict):
        raise NotANotebook(f"The file is JSON, but not a notebook. {_OPEN_AND_SAVE}")
    _refuse_other_versions(document)
    raw_cells = _find_cells(document)
    if not raw_cells:
        raise NotANotebook("The notebook is empty: it has no cells. Save your work and upload it again.")
    if len(raw_cells) > limits.cells:
        raise TooLarge(
            f"The notebook has {len(raw_cells)} cells; at most {limits.cells} are allowed. "
            "Delete the cells that do not belong to the homework and upload it again."
        )
    cells = tuple(_read_cell(index, cell) for index, cell in enumerate(raw_cells))
    written = sum(cell.size for cell in cells)
    if written > MOST_CHARACTERS:
        largest = max(cells, key=lambda cell: cell.size)
        raise TooLarge(
            f"The notebook's cells hold {written:,} characters of text and code; at most {MOST_CHARACTERS:,} "
            f"are allowed (outputs do not count). The longest is cell {largest.index + 1}, with "
            f"{largest.size:,}. Delete what does not belong to the homework, such as pasted data, and upload "
            "it again."
        )
    return Notebook(cells)


def _refuse_other_versions(document: Mapping[str, Any]) -> None:
    version = document.get("nbformat")
    if isinstance(version, bool) or not isinstance(version, int | float):
        return  # the structure tells
    if version < 3:
        raise NotANotebook(
            f"The notebook is in the very old format {version:g}, which cannot be graded. {_OPEN_AND_SAVE}"
        )
    if version >= 5:
        raise NotANotebook(
            f"The notebook says that it is in format {version:g}; formats 3 and 4 can be graded. "
            "Save it as nbformat 4 and upload it again."
        )


def _find_cells(document: Mapping[str, Any]) -> list[Any]:
    cells = document.get("cells")
    if isinstance(cells, list):
        return cells
    worksheets = document.get("worksheets")
    if not isinstance(worksheets, list):
        raise NotANotebook(f"The file is JSON, but not a notebook: it has no list of cells. {_OPEN_AND_SAVE}")
    found: list[Any] = []
    for sheet in worksheets:
        inner = sheet.get("cells") if isinstance(sheet, dict) else None
        if not isinstance(inner, list):
            raise NotANotebook(f"The notebook is damaged: a worksheet has no list of cells. {_OPEN_AND_SAVE}")
        found.extend(inner)
    return found


def _read_cell(index: int, cell: Any) -> Cell:
    if not isinstance(cell, dict):
        raise NotANotebook(f"The notebook is damaged: cell {index + 1} is no cell. {_OPEN_AND_SAVE}")
    kind = cell.get("cell_type")
    source = _read_source(index, cell)
    if kind == "heading":
        level = cell.get("level")
        hashes = "#" * (level if isinstance(level, int) and 1 <= level <= 6 else 1)
        source = f"{hashes} {' '.join(source.split())}"
    return Cell(
        index=index,
        kind=_KINDS.get(kind, CellKind.RAW) if isinstance(kind, str) else CellKind.RAW,
        source=source,
        id=_read_id(cell),
    )


def _read_source(index: int, cell: Mapping[str, Any]) -> str:
    source = cell.get("source")
    if source is None:
        source = cell.get("input")  # nbformat 3 code cells
    if source is None:
        return ""
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        source = "".join(source)
    if not isinstance(source, str):
        raise NotANotebook(f"The notebook is damaged: cell {index + 1} has no text. {_OPEN_AND_SAVE}")
    clean = _LONE_SURROGATE.sub("\N{REPLACEMENT CHARACTER}", source).replace("\0", "")
    return clean.replace("\r\n", "\n").replace("\r", "\n")


def _read_id(cell: Mapping[str, Any]) -> str | None:
    """The cell's id, or the one that Colab keeps in the metadata."""
    metadata = cell.get("metadata")
    kept = cell.get("id") or (metadata.get("id") if isinstance(metadata, dict) else None)
    if not isinstance(kept, str) or not 1 <= len(kept) <= _LONGEST_ID:
        return None
    return _LONE_SURROGATE.sub("", kept).replace("\0", "") or None
