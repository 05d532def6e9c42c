"""What running a notebook in the jail yielded. All of it is testimony but the weights' own values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class CellState(StrEnum):
    """How one code cell ended."""

    OK = "ok"
    ERROR = "error"
    TIMEOUT = "timeout"
    NOT_RUN = "not_run"


class Verdict(StrEnum):
    """How a whole run ended."""

    OK = "ok"
    CELL_ERROR = "cell_error"
    TIMEOUT = "timeout"  # a cell used up its time; the run went on
    DEADLINE = "deadline"  # the whole run used up its time
    MEMORY_LIMIT = "memory_limit"
    OUTPUT_LIMIT = "output_limit"
    KERNEL_DIED = "kernel_died"
    PROTOCOL_ERROR = "protocol_error"  # something in the jail spoke out of turn
    FORBIDDEN_CALL = "forbidden_call"


class RanOut(StrEnum):
    """What an exercise had too little of."""

    NOTHING = "nothing"
    TIME = "time"
    MEMORY = "memory"


@dataclass(frozen=True, slots=True)
class Spent:
    """What one exercise used of its own budget."""

    part: str
    title: str  # as the template names it
    seconds: float
    seconds_limit: float | None
    memory_limit: int | None
    ran_out: RanOut


@dataclass(frozen=True, slots=True)
class CellRun:
    """One code cell of the submitted notebook."""

    index: int  # in the submitted notebook, markdown cells counted
    state: CellState
    seconds: float = 0.0
    output_bytes: int = 0
    error: str = ""  # "ValueError: …", at most 500 characters
    output_cut: bool = False
    exercise_over: bool = False  # its exercise's time was used up: it was stopped, or never begun


@dataclass(frozen=True, slots=True)
class Layer:
    """One leaf module, as the kernel named it."""

    name: str  # "encoder.0"
    type: str  # "Linear"


@dataclass(frozen=True, slots=True)
class InputStatistics:
    """What a model was last fed. Values in the model's own input units."""

    shape: tuple[int, ...]
    minimum: float
    maximum: float
    mean: float


@dataclass(frozen=True, slots=True)
class HarvestedModel:
    """One model's weights, taken after the cell that last changed them."""

    sha256: str  # of the safetensors blob
    cell: int
    class_name: str
    layers: tuple[Layer, ...]
    parameters: int
    inputs: InputStatistics | None = None
    arguments: str = ""  # JSON of what its class was made with, where that is simple; told by the kernel


@dataclass(frozen=True, slots=True)
class NotebookRun:
    """The run of one notebook."""

    verdict: Verdict
    cells: tuple[CellRun, ...]
    models: tuple[HarvestedModel, ...]
    seconds: float  # wall clock from launch to the end
    start_seconds: float  # of these, until the first cell began
    executed_sha256: str  # blob: the executed notebook
    peak_memory_bytes: int
    versions: Mapping[str, str]
    threads: int
    detail: str = ""  # one sentence for whoever reads the verdict
    spent: tuple[Spent, ...] = ()  # of exercises with a budget
