"""Which cells belong to an exercise with a budget of its own, and what became of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from grader.domain.answers import Alignment
from grader.domain.rubric import Budget, Part
from grader.domain.run import CellRun, CellState, RanOut, Spent
from grader.notebooks.execution.frames import OutOfTurn

_NO_MEMORY = re.compile(r"MemoryError|an.?t allocate memory|Unable to allocate|bad_alloc", re.IGNORECASE)


def budgeted_cells(alignment: Alignment, parts: Iterable[Part]) -> dict[int, Part]:
    """The exercise of each cell, by the cell's index; cells of no exercise with a budget are left out.

    Cells before the first exercise are common to all: only the limits of the whole run hold for them.
    """
    found: dict[int, Part] = {}
    for part in parts:
        if part.budget != Budget() and part.key in alignment.answers:
            for cell in alignment.answers[part.key].cells:
                found.setdefault(cell, part)
    return found


def find_over(index: int, exercises: Mapping[int, Part]) -> tuple[str, str]:
    """The key of the exercise whose time was used up before this cell ended, and so in words.

    `OutOfTurn` where the cell belongs to none that has a time of its own.
    """
    part = exercises.get(index)
    if part is None or part.budget.seconds is None:
        raise OutOfTurn(f"cell {index} has no exercise that could be over")
    return part.key, f"the time of {part.heading} ({part.budget.seconds:g} s) was used up"


def sum_up(cells: Sequence[CellRun], exercises: Mapping[int, Part], over: Iterable[str]) -> tuple[Spent, ...]:
    """What each exercise spent. ``over`` are the keys of those whose time was used up."""
    over = set(over)
    by_key = {part.key: part for part in exercises.values()}
    theirs: dict[str, list[CellRun]] = {key: [] for key in by_key}
    for cell in cells:
        if cell.index in exercises:
            theirs[exercises[cell.index].key].append(cell)
    return tuple(_spent(part, theirs[key], key in over) for key, part in by_key.items())


def _spent(part: Part, cells: Sequence[CellRun], out: bool) -> Spent:
    failed = [cell.error for cell in cells if cell.state is CellState.ERROR]
    ran_out = RanOut.NOTHING
    if out:
        ran_out = RanOut.TIME
    elif part.budget.memory_bytes is not None and any(_NO_MEMORY.search(error) for error in failed):
        ran_out = RanOut.MEMORY
    return Spent(
        part=part.key,
        title=part.heading,
        seconds=sum(cell.seconds for cell in cells),
        seconds_limit=part.budget.seconds,
        memory_limit=part.budget.memory_bytes,
        ran_out=ran_out,
    )
