"""Hold what a run did against what its case expects."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from grader.domain.run import CellRun, CellState, NotebookRun, Verdict
from tests.attacks.cases import Case

PARENT_MB = 150


def judge_run(case: Case, run: NotebookRun, told: Sequence[CellRun], executed: bytes) -> Iterator[str]:
    """Yield each thing that does not hold. ``told`` are the cells as they came; the blob is the notebook."""
    if run.verdict not in case.verdicts:
        yield f"the verdict is {run.verdict}, not {_either(case.verdicts)} ({run.detail})"
    document = json.loads(executed)
    yield from _validate(document)
    texts = [_text(cell) for cell in document["cells"]]
    if run.cells[0].state is not CellState.OK or texts[0] != "begun\n":
        yield f"the cell before the attack was not kept: {run.cells[0]}, {texts[0]!r}"
    for number, (cell, wanted) in enumerate(zip(run.cells[1:], case.states, strict=True), 1):
        if cell.state not in wanted:
            seen = f"{cell.error} {texts[number][-300:]!r}"
            yield f"cell {number} is {cell.state}, not {_either(wanted)}: {seen}"
    heard = case.testimony or run.verdict is Verdict.OUTPUT_LIMIT or "after\n" in texts[-1]
    if run.cells[-1].state is CellState.OK and not heard:
        yield f"the cell after the attack printed {texts[-1][:300]!r}"
    if [cell for cell in run.cells if cell.state is not CellState.NOT_RUN] != list(told):
        yield "the cells that were told as they ended are not those of the run"
    printed = "".join(texts[1:-1])
    for text in case.prints:
        if text not in printed:
            yield f"{text!r} is not in the outputs: {printed[-600:]!r}"
    for text in case.never:
        if text in printed:
            at = printed.index(text)
            yield f"{text!r} is in the outputs: {printed[max(0, at - 200) : at + 400]!r}"


def _validate(document: Mapping[str, Any]) -> Iterator[str]:
    import nbformat  # after the parent's memory was measured: it is no part of what runs notebooks

    try:
        nbformat.validate(nbformat.from_dict(document))
    except nbformat.ValidationError as error:
        yield f"the executed notebook is invalid: {str(error)[:300]}"


def _text(cell: Mapping[str, Any]) -> str:
    parts: list[str] = []
    for output in cell["outputs"]:
        if output["output_type"] == "stream":
            parts.append(output["text"])
        elif output["output_type"] == "error":
            parts += [f"{output['ename']}: {output['evalue']}\n", *output["traceback"]]
        else:
            parts += output["data"].values()
    return "".join(parts)


def _either(values: frozenset[Any]) -> str:
    return " or ".join(sorted(values))
