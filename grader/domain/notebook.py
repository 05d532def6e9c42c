"""A notebook as this project sees it: its cells, and nothing that a file may claim about them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

_DATA_URI = re.compile(r"data:[\w.+/;=-]{1,100},[A-Za-z0-9+/=%_.~-]{60,}")


class CellKind(StrEnum):
    """nbformat's three kinds."""

    CODE = "code"
    MARKDOWN = "markdown"
    RAW = "raw"


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell. ``index`` counts all cells of the file from 0; ``id`` is None where the file has none."""

    index: int
    kind: CellKind
    source: str
    id: str | None = None

    @property
    def size(self) -> int:
        """Characters that are there to be read: all of code, of a text not its pasted pictures."""
        return len(self.source if self.kind is CellKind.CODE else without_pictures(self.source))


@dataclass(frozen=True, slots=True)
class Notebook:
    """A notebook that was read and found fit to be graded."""

    cells: tuple[Cell, ...]

    @property
    def code_cells(self) -> tuple[Cell, ...]:
        """Code cells with something in them, in the file's order."""
        return tuple(c for c in self.cells if c.kind is CellKind.CODE and c.source.strip())


def without_pictures(text: str) -> str:
    """A text without the data of pictures that were pasted into it, which nobody reads as words."""
    return _DATA_URI.sub("data:…", text)
