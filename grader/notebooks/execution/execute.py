"""Run a notebook in a jail and bring back what it did: cells, outputs, and the weights of its models."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from time import monotonic
from typing import Any

from grader.domain.notebook import Notebook
from grader.domain.rubric import Part, RunLimits
from grader.domain.run import CellRun, CellState, NotebookRun, Verdict
from grader.notebooks.execution.budgets import find_over, sum_up
from grader.notebooks.execution.frames import (
    CellDone,
    End,
    Failed,
    ModelFound,
    OutOfTurn,
    Ready,
    parse_header,
    parse_outputs,
)
from grader.notebooks.execution.outputs import (
    clean_outputs,
    clean_text,
    encode_outputs,
    executed_notebook,
    output_size,
)
from grader.notebooks.execution.verdict import check_that_it_ran, decide_verdict, explain
from grader.notebooks.execution.weights import KeptModels, WeightsInvalid, inspect_weights
from grader.sandbox.jail import Frame, Jail, JailRequest, Limits, Mount, Sandbox

DATA_TARGET = "/data/mnist"
THREADS = 1
_ENTRY = "grader.notebooks.inside.child"
_WRITABLE = ("/content", "/kaggle/working")  # where Colab and Kaggle have students keep their data
_GRACE_SECONDS = 30.0  # between an interrupt and the end of a kernel that does not listen; a busy one is slow
_LEAST_GRACE_SECONDS = 2.0
_STARTUP_SECONDS = 60.0
_SLOW_LIBRARY = "torch"  # a notebook that never says this word has nothing of a jail that has imported it
_ALL_MODELS = 4  # all models together may weigh this many times what one may
_FLUSH_SECONDS = 15.0
_MARKS_BYTES = 8 << 10  # what a cut leaves beyond its limit: the mark, an error's name and message
_JSON_GROWTH = 6  # one byte of text as JSON, at worst
_LEAST_NOTEBOOK_BYTES = 1 << 20  # for outputs, beyond a quarter more than their text
_LEFT_OUT = {
    "output_type": "stream",
    "name": "stdout",
    "text": "[output cut: too many control characters]\n",
}
_SPARE_BYTES = 16 << 20


def execute(
    notebook: Notebook,
    limits: RunLimits,
    sandbox: Sandbox,
    *,
    mounts: Sequence[Mount],
    store: Callable[[bytes], str],
    on_cell: Callable[[CellRun], None],
    on_start: Callable[[Jail], None],
    seed: int,
    exercises: Mapping[int, Part] | None = None,
) -> NotebookRun:
    """Run every code cell in order in one fresh jail; what the student's code does is never an exception.

    Where there is no code cell, no jail is started.

    ``store`` keeps a blob and returns its sha256; ``on_cell`` gets each cell as it ends; ``on_start``
    gets the running jail, to kill it. ``exercises`` are those with a budget, by their cells' indices: where
    one has used it up, its other cells are not run and those of the next are. Raises `SandboxUnavailable`
    where no jail starts, and `RunIncomplete` where it ended before the first cell or was killed by us: both
    are to be retried.
    """
    began = monotonic()
    exercises = exercises or {}
    record = _Record(notebook, limits, store, on_cell, exercises)
    if not notebook.code_cells:
        executed = store(executed_notebook(notebook, (), {}))
        return NotebookRun(
            Verdict.OK, (), (), 0.0, 0.0, executed, 0, {}, THREADS, explain(Verdict.OK, (), [])
        )
    with sandbox.start(_request(notebook, limits, mounts, seed, exercises)) as jail:
        on_start(jail)
        for frame in jail.frames():
            if record.out_of_turn:
                continue  # what comes after it is not looked at
            try:
                record.take(frame)
            except OutOfTurn:
                record.out_of_turn = True
                jail.kill()
            del frame  # a large one must not wait in memory for the next
            if record.ready and record.start_seconds is None:
                record.start_seconds = monotonic() - began
        ended = jail.exit()
    check_that_it_ran(
        ended, ready=record.ready is not None, out_of_turn=record.out_of_turn, failure=record.failure
    )
    cells = record.cells()
    reason = record.end.reason if record.end else None
    verdict = decide_verdict(ended, reason, cells, out_of_turn=record.out_of_turn)
    return NotebookRun(
        verdict=verdict,
        cells=cells,
        models=record.models.models,
        seconds=monotonic() - began,
        start_seconds=record.start_seconds or 0.0,
        executed_sha256=store(executed_notebook(notebook, cells, record.outputs)),
        peak_memory_bytes=ended.peak_memory_bytes,
        versions=record.ready.versions if record.ready else {},
        threads=THREADS,
        detail=explain(verdict, cells, record.remarks()),
        spent=sum_up(cells, exercises, record.over),
    )


class _Record:
    """What the child has said so far, checked as it comes."""

    def __init__(
        self,
        notebook: Notebook,
        limits: RunLimits,
        store: Callable[[bytes], str],
        on_cell: Callable[[CellRun], None],
        exercises: Mapping[int, Part],
    ) -> None:
        self._exercises = exercises
        self._order = tuple(cell.index for cell in notebook.code_cells)
        self._limits = limits
        self._store = store
        self._on_cell = on_cell
        self._done: dict[int, CellRun] = {}
        self._model_bytes_left = _ALL_MODELS * limits.model_bytes
        self._unreadable = 0
        self._notes = ""
        self.models = KeptModels(limits.models)
        self.over: set[str] = set()  # exercises whose time is used up
        self._notebook_bytes_left = limits.output_bytes * 5 // 4 + _LEAST_NOTEBOOK_BYTES
        self.outputs: dict[int, bytes] = {}  # by cell, as JSON
        self.ready: Ready | None = None
        self.end: End | None = None
        self.start_seconds: float | None = None
        self.out_of_turn = False
        self.failure = ""  # of the child itself

    def take(self, frame: Frame) -> None:
        """Take up one frame; `OutOfTurn` where it is none of ours or comes at the wrong time."""
        header = parse_header(frame.header)
        if isinstance(header, Failed):
            self.failure = clean_text(frame.payload[-4000:].decode("utf-8", "replace")) or "no reason given"
            return
        if self.end is not None or isinstance(header, Ready) == (self.ready is not None):
            raise OutOfTurn(f"a {header.kind} frame at the wrong time")
        match header:
            case Ready():
                self.ready = header
            case CellDone():
                self._take_cell(header, frame.payload)
            case ModelFound():
                self._take_model(header, frame.payload)
            case End():
                self.end = header
                self._notes = clean_text(frame.payload[:4000].decode("utf-8", "replace"))

    def cells(self) -> tuple[CellRun, ...]:
        """All code cells of the submission; those that never came were not run."""
        return tuple(self._done.get(index) or CellRun(index, CellState.NOT_RUN) for index in self._order)

    def remarks(self) -> list[str]:
        """Why models may be missing."""
        remarks = []
        if self._unreadable:
            remarks.append(f"{self._unreadable} model files were unreadable or too large and were left out.")
        if self.models.dropped:
            remarks.append(f"{self.models.dropped} models beyond the limit were left out.")
        if self._notes.strip():
            remarks.append(f"Remarks on the models: {'; '.join(self._notes.split(chr(10))).strip('; ')}")
        return remarks

    def _take_cell(self, header: CellDone, payload: bytes) -> None:
        position = len(self._done)
        if position >= len(self._order) or header.index != self._order[position]:
            raise OutOfTurn(f"cell {header.index} where another was due")
        limit = self._limits.output_bytes_per_cell + _MARKS_BYTES
        outputs = clean_outputs(parse_outputs(payload, _JSON_GROWTH * limit + _MARKS_BYTES))
        size = output_size(outputs)
        if size > limit:
            raise OutOfTurn(f"{size} bytes of outputs")
        error = clean_text(header.error)
        if header.exercise_over:
            part, error = find_over(header.index, self._exercises)
            self.over.add(part)
        elif header.cell_state is CellState.NOT_RUN:
            raise OutOfTurn(f"cell {header.index} was left out for no reason")
        done = CellRun(
            index=header.index,
            state=header.cell_state,
            seconds=header.seconds,
            output_bytes=size,
            error=error,
            output_cut=header.cut,
            exercise_over=header.exercise_over,
        )
        self._done[header.index] = done
        self.outputs[header.index] = self._encode(outputs)
        self._on_cell(done)

    def _encode(self, outputs: list[dict[str, Any]]) -> bytes:
        """As JSON; only a mark where that is far larger than the text: floods of control characters."""
        encoded = encode_outputs(outputs, len(self._done))
        if len(encoded) > self._notebook_bytes_left:
            encoded = encode_outputs([_LEFT_OUT], len(self._done))
        self._notebook_bytes_left -= len(encoded)
        return encoded

    def _take_model(self, header: ModelFound, blob: bytes) -> None:
        if header.cell not in self._done:
            raise OutOfTurn(f"a model of cell {header.cell}, which has not run")
        self._model_bytes_left -= len(blob)
        if self._model_bytes_left < 0:
            self._unreadable += 1
            return
        try:
            weights = inspect_weights(blob)
        except WeightsInvalid:
            self._unreadable += 1
            return
        if not self.models.has(weights):
            self.models.add(weights.as_model(self._store(blob), header.cell), weights)


def shape_of_runs(limits: RunLimits, mounts: Sequence[Mount], seed: int) -> JailRequest:
    """What is known of a run's jail before there is a notebook: enough to make one ahead of need."""
    jail_limits = Limits(
        wall_seconds=_STARTUP_SECONDS + limits.total_seconds + _GRACE_SECONDS + _FLUSH_SECONDS,
        memory_bytes=limits.memory_bytes,
        processes=limits.processes,
    )
    opening = {
        "kind": "prepare",
        "data": DATA_TARGET,
        "seed": seed,
        "models": limits.models,
        "model_bytes": limits.model_bytes,
        "writable": _WRITABLE,
        "tmp_bytes": jail_limits.tmp_bytes,
    }
    return JailRequest(
        _ENTRY, (), jail_limits, tuple(mounts), writable=_WRITABLE, opening=(Frame(opening),), nests=True
    ).shape()


def _request(
    notebook: Notebook,
    limits: RunLimits,
    mounts: Sequence[Mount],
    seed: int,
    exercises: Mapping[int, Part],
) -> JailRequest:
    cells = [
        {
            "index": cell.index,
            "source": clean_text(cell.source),
            "exercise": exercises[cell.index].key if cell.index in exercises else None,
        }
        for cell in notebook.code_cells
    ]
    models_bytes = _ALL_MODELS * limits.model_bytes
    header = {
        "kind": "run",
        "cell_seconds": limits.cell_seconds,
        "total_seconds": limits.total_seconds,
        "grace_seconds": min(_GRACE_SECONDS, max(_LEAST_GRACE_SECONDS, limits.cell_seconds / 2)),
        "output_bytes_per_cell": limits.output_bytes_per_cell,
        "output_bytes": limits.output_bytes,
        "models": limits.models,
        "model_bytes": limits.model_bytes,
        "models_bytes": models_bytes,
        "budgets": {part.key: asdict(part.budget) for part in exercises.values()},
    }
    outputs = _JSON_GROWTH * (limits.output_bytes + len(cells) * _MARKS_BYTES)
    shape = shape_of_runs(limits, mounts, seed)
    budgets = replace(
        shape.limits,
        frame_bytes=max(limits.model_bytes, _JSON_GROWTH * limits.output_bytes_per_cell) + _SPARE_BYTES,
        total_bytes=outputs + models_bytes + _SPARE_BYTES,
        frames=1000 + len(cells) * (1 + limits.models),
    )
    return replace(
        shape,
        frames=(Frame(header, json.dumps(cells).encode("ascii")),),
        limits=budgets,
        serves_ahead=any(_SLOW_LIBRARY in cell.source for cell in notebook.code_cells),
    )
