"""Weights measured in a real jail, against what torch says here."""

from __future__ import annotations

import io
import json
import struct
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save
from torch import nn

from grader.domain.models import ModelReport
from grader.domain.run import HarvestedModel, Layer
from grader.errors import OurFailure
from grader.evaluation.datasets import Dataset, open_dataset, source_path
from grader.evaluation.idx import unpack_images, unpack_labels
from grader.evaluation.measure import measure
from grader.sandbox.bubblewrap import BubblewrapSandbox, open_sandbox

Model = tuple[HarvestedModel, bytes]
Measure = Callable[..., ModelReport]


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> BubblewrapSandbox:
    return open_sandbox(scratch=tmp_path_factory.mktemp("jails"), hidden=(source_path(),), trusted_class=True)


@pytest.fixture(scope="module")
def dataset(data_folder: Path) -> Dataset:
    return open_dataset(data_folder, "mnist-embedded")


@pytest.fixture(scope="module")
def images(dataset: Dataset) -> torch.Tensor:
    return torch.tensor(unpack_images(dataset.held_out.read_bytes()).reshape(-1, 784)) / 255


@pytest.fixture(scope="module")
def run(sandbox: BubblewrapSandbox, dataset: Dataset, repository: Path) -> Measure:
    def run(models: Sequence[Model], model_path: Path | None = None) -> ModelReport:
        blobs = {model.sha256: data for model, data in models}
        return measure(
            [model for model, _ in models],
            blobs.__getitem__,
            model_path=model_path or repository / "reference" / "homework_05" / "model.py",
            latent_dims=(2, 8, 32, 128),
            dataset=dataset,
            sandbox=sandbox,
            on_start=lambda jail: None,
        )

    return run


class Autoencoder(nn.Module):
    def __init__(self, width: int, last: type[nn.Module] = nn.Sigmoid) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, width))
        self.decoder = nn.Sequential(nn.Linear(width, 256), nn.ReLU(), nn.Linear(256, 784), last())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.decoder(self.encoder(x))


class Functional(nn.Module):
    """The same layers under other names, made in another order, with activations called as functions."""

    def __init__(self, model: Autoencoder) -> None:
        super().__init__()
        self.out, self.up = model.decoder[2], model.decoder[0]
        self.first, self.code = model.encoder[0], model.encoder[2]


def train(
    images: torch.Tensor, width: int, epochs: int, scale: Callable[[torch.Tensor], torch.Tensor] = lambda x: x
) -> Autoencoder:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    model = Autoencoder(width)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for _ in range(epochs):
        for batch in images[torch.randperm(len(images))].split(64):
            optimizer.zero_grad()
            nn.functional.mse_loss(model(scale(batch)), batch).backward()
            optimizer.step()
    return model


@pytest.fixture(scope="module")
def trained(images: torch.Tensor) -> Autoencoder:
    return train(images, 8, epochs=20)


def pack(name: str, module: nn.Module, layers: bool = True, **changes: Any) -> Model:
    leaves = (
        [(key, leaf) for key, leaf in module.named_modules() if not list(leaf.children())] if layers else []
    )
    told = tuple(Layer(key, type(leaf).__name__) for key, leaf in leaves)
    state = {key: tensor.clone() for key, tensor in module.state_dict().items()}
    state.update(changes)
    return HarvestedModel(name, 4, type(module).__name__, told, 0), save(state)


def direct_error(model: Autoencoder, images: torch.Tensor) -> float:
    with torch.inference_mode():
        return float((model(images) - images).square().double().mean())


def test_a_measurement_is_what_torch_computes_directly(
    run: Measure, trained: Autoencoder, images: torch.Tensor, dataset: Dataset
) -> None:
    report = run([pack("a", trained)])
    (found,) = report.measurements
    mse = direct_error(trained, images)
    assert found.mse == pytest.approx(mse, rel=1e-4)
    assert found.explained_variance == pytest.approx(1 - mse / dataset.mean_image_mse, rel=1e-3)
    assert (found.latent_dim, found.cell, found.finite) == (8, 4, True)
    assert (found.input_convention, found.output_convention) == ("[0, 1]", "[0, 1]")
    mean_image = images.mean(dim=0)
    assert dataset.mean_image_mse == pytest.approx(float((images - mean_image).square().mean()), rel=0.02)


def test_the_picture_shows_images_of_the_students_files_and_what_the_model_makes_of_them(
    sandbox: BubblewrapSandbox, dataset: Dataset, repository: Path, trained: Autoencoder
) -> None:
    model, data = pack("a", trained)
    stored: dict[str, bytes] = {}

    def store(picture: bytes) -> str:
        stored["the picture"] = picture
        return "the picture"

    report = measure(
        [model],
        lambda _: data,
        model_path=repository / "reference" / "homework_05" / "model.py",
        latent_dims=(8,),
        dataset=dataset,
        sandbox=sandbox,
        on_start=lambda jail: None,
        store=store,
    )
    assert [found.picture_sha256 for found in report.measurements] == ["the picture"]
    shown = np.asarray(Image.open(io.BytesIO(stored["the picture"])))
    cells = shown.reshape(2, 88, 10, 88).transpose(0, 2, 1, 3)[:, :, 2:-2:3, 2:-2:3]
    folder = dataset.folder / "student"
    test_images = unpack_images((folder / "t10k-images-idx3-ubyte").read_bytes())
    labels = unpack_labels((folder / "t10k-labels-idx1-ubyte").read_bytes()).tolist()
    originals = test_images[[labels.index(digit) for digit in range(10)]]
    assert np.array_equal(cells[0], originals)
    with torch.inference_mode():
        wanted = trained(torch.tensor(originals.reshape(10, 784)) / 255).reshape(10, 28, 28).numpy() * 255
    assert np.abs(cells[1] - wanted).max() <= 1
    hidden = {image.tobytes() for image in unpack_images(dataset.held_out.read_bytes())}
    assert not [image for image in cells[0] if image.tobytes() in hidden]


def test_every_form_of_the_same_weights_measures_the_same(
    run: Measure, trained: Autoencoder, images: torch.Tensor
) -> None:
    flat = nn.Sequential(*trained.encoder, *trained.decoder)
    half = Autoencoder(8)
    half.load_state_dict(trained.state_dict())
    models = [
        pack("wrapped", nn.DataParallel(trained)),
        pack("sequential", flat),
        pack("functional", Functional(trained)),
        pack("double", Autoencoder(8).double(), **{k: v.double() for k, v in trained.state_dict().items()}),
        pack("half", half.half()),
        pack("without layers", trained, layers=False),
    ]
    report = run(models)
    assert [m.weights_sha256 for m in report.measurements] == [model.sha256 for model, _ in models]
    assert [m.mse for m in report.measurements] == pytest.approx(
        [direct_error(trained, images)] * 6, rel=1e-2
    )


def test_the_scaling_that_a_model_was_trained_with_is_found(run: Measure, images: torch.Tensor) -> None:
    scalings: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
        "[0, 1]": lambda x: x,
        "[-1, 1]": lambda x: x * 2 - 1,
        "normalised": lambda x: (x - 0.1307) / 0.3081,
        "[0, 255]": lambda x: x * 255,
    }
    models = [pack(name, train(images, 32, 6, scale)) for name, scale in scalings.items()]
    report = run(models)
    assert {m.weights_sha256: m.input_convention for m in report.measurements} == {
        name: name for name in scalings
    }
    assert {m.output_convention for m in report.measurements} == {"[0, 1]"}


def test_models_that_are_untrained_or_diverged_explain_nothing_and_say_which(
    run: Measure, trained: Autoencoder
) -> None:
    torch.manual_seed(1)
    diverged = {
        name: pack(name, trained, **{"decoder.2.bias": torch.full((784,), float(name))})
        for name in ("nan", "inf")
    }
    report = run([pack("untrained", Autoencoder(128)), *diverged.values()])
    assert [m.weights_sha256 for m in report.measurements] == ["untrained", "nan", "inf"]
    assert [m.finite for m in report.measurements] == [True, False, False]
    for found in report.measurements:
        assert 0 < found.mse <= 1
        assert found.explained_variance < 0


def test_other_architectures_are_named_and_never_measured_by_guesswork(
    run: Measure, trained: Autoencoder
) -> None:
    tanh = nn.Sequential(*trained.encoder[:1], nn.Tanh(), *trained.encoder[2:], *trained.decoder)
    logits = Autoencoder(8, last=nn.Identity)
    deeper = nn.Sequential(nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 16), nn.ReLU(), nn.Linear(16, 784))
    classifier = nn.Sequential(nn.Linear(784, 32), nn.ReLU(), nn.Linear(32, 10))
    integers = {key: tensor.to(torch.int8) for key, tensor in trained.state_dict().items()}
    report = run(
        [
            pack("tanh", tanh),
            pack("logits", logits),
            pack("deeper", deeper),
            pack("classifier", classifier),
            pack("integers", trained, **integers),
        ]
    )
    assert report.measurements == ()
    assert {m.weights_sha256: m.latent_dim for m in report.unmeasured} == {
        "tanh": 8,
        "logits": 8,
        "deeper": 16,
        "classifier": 0,
        "integers": 8,
    }


def bad_file(table: dict[str, Any], numbers: bytes = b"") -> bytes:
    header = json.dumps(table).encode()
    return struct.pack("<Q", len(header)) + header + numbers


POISON = {
    "empty": b"",
    "a pickle": b"\x80\x04cposix\nsystem\n(S'true'\ntR.",
    "a header longer than the file": struct.pack("<Q", 1 << 62) + b"{}",
    "a huge shape": bad_file(
        {"w": {"dtype": "F32", "shape": [1 << 40, 1 << 20], "data_offsets": [0, 4]}}, b"abcd"
    ),
    "numbers outside": bad_file({"w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 1 << 40]}}, b"abcd"),
    "an unknown type": bad_file({"w": {"dtype": "Q7", "shape": [1], "data_offsets": [0, 4]}}, b"abcd"),
    "deep JSON": struct.pack("<Q", 100_000) + b"[" * 100_000,
}


def test_poisoned_weights_are_named_and_the_others_are_measured(run: Measure, trained: Autoencoder) -> None:
    poison = [(HarvestedModel(name, 2, "Net", (), 0), data) for name, data in POISON.items()]
    report = run([pack("first", trained), *poison, pack("last", trained)])
    assert [m.weights_sha256 for m in report.measurements] == ["first", "last"]
    assert {m.weights_sha256 for m in report.unmeasured} == set(POISON)
    assert all("could not be read" in m.reason and m.latent_dim is None for m in report.unmeasured)


def test_a_broken_reference_is_our_failure(run: Measure, trained: Autoencoder, tmp_path: Path) -> None:
    (tmp_path / "model.py").write_text("def build(latent_dim): raise RuntimeError('unfinished')")
    with pytest.raises(OurFailure, match=r"model\.py fails: RuntimeError: unfinished"):
        run([pack("a", trained)], model_path=tmp_path / "model.py")


def test_a_kill_from_outside_is_our_failure(
    sandbox: BubblewrapSandbox, dataset: Dataset, repository: Path, trained: Autoencoder
) -> None:
    model, data = pack("a", trained)
    with pytest.raises(OurFailure):
        measure(
            [model],
            lambda _: data,
            model_path=repository / "reference" / "homework_05" / "model.py",
            latent_dims=(8,),
            dataset=dataset,
            sandbox=sandbox,
            on_start=lambda jail: jail.kill(),
        )
