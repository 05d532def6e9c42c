"""Runs inside the jail: a notebook's code cells in, one frame out for each cell and model.

Frames in: one that tells how the kernel is to be started, then, maybe much later, one with the cells.
Frames out, in this order: ``prepared``, ``ready``, then for each cell ``cell`` followed by its ``model``
frames, then ``end``. `execution.frames` has their fields.
"""

from __future__ import annotations

import asyncio
import ctypes
import json
import os
import platform
import select
import tempfile
import traceback
from collections.abc import Callable, Mapping
from importlib.metadata import PackageNotFoundError, version
from itertools import islice
from pathlib import Path
from time import monotonic
from typing import Any, BinaryIO

from grader.domain.run import CellState
from grader.notebooks.execution.outputs import clean_text, error_line, output_size
from grader.notebooks.inside.budgets import Budgets
from grader.notebooks.inside.client import CellClient, CellResult
from grader.notebooks.inside.harvest_files import collect_models, read_regular_file
from grader.notebooks.inside.kernel_process import KernelSettings, start_kernel, was_ended_for_a_call
from grader.sandbox.arguments import HARVEST
from grader.sandbox.frames import read_frame, write_frame
from grader.sandbox.jail import PREPARED, Frame
from grader.sandbox.syscalls import confine_this_process

_REQUEST_BYTES = 256 << 20
_HARVEST = Path(HARVEST)
_NOTES_BYTES = 4000
_LEFT_OUT = CellResult(CellState.NOT_RUN, 0.0, [], cut=False)  # its exercise has used up its time
_LOOK_SECONDS = 2.0
_PR_SET_DUMPABLE = 4
_NAMED = ("torch", "torchvision", "numpy", "nbclient", "ipykernel", "ipython")


def main() -> None:
    """Start a kernel, wait for the cells, run them, say how it ended."""
    requests = os.fdopen(os.dup(0), "rb", buffering=0)
    with take_over_stdout() as wire:
        try:
            asyncio.run(serve(requests, lambda frame: write_frame(wire, frame)))
        except Exception:
            write_frame(wire, Frame({"kind": "failed"}, traceback.format_exc().encode("utf-8", "replace")))
        # All is said, and the jail ends with this process: no library's clean-up may delay that.
        os._exit(0)


async def serve(requests: BinaryIO, send: Callable[[Frame], None]) -> None:
    """Prepare as the first frame says, run what the second one holds; end quietly where there is none."""
    opening = read_frame(requests, _REQUEST_BYTES)
    if opening is None:
        return
    sockets = Path(tempfile.mkdtemp(prefix="kernel-"))
    manager, channels = await start_kernel(sockets, _settings(opening.header))
    confine_this_process()
    send(Frame({"kind": PREPARED}))
    while not select.select([requests], [], [], _LOOK_SECONDS)[0]:
        await _require_alive(manager)
    request = read_frame(requests, _REQUEST_BYTES)
    if request is None:
        return
    await _require_alive(manager)
    await _Run(request, send).run(manager, channels)


async def _require_alive(manager: Any) -> None:
    if not await manager.is_alive():
        raise RuntimeError("the kernel ended while it waited for its notebook")


def _settings(opening: Mapping[str, Any]) -> KernelSettings:
    return KernelSettings(
        harvest=_HARVEST,
        data=str(opening["data"]),
        seed=int(opening["seed"]),
        models=int(opening["models"]),
        model_bytes=int(opening["model_bytes"]),
        writable=tuple(opening["writable"]),
        tmp_bytes=int(opening["tmp_bytes"]),
    )


def take_over_stdout() -> BinaryIO:
    """Keep stdout for frames alone: a copy that no other process inherits, opens or prints to by accident."""
    wire = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    with open(os.devnull, "rb") as nothing:  # noqa: PTH123
        os.dup2(nothing.fileno(), 0)
    # Not even through /proc/<this process>/fd.
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    return wire


class _Run:
    """One notebook, from the request to the ``end`` frame."""

    def __init__(self, request: Frame, send: Callable[[Frame], None]) -> None:
        self._limits: Mapping[str, Any] = request.header
        self._cells: list[dict[str, Any]] = json.loads(request.payload)
        self._send = send
        self._output_left = int(self._limits["output_bytes"])
        self._models_left = int(self._limits["models_bytes"])
        self._output_full = False
        self._budgets = Budgets(self._limits["budgets"], _HARVEST)

    async def run(self, manager: Any, channels: Any) -> None:
        """Run every cell."""
        self._send(Frame({"kind": "ready", "versions": find_versions()}))
        sources = [str(cell["source"]) for cell in self._cells]
        client = CellClient(sources, manager, channels, float(self._limits["grace_seconds"]))
        reason = await self._run_cells(client, manager)
        notes = read_regular_file(_HARVEST / "notes.txt", _NOTES_BYTES) or b""
        self._send(Frame({"kind": "end", "reason": reason}, notes))

    async def _run_cells(self, client: CellClient, manager: Any) -> str:
        deadline = monotonic() + float(self._limits["total_seconds"])
        for position, cell in enumerate(self._cells):
            left = deadline - monotonic()
            if left <= 0:
                return "deadline"
            exercise = cell["exercise"]
            if self._budgets.left(exercise) <= 0:
                self._send_cell(int(cell["index"]), _LEFT_OUT, exercise_over=True)
                continue
            limit = int(self._limits["output_bytes_per_cell"])
            room = min(limit, self._output_left)
            seconds = min(float(self._limits["cell_seconds"]), left, self._budgets.left(exercise))
            self._budgets.begin(exercise)
            result = await client.run_cell(position, seconds, room)
            self._budgets.spend(exercise, result.seconds)
            self._output_full = self._output_full or (result.cut and room < limit)
            over = result.state is CellState.TIMEOUT and self._budgets.left(exercise) <= 0
            self._send_cell(int(cell["index"]), result, exercise_over=over)
            self._send_models(int(cell["index"]))
            if result.kernel_lost:
                if monotonic() >= deadline:
                    return "deadline"
                return "forbidden_call" if was_ended_for_a_call(manager) else "kernel_lost"
        if monotonic() >= deadline:
            return "deadline"
        return "output_full" if self._output_full else "completed"

    def _send_cell(self, index: int, result: CellResult, *, exercise_over: bool) -> None:
        used = output_size(result.outputs)
        self._output_left = max(0, self._output_left - used)
        header = {
            "kind": "cell",
            "index": index,
            "state": result.state.value,
            "seconds": round(result.seconds, 4),
            "cut": result.cut,
            "error": clean_text(error_line(result.outputs)),
            "exercise_over": exercise_over,
        }
        self._send(Frame(header, json.dumps(result.outputs, default=str).encode("ascii")))

    def _send_models(self, index: int) -> None:
        found = collect_models(_HARVEST, int(self._limits["model_bytes"]) + (1 << 20))
        # The harvest keeps no more; whatever else lies there must not use up the frames of later cells.
        for blob in islice(found, int(self._limits["models"])):
            if len(blob) <= self._models_left:
                self._models_left -= len(blob)
                self._send(Frame({"kind": "model", "cell": index}, blob))


def find_versions() -> dict[str, str]:
    """The versions of Python and of the libraries that matter to a result; none of them is imported."""
    found = {"python": platform.python_version()}
    for name in _NAMED:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


if __name__ == "__main__":
    main()
