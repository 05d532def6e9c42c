"""In the child: what is left of each exercise's time, and word to the kernel of its memory."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from math import inf
from pathlib import Path
from typing import Any

from grader.notebooks.inside.memory import ALLOWANCE


class Budgets:
    """The exercises' budgets by key; a cell of none of them has no limits here. Times in seconds."""

    def __init__(self, budgets: Mapping[str, Mapping[str, Any]], folder: Path) -> None:
        self._left = {
            key: inf if budget["seconds"] is None else float(budget["seconds"])
            for key, budget in budgets.items()
        }
        self._memory = {key: budget["memory_bytes"] for key, budget in budgets.items()}
        self._file = folder / ALLOWANCE

    def left(self, exercise: str | None) -> float:
        """Seconds; infinite where nothing limits them."""
        return inf if exercise is None else self._left.get(exercise, inf)

    def begin(self, exercise: str | None) -> None:
        """Tell the kernel before it runs a cell of this exercise."""
        memory = None if exercise is None else self._memory.get(exercise)
        try:
            if memory is None:
                self._file.unlink(missing_ok=True)
            else:
                # Student code can write here too: a link or pipe in its place is replaced, not opened.
                unfinished = self._file.with_name(f".{secrets.token_hex(8)}")
                with unfinished.open("x", encoding="ascii") as file:
                    file.write(f"{exercise} {memory}")
                unfinished.replace(self._file)
        except OSError:  # student code can put anything in its place; the jail's own limits hold all the same
            return

    def spend(self, exercise: str | None, seconds: float) -> None:
        """Take what a cell took."""
        if exercise is not None:
            self._left[exercise] = self.left(exercise) - seconds
