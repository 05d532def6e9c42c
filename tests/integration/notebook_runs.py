"""What the tests of execution share: run a few cells in a real jail and look at what came of it."""

from __future__ import annotations

import gzip
import json
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import md5, sha256
from pathlib import Path
from typing import Any

from grader.domain.notebook import Cell, CellKind, Notebook
from grader.domain.rubric import Part, RunLimits
from grader.domain.run import CellRun, NotebookRun
from grader.notebooks.execution.execute import execute
from grader.notebooks.execution.weights import inspect_weights
from grader.sandbox.jail import Jail, Mount, Sandbox

LIMITS = RunLimits(
    cell_seconds=60,
    total_seconds=120,
    memory_bytes=2 << 30,
    processes=128,
    output_bytes_per_cell=50_000,
    output_bytes=500_000,
    models=8,
    model_bytes=8 << 20,
)

AUTOENCODER = """
import torch
from torch import nn
x = torch.rand(32, 784)
class AE(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.encoder, self.decoder = nn.Linear(784, d), nn.Linear(d, 784)
    def forward(self, v):
        return self.decoder(self.encoder(v))
def fit(m, steps=2):
    o = torch.optim.SGD(m.parameters(), lr=.1)
    for _ in range(steps):
        o.zero_grad(); ((m(x) - x) ** 2).mean().backward(); o.step()
    return m
"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A run, and the blobs that it stored."""

    run: NotebookRun
    blobs: dict[str, bytes]
    told: list[CellRun]

    @property
    def states(self) -> list[str]:
        return [cell.state.value for cell in self.run.cells]

    def outputs(self, index: int) -> list[dict[str, Any]]:
        document = json.loads(self.blobs[self.run.executed_sha256])
        found: list[dict[str, Any]] = document["cells"][index]["outputs"]
        return found

    def text(self, index: int) -> str:
        return "".join(output["text"] for output in self.outputs(index) if output["output_type"] == "stream")

    @property
    def widths(self) -> list[int]:
        """The narrowest side of each model's matrices, smallest first."""
        shapes = [inspect_weights(self.blobs[model.sha256]).shapes for model in self.run.models]
        return sorted(min(min(shape) for shape in found if len(shape) == 2) for found in shapes)


def run_cells(
    sandbox: Sandbox,
    *sources: str,
    mounts: Sequence[Mount] = (),
    on_start: Callable[[Jail], None] = lambda jail: None,
    exercises: Mapping[int, Part] | None = None,
    **limits: Any,
) -> Outcome:
    blobs: dict[str, bytes] = {}
    told: list[CellRun] = []

    def store(blob: bytes) -> str:
        name = sha256(blob).hexdigest()
        blobs[name] = blob
        return name

    notebook = Notebook(tuple(Cell(i, CellKind.CODE, source) for i, source in enumerate(sources)))
    run = execute(
        notebook,
        replace(LIMITS, **limits),
        sandbox,
        mounts=mounts,
        store=store,
        on_cell=told.append,
        on_start=on_start,
        seed=7,
        exercises=exercises,
    )
    return Outcome(run, blobs, told)


def make_mnist(folder: Path) -> Mount:
    """A tiny data set in MNIST's own format: 200 and 50 images."""
    checksums = {}
    for name, count in (("train", 200), ("t10k", 50)):
        images = struct.pack(">IIII", 2051, count, 28, 28) + bytes(784 * count)
        labels = struct.pack(">II", 2049, count) + bytes(i % 10 for i in range(count))
        files = {f"{name}-images-idx3-ubyte.gz": images, f"{name}-labels-idx1-ubyte.gz": labels}
        for file, data in files.items():
            packed = gzip.compress(data)
            (folder / file).write_bytes(packed)
            (folder / Path(file).stem).write_bytes(data)
            checksums[file] = md5(packed).hexdigest()
    (folder / "checksums.json").write_text(json.dumps(checksums))
    folder.chmod(0o755)  # the jail runs as a user of its own
    return Mount(folder, "/data/mnist")
