"""How a run ended, in one word and in one sentence for the student."""

from __future__ import annotations

from collections.abc import Collection

from grader.domain.run import CellRun, CellState, Verdict
from grader.errors import RunIncomplete
from grader.sandbox.jail import ExitReason, JailExit

_SENTENCES = {
    Verdict.OK: "Every code cell ran without an error.",
    Verdict.CELL_ERROR: "A code cell stopped with an error; the cells after it were run all the same.",
    Verdict.TIMEOUT: "A code cell used up its time and was stopped; everything done before it counts.",
    Verdict.DEADLINE: "The notebook as a whole used up its time; everything that was done by then counts. "
    "Train for fewer epochs, or on fewer images.",
    Verdict.MEMORY_LIMIT: "The notebook needed more memory than it may use; everything that was done before "
    "counts. Use smaller batches, and keep fewer copies of the data.",
    Verdict.OUTPUT_LIMIT: "The notebook printed more than can be kept; what came first is kept. Print less.",
    Verdict.KERNEL_DIED: "Python itself was ended while a cell ran (for instance by exit() or a crash); "
    "everything that was done before counts, and the cells after it could not be run.",
    Verdict.PROTOCOL_ERROR: "The run was stopped: something in the notebook interfered with the grader. "
    "Everything that was done before counts. Your instructor can see the details.",
    Verdict.FORBIDDEN_CALL: "The notebook asked the operating system for something that is not allowed here "
    "and was stopped; everything that was done before counts.",
}
_BY_EXIT = {
    ExitReason.DEADLINE: Verdict.DEADLINE,
    ExitReason.MEMORY_LIMIT: Verdict.MEMORY_LIMIT,
    ExitReason.OUTPUT_LIMIT: Verdict.OUTPUT_LIMIT,
    ExitReason.PROTOCOL_ERROR: Verdict.PROTOCOL_ERROR,
    ExitReason.FORBIDDEN_CALL: Verdict.FORBIDDEN_CALL,
}


def check_that_it_ran(ended: JailExit, *, ready: bool, out_of_turn: bool, failure: str) -> None:
    """Raise `RunIncomplete` where the student's code never began, or where we ended it or failed."""
    if failure:
        raise RunIncomplete(
            f"What runs notebooks in the jail has failed itself: {failure.strip()} ({ended.detail})"
        )
    if ended.reason is ExitReason.KILLED and not out_of_turn:
        raise RunIncomplete("The run was ended from our side before it was done; it will be tried again.")
    if not ready:
        raise RunIncomplete(
            f"The jail ended ({ended.reason}) before the notebook's first cell: {ended.detail}. "
            "Look at the end of its stderr above; `grader serve` checks the set-up when it starts."
        )


def decide_verdict(
    ended: JailExit, reason: str | None, cells: Collection[CellRun], *, out_of_turn: bool
) -> Verdict:
    """The worst thing that happened. ``reason`` is the child's own last word, None where it had none."""
    states = {cell.state for cell in cells}
    if out_of_turn:
        verdict = Verdict.PROTOCOL_ERROR
    elif ended.oom_kills > 0:
        verdict = Verdict.MEMORY_LIMIT
    elif ended.reason in _BY_EXIT:
        verdict = _BY_EXIT[ended.reason]
    elif reason == "deadline":
        verdict = Verdict.DEADLINE
    elif CellState.TIMEOUT in states:  # an ignored interrupt costs the kernel; the cause is the time
        verdict = Verdict.TIMEOUT
    elif reason == "forbidden_call":
        verdict = Verdict.FORBIDDEN_CALL
    elif reason is None or reason == "kernel_lost":
        verdict = Verdict.KERNEL_DIED
    elif reason == "output_full":
        verdict = Verdict.OUTPUT_LIMIT
    else:
        verdict = Verdict.CELL_ERROR if CellState.ERROR in states else Verdict.OK
    return verdict


def explain(verdict: Verdict, cells: Collection[CellRun], remarks: Collection[str]) -> str:
    """One sentence on the verdict, one on cells that were not run, and what is known of missing models."""
    skipped = sum(cell.state is CellState.NOT_RUN for cell in cells)
    sentences = [_SENTENCES[verdict]]
    if skipped:
        sentences.append(f"{skipped} code cell{'s were' if skipped > 1 else ' was'} not run.")
    return " ".join([*sentences, *remarks])
