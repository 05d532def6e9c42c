"""Did the notebook's code run? In proportion to its code cells."""

from __future__ import annotations

from grader.domain.evidence import Evidence
from grader.domain.grade import CheckResult, ItemState
from grader.domain.rubric import Item, Part
from grader.domain.run import CellRun, CellState, NotebookRun, RanOut, Spent, Verdict

# After these the run's own account of its cells cannot be relied on.
SUSPICIOUS = frozenset({Verdict.PROTOCOL_ERROR, Verdict.FORBIDDEN_CALL})

_ENDINGS = {
    Verdict.DEADLINE: "The whole notebook took longer than it may, so the run was ended.",
    Verdict.MEMORY_LIMIT: "The notebook needed more memory than it may use, so the run was ended.",
    Verdict.OUTPUT_LIMIT: "The notebook printed more than it may, so the run was ended.",
    Verdict.KERNEL_DIED: "Python itself ended while the notebook was running.",
    Verdict.PROTOCOL_ERROR: "The run ended in an unusual way.",
    Verdict.FORBIDDEN_CALL: "The code asked the operating system for something that it may not do.",
}


def runs(evidence: Evidence, item: Item, part: Part) -> CheckResult:  # noqa: ARG001  # every check takes the same
    """The share of code cells that ran without an error; a cell that never ran did not run."""
    run = evidence.run
    good = sum(cell.state is CellState.OK for cell in run.cells)
    share = good / len(run.cells) if run.cells else 0.0
    suspicious = run.verdict in SUSPICIOUS
    return CheckResult(
        share=share,
        feedback=_explain(run, good),
        state=ItemState.NEEDS_REVIEW if suspicious else ItemState.AUTO,
        confidence=0.0 if suspicious else 1.0,
        evidence={
            "verdict": run.verdict.value,
            "cells_ok": good,
            "cells": len(run.cells),
            "detail": run.detail,
        },
    )


def describe_ending(run: NotebookRun) -> str:
    """Why the run or one of its exercises ended early, in a sentence; empty where none did."""
    told = [_ENDINGS.get(run.verdict, ""), *(_describe_spent(spent) for spent in run.spent)]
    return " ".join(filter(None, told))


def _describe_spent(spent: Spent) -> str:
    if spent.ran_out is RanOut.TIME:
        return (
            f"The cells of {spent.title} may take {spent.seconds_limit:g} s together, which were used up; "
            "what was trained by then counts."
        )
    if spent.ran_out is RanOut.MEMORY:
        return (
            f"The cells of {spent.title} may take {(spent.memory_limit or 0) / 2**20:.0f} MiB of memory, and "
            "needed more; what was trained by then counts."
        )
    return ""


def _explain(run: NotebookRun, good: int) -> str:
    if not run.cells:
        nothing = "The notebook has no code to run. Keep the homework's code cells and fill them in."
        return f"{nothing} A teacher will look at it." if run.verdict in SUSPICIOUS else nothing
    first = next((cell for cell in run.cells if cell.state is not CellState.OK), None)
    sentences = [f"{good} of {len(run.cells)} code cells ran without an error."]
    if first is not None:
        sentences.append(_describe_cell(first))
    sentences.append(describe_ending(run))
    if run.verdict in SUSPICIOUS:
        sentences.append("A teacher will look at it.")
    elif first is not None:
        sentences.append(
            "Restart the kernel, run all cells from top to bottom, and mend the first one that fails."
        )
    return " ".join(filter(None, sentences))


def _describe_cell(cell: CellRun) -> str:
    name = f"The first that did not is cell {cell.index + 1} of the notebook (counting text cells too)"
    if cell.exercise_over:
        return f"{name}: {cell.error}."
    if cell.state is CellState.TIMEOUT:
        return f"{name}: it took longer than one cell may."
    if cell.state is CellState.NOT_RUN:
        return f"{name}: the run had ended before it."
    error = " ".join(cell.error.split())[:300] or "it stopped with an error"
    return f"{name}: {error}."
