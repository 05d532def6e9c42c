"""The rubric: what a homework consists of, and what each item of it is worth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

DatasetName = Literal[
    "mnist", "digits_8x8"
]  # what a rubric may name; `grader.evaluation.datasets` makes them


class PartKind(StrEnum):
    """What a student hands in under one heading of the homework."""

    EXERCISE = "exercise"
    SHORT_ANSWER = "short_answer"
    CHOICE = "choice"


@dataclass(frozen=True, slots=True)
class Budget:
    """What the cells of one exercise may use together. None: only the run's limits hold."""

    seconds: float | None = None
    memory_bytes: int | None = None  # beyond what was there when its first cell began


@dataclass(frozen=True, slots=True)
class Part:
    """One exercise or question of the homework, as the template prints it."""

    key: str  # "ex1", "q3"
    kind: PartKind
    heading: str  # "Question 3": how the template's heading begins
    title: str  # "Reconstruction Loss"
    options: Mapping[str, str] = field(default_factory=dict)  # choice only: letter → text
    budget: Budget = Budget()  # exercises only
    prompt: str = ""  # what the template asks below the heading, hints too, a line each


@dataclass(frozen=True, slots=True)
class Concept:
    """One idea that a short answer is expected to contain."""

    id: str
    name: str
    points: float
    subquestion: int | None
    statements: tuple[str, ...]
    misconceptions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the grade. ``check`` names the judgement, ``params`` are its literal settings."""

    key: str  # "ex1.latent_8"
    part: str
    title: str
    points: float
    check: str
    params: Mapping[str, Any] = field(default_factory=dict)
    concepts: tuple[Concept, ...] = ()


@dataclass(frozen=True, slots=True)
class UploadLimits:
    """What an upload may weigh before it is read."""

    bytes: int
    cells: int
    nesting: int


def tell_size(size: int) -> str:
    """Bytes in words, the same wherever a limit is told: 10 MB; 2.5 MB; 800 bytes."""
    return f"{size / 1e6:.1f}".removesuffix(".0") + " MB" if size >= 100_000 else f"{size} bytes"


@dataclass(frozen=True, slots=True)
class RunLimits:
    """What a notebook may use while it runs."""

    cell_seconds: float
    total_seconds: float
    memory_bytes: int
    processes: int
    output_bytes_per_cell: int
    output_bytes: int
    models: int
    model_bytes: int


class Alone(StrEnum):
    """Which written answers are decided without a human."""

    NOTHING = "nothing"  # not even a blank one
    BLANK = "blank"  # a blank one and the untouched placeholder: nothing for nothing
    CERTAIN = "certain"  # what a calibration is sure of, too; where there is none, as `blank`


@dataclass(frozen=True, slots=True)
class Policy:
    """What holds for every submission of the assignment."""

    attempts: int = 20  # how many different notebooks one student may hand in
    seed: int = 0  # every run starts from it, so that a run can be repeated
    written_answers: Alone = Alone.BLANK


@dataclass(frozen=True, slots=True)
class Rubric:
    """One version of one assignment's rubric. ``sha256`` is of all that it says."""

    id: str
    title: str
    sha256: str
    parts: tuple[Part, ...]
    items: tuple[Item, ...]
    upload_limits: UploadLimits
    run_limits: RunLimits
    latent_dims: tuple[int, ...]
    dataset: str  # a `DatasetName`
    policy: Policy = field(default_factory=Policy)

    @property
    def maximum(self) -> float:
        """The points that the assignment is worth."""
        return round(sum(item.points for item in self.items), 6)

    def part_of(self, item: str) -> str:
        """The part of the item with this key, also of one that an earlier version had."""
        return next((known.part for known in self.items if known.key == item), item.partition(".")[0])

    def part(self, key: str) -> Part:
        """The part with this key; ``KeyError`` where there is none."""
        return {part.key: part for part in self.parts}[key]
