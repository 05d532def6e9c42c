"""What measuring costs: four models on the held-out images, beside what a jail costs.

    python -m benchmarks.measuring

Prints CPU seconds inside the measuring child once it is warm, and wall clock of whole jails: the agreed
architecture's one, and the two of a replay. Run it on an idle machine.
"""

from __future__ import annotations

import io
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors.torch import save
from torch import nn

from grader.domain.models import ModelReport
from grader.domain.run import HarvestedModel, Layer
from grader.evaluation.child import serve
from grader.evaluation.datasets import Dataset, open_dataset, source_path
from grader.evaluation.idx import unpack_images
from grader.evaluation.measure import measure
from grader.evaluation.pictures import sample_images
from grader.sandbox.bubblewrap import open_sandbox
from grader.sandbox.frames import write_frame
from grader.sandbox.jail import Frame, Sandbox

REPOSITORY = Path(__file__).parents[1]
MODEL = REPOSITORY / "reference" / "homework_05" / "model.py"
WIDTHS = (2, 8, 32, 128)
OWN = """
import torch
from torch import nn
class Own(nn.Module):
    def __init__(self, k):
        super().__init__()
        self.down = nn.Sequential(nn.Linear(784, 256), nn.GELU(), nn.Linear(256, k))
        self.up = nn.Sequential(nn.Linear(k, 256), nn.GELU(), nn.Linear(256, 784), nn.Sigmoid())
    def forward(self, x):
        z = self.down(x)
        return self.up(z), z
for k in [2, 8, 32, 128]:
    model = Own(k)
"""


def main() -> None:
    """Measure and print."""
    dataset = open_dataset(REPOSITORY / "var" / "data", "mnist-embedded")
    agreed = [_pack(f"agreed {width}", _agreed(width)) for width in WIDTHS]
    names: dict[str, type[nn.Module]] = {}
    exec(OWN.partition("for k")[0], names)
    own = [_pack(f"own {width}", names["Own"](width)) for width in WIDTHS]  # type: ignore[call-arg]
    warm = _child_seconds(dataset, agreed)
    print(f"four models, {dataset.held_out_images} images, in the warm child: {warm:.2f} s CPU")
    with tempfile.TemporaryDirectory() as scratch:
        sandbox = open_sandbox(scratch=Path(scratch), hidden=(source_path(),), trusted_class=True)
        for what, models in (
            ("one jail, nothing to measure in it:", []),
            ("one jail, the same four:", agreed),
            ("three jails, four of an own architecture:", own),
        ):
            print(f"{what:45}{_wall(_run, sandbox, dataset, models):6.2f} s")


def _agreed(width: int) -> nn.Module:
    encoder = nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, width))
    decoder = nn.Sequential(nn.Linear(width, 256), nn.ReLU(), nn.Linear(256, 784), nn.Sigmoid())
    return nn.ModuleDict({"encoder": encoder, "decoder": decoder})


def _pack(name: str, module: nn.Module) -> tuple[HarvestedModel, bytes]:
    leaves = [(key, leaf) for key, leaf in module.named_modules() if not list(leaf.children())]
    layers = tuple(Layer(key, type(leaf).__name__) for key, leaf in leaves)
    return HarvestedModel(name, 0, type(module).__name__, layers, 0), save(module.state_dict())


def _child_seconds(dataset: Dataset, models: list[tuple[HarvestedModel, bytes]]) -> float:
    """CPU of one round of questions: what two rounds cost more than one, so that starting is not in it."""
    images = unpack_images(dataset.held_out.read_bytes()).tobytes()
    opening = (
        Frame({"kind": "reference"}, MODEL.read_bytes()),
        Frame({"kind": "images", "pixels": dataset.pixels}, images),
        Frame({"kind": "samples", "pixels": dataset.pixels}, sample_images(dataset).tobytes()),
    )
    spent = []
    for rounds in (1, 1, 2):
        questions = io.BytesIO()
        for frame in opening:
            write_frame(questions, frame)
        for index, (model, data) in enumerate(models * rounds):
            layers = [(layer.name, layer.type) for layer in model.layers]
            write_frame(questions, Frame({"kind": "model", "index": index, "layers": layers}, data))
        questions.seek(0)
        began = time.process_time()
        serve(questions, io.BytesIO())
        spent.append(time.process_time() - began)
    torch.use_deterministic_algorithms(False)
    return spent[2] - spent[1]


def _run(sandbox: Sandbox, dataset: Dataset, models: list[tuple[HarvestedModel, bytes]]) -> ModelReport:
    chosen = models or [(HarvestedModel("none", 0, "Net", (), 0), save({"w": torch.zeros(3, 3)}))]
    return measure(
        [model for model, _ in chosen],
        {model.sha256: data for model, data in chosen}.__getitem__,
        model_path=MODEL,
        latent_dims=WIDTHS,
        dataset=dataset,
        sandbox=sandbox,
        on_start=lambda _: None,
        cells=[(0, OWN)],
    )


def _wall(act: Callable[..., ModelReport], *arguments: object) -> float:
    began = time.monotonic()
    act(*arguments)
    return time.monotonic() - began


if __name__ == "__main__":
    main()
