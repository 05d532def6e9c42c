"""What the child may say, field by field. Whatever else it says ends the run."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from grader.domain.run import CellState

_Text = Annotated[str, Field(max_length=500)]
_Seconds = Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)]
_MAX_INDEX = 1_000_000


class OutOfTurn(Exception):
    """A frame that is none of ours, or one that comes at the wrong time."""


class _Header(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Ready(_Header):
    """The kernel answers; the first cell begins now."""

    kind: Literal["ready"]
    versions: Annotated[dict[_Text, _Text], Field(max_length=30)]


class CellDone(_Header):
    """A cell has ended; the payload holds its outputs as a JSON list."""

    kind: Literal["cell"]
    index: Annotated[int, Field(ge=0, le=_MAX_INDEX)]
    state: Literal["ok", "error", "timeout", "not_run"]
    seconds: _Seconds
    cut: bool
    error: _Text
    exercise_over: bool = False  # its exercise's time is used up: it was stopped, or never begun

    @property
    def cell_state(self) -> CellState:
        """The state as the domain calls it."""
        return CellState(self.state)


class ModelFound(_Header):
    """A model that changed in a cell; the payload is its safetensors file."""

    kind: Literal["model"]
    cell: Annotated[int, Field(ge=0, le=_MAX_INDEX)]


class End(_Header):
    """Nothing more comes. The payload holds the harvest's own remarks."""

    kind: Literal["end"]
    reason: Literal["completed", "deadline", "kernel_lost", "forbidden_call", "output_full"]


class Failed(_Header):
    """The child itself failed, not the notebook. The payload says how, for engineers."""

    kind: Literal["failed"]


Header = Ready | CellDone | ModelFound | End | Failed
_HEADERS: TypeAdapter[Header] = TypeAdapter(Annotated[Header, Field(discriminator="kind")])


def parse_header(header: object) -> Header:
    """Parse strictly; `OutOfTurn` for anything else."""
    try:
        return _HEADERS.validate_python(header)
    except ValidationError as error:
        raise OutOfTurn(f"{error.error_count()} errors in a frame's header") from None


def parse_outputs(payload: bytes, limit: int) -> Any:
    """A cell's outputs as they were sent; `OutOfTurn` for what is no JSON or over the limit."""
    if len(payload) > limit:
        raise OutOfTurn(f"{len(payload)} bytes of outputs")
    try:
        return json.loads(payload)
    except (ValueError, RecursionError):
        raise OutOfTurn("outputs that are no JSON") from None
