"""Inside the jail: the frames of both replay entries. All are read before any student code runs."""

from __future__ import annotations

import ctypes
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

import torch
from safetensors.torch import load

from grader.evaluation.replay.rebuild import Wanted, Workshop
from grader.sandbox.frames import read_frame, write_frame
from grader.sandbox.jail import PREPARED, Frame

_MOST_BYTES = 1 << 30  # one frame in; the parent sends far less
_PR_SET_DUMPABLE = 4


@dataclass(frozen=True, slots=True)
class Questions:
    """All that the parent sent."""

    opening: Frame
    program: dict[str, Any]
    widths: Sequence[int]
    models: dict[int, Wanted]
    rest: tuple[Frame, ...]

    def workshops(self, indices: Sequence[int]) -> list[tuple[Workshop, Wanted]]:
        """One namespace for each of these models, as it was after the cell that trained it."""
        made = []
        for index in indices:
            workshop = Workshop(self.program, self.widths)
            workshop.go_to(self.models[index].cell)
            made.append((workshop, self.models[index]))
        return made


def answer(play: Callable[[Questions], Iterator[Frame]]) -> None:
    """Prepare, read every question, send what ``play`` yields."""
    wire = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what student code prints must not come between frames
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    torch.set_num_threads(1)
    torch.manual_seed(0)
    questions = sys.stdin.buffer
    opening = read_frame(questions, _MOST_BYTES)
    if opening is None:
        return
    write_frame(wire, Frame({"kind": PREPARED}))
    read = _read(opening, questions)
    if read is not None:
        write_frame(wire, Frame({"kind": "ready"}))
        for frame in play(read):
            write_frame(wire, frame)
    wire.flush()
    os._exit(0)  # all is said: no thread or clean-up of student code may delay the end


def _read(opening: Frame, questions: BinaryIO) -> Questions | None:
    program = read_frame(questions, _MOST_BYTES)
    if program is None:
        return None
    models: dict[int, Wanted] = {}
    rest: list[Frame] = []
    while (frame := read_frame(questions, _MOST_BYTES)) is not None:
        header = frame.header
        if header["kind"] != "model":
            rest.append(frame)
            continue
        models[header["index"]] = Wanted(
            header["index"], header["cell"], header["class_name"], header["arguments"], load(frame.payload)
        )
    return Questions(opening, json.loads(program.payload), program.header["widths"], models, tuple(rest))
