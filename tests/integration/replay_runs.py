"""Train what a notebook's cells say in this process, and measure it in real jails as if harvested."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save
from torch import nn

from grader.domain.models import ModelReport
from grader.domain.run import HarvestedModel, Layer
from grader.evaluation.datasets import Dataset, open_dataset, source_path
from grader.evaluation.idx import unpack_images
from grader.evaluation.measure import measure
from grader.sandbox.bubblewrap import open_sandbox
from grader.sandbox.jail import Sandbox
from tests.conftest import REPOSITORY

WIDTHS = (2, 8, 32, 128)
SETUP = """
import torch
from torch import nn
import torch.nn.functional as F
def fit(model, call=None, shape=(-1, 784), steps=120, lr=4e-3, loss_of=F.mse_loss, scale=lambda x: x,
        parts=None):
    parts = parts or [model]
    optimizer = torch.optim.Adam([p for part in parts for p in part.parameters()], lr=lr)
    for step in range(steps):
        batch = images[(step * 64) % 59_000 :][:64]
        out = (call or model)(scale(batch).reshape(shape))
        out = out[0] if isinstance(out, tuple) else out
        loss = loss_of(out.reshape(-1, 784), batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model
"""


def train_images(dataset: Dataset) -> torch.Tensor:
    """The students' images: 60,000×784 in [0, 1]."""
    (mount,) = dataset.student_mounts
    packed = (mount.source / "train-images-idx3-ubyte.gz").read_bytes()
    return torch.tensor(unpack_images(gzip.decompress(packed)).reshape(-1, 784)).float() / 255


def run_cells(cells: Sequence[str], images: torch.Tensor, **more: Any) -> dict[str, Any]:
    """Run them here, with ``images`` and ``more`` at hand; the names they leave."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    names: dict[str, Any] = {"__name__": "__main__", "images": images, **more}
    for cell in cells:
        exec(compile(cell, "<cell>", "exec"), names)
    return names


def harvested(
    name: str, module: nn.Module, cell: int, arguments: dict[str, Any] | None = None
) -> tuple[HarvestedModel, bytes]:
    """As the kernel's hook would give it."""
    leaves = [(key, leaf) for key, leaf in module.named_modules() if not list(leaf.children())]
    told = tuple(Layer(key, type(leaf).__name__) for key, leaf in leaves)
    data = save({key: tensor.contiguous().clone() for key, tensor in module.state_dict().items()})
    size = sum(p.numel() for p in module.parameters())
    spoken = json.dumps(arguments) if arguments is not None else ""
    return HarvestedModel(name, cell, type(module).__name__, told, size, arguments=spoken), data


class Measuring:
    """Measures the models of some cells in real jails."""

    def __init__(self, sandbox: Sandbox, dataset: Dataset, model_path: Path) -> None:
        self.dataset = dataset
        self.images = train_images(dataset)
        self.jails = 0
        self._sandbox = sandbox
        self._model_path = model_path

    def measure(self, cells: Sequence[str], pairs: Sequence[tuple[HarvestedModel, bytes]]) -> ModelReport:
        """Measure these models beside these cells."""
        self.jails = 0

        def count(_: Any) -> None:
            self.jails += 1

        return measure(
            [model for model, _ in pairs],
            {model.sha256: data for model, data in pairs}.__getitem__,
            model_path=self._model_path,
            latent_dims=WIDTHS,
            dataset=self.dataset,
            sandbox=self._sandbox,
            on_start=count,
            cells=list(enumerate(cells)),
        )


def open_measuring(scratch: Path, data_folder: Path) -> Measuring:
    """In jails as for a trusted class, on the embedded digits, with homework 5's architecture."""
    sandbox = open_sandbox(scratch=scratch, hidden=(source_path(),), trusted_class=True)
    dataset = open_dataset(data_folder, "mnist-embedded")
    return Measuring(sandbox, dataset, REPOSITORY / "reference" / "homework_05" / "model.py")
