"""Models of every build, rebuilt from a notebook's own code in real jails, against what torch says here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch

from grader.domain.models import Measurement, ModelReport
from grader.evaluation.datasets import Dataset
from grader.evaluation.idx import unpack_images
from tests.integration.replay_runs import SETUP, Measuring, harvested, open_measuring, run_cells

Run = Callable[[torch.Tensor], torch.Tensor]


@dataclass(frozen=True)
class Family:
    """Some models of one notebook: its cells, the modules by name, and how an image goes through each."""

    code: str
    width: int
    run: str  # an expression: images `x` (N×784 in [0, 1]) to N×784 in [0, 1]
    modules: tuple[str, ...] = ("{}",)  # expressions; `{}` is the family's name


SIGMOID_MLP = "nn.Linear(k, 48), nn.ReLU(), nn.Linear(48, 784), nn.Sigmoid()"
FAMILIES = {
    "convolutional": Family(
        """
class ConvAE(nn.Module):
    def __init__(self, latent_dim, channels=4):
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Conv2d(1, channels, 3, stride=4, padding=1), nn.BatchNorm2d(channels), nn.ReLU(inplace=True),
            nn.Flatten(), nn.Dropout(0.1))
        self.to_code = nn.Linear(channels * 49, latent_dim)
        self.from_code = nn.Linear(latent_dim, channels * 49)
        self.decoder = nn.Sequential(nn.ConvTranspose2d(channels, 1, 4, stride=4), nn.Sigmoid())
    def forward(self, x):
        z = self.to_code(self.encoder(x))
        return self.decoder(F.relu(self.from_code(z)).view(-1, 4, 7, 7)), z
latents = [8]
for latent in latents:
    convolutional = fit(ConvAE(latent), shape=(-1, 1, 28, 28)).eval()
""",
        8,
        "convolutional(x.view(-1, 1, 28, 28))[0]",
    ),
    "functional": Family(
        """
class Net(nn.Module):
    def __init__(self, k, h=64):
        super().__init__()
        self.a, self.b = nn.Linear(784, h), nn.Linear(h, k)
        self.c, self.d = nn.Linear(k, h), nn.Linear(h, 784)
    def forward(self, x):
        x = x.view(x.size(0), -1)
        z = self.b(F.relu(self.a(x)))
        return F.sigmoid(self.d(F.relu(self.c(z))))
def train(size):
    return fit(Net(size, h=48), shape=(-1, 28, 28))
functional = train(32)
""",
        32,
        "functional(x)",
    ),
    "sequential_of_both": Family(
        """
enc = nn.Sequential(nn.Linear(784, 48), nn.GELU(), nn.Linear(48, 8))
dec = nn.Sequential(nn.Linear(8, 48), nn.GELU(), nn.Linear(48, 784), nn.Sigmoid())
sequential_of_both = fit(nn.Sequential(enc, dec))
""",
        8,
        "sequential_of_both(x)",
    ),
    "two_modules": Family(
        """
class Encoder(nn.Module):
    def __init__(self, k):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(784, 40), nn.Tanh(), nn.Linear(40, k))
    def forward(self, x):
        return self.layers(x)
class Decoder(nn.Module):
    def __init__(self, k):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(k, 40), nn.Tanh(), nn.Linear(40, 784))
    def forward(self, z):
        return torch.sigmoid(self.layers(z))
two_a, two_b = Encoder(2), Decoder(2)
fit(None, call=lambda x: two_b(two_a(x)), parts=[two_a, two_b])
""",
        2,
        "two_b(two_a(x))",
        ("two_a", "two_b"),
    ),
    "lazy": Family(
        """
class Lazy(nn.Module):
    def __init__(self, k):
        super().__init__()
        self.first = nn.Sequential(nn.LazyConv2d(3, 5, stride=3), nn.ReLU(), nn.Flatten(), nn.LazyLinear(k))
        self.second = nn.Sequential(nn.LazyLinear(48), nn.ReLU(), nn.LazyLinear(784))
    def forward(self, x):
        z = self.first(x)
        return z, self.second(z)
lazy = Lazy(8)
lazy(images[:2].reshape(-1, 1, 28, 28))
fit(lazy, call=lambda x: lazy(x)[1], shape=(-1, 1, 28, 28))
""",
        8,
        "lazy(x.view(-1, 1, 28, 28))[1]",
    ),
    "logits_in_a_dict": Family(
        """
class Logits(nn.Module):
    def __init__(self, config):
        super().__init__()
        h, k = config["h"], config["k"]
        self.encoder = nn.Sequential(nn.Linear(784, h), nn.ReLU(), nn.Linear(h, k))
        self.decoder = nn.Sequential(nn.Linear(k, h), nn.ReLU(), nn.Linear(h, 784))
    def forward(self, x):
        z = self.encoder(x)
        return {"code": z, "logits": self.decoder(z)}
config = {"h": 56, "k": 8}
logits_in_a_dict = Logits(config)
fit(logits_in_a_dict, call=lambda x: logits_in_a_dict(x)["logits"],
    loss_of=F.binary_cross_entropy_with_logits)
""",
        8,
        "torch.sigmoid(logits_in_a_dict(x)['logits'])",
    ),
    "without_a_forward": Family(
        f"""
class Halves(nn.Module):
    def __init__(self, k, act=nn.ReLU):
        super().__init__()
        self.enc = nn.Sequential(nn.Linear(784, 48), act(), nn.Linear(48, k))
        self.dec = nn.Sequential({SIGMOID_MLP.replace("nn.ReLU()", "act()")})
without_a_forward = Halves(8, act=nn.ELU)
fit(without_a_forward, call=lambda x: without_a_forward.dec(without_a_forward.enc(x)))
""",
        8,
        "without_a_forward.dec(without_a_forward.enc(x))",
    ),
    "minus_one_to_one": Family(
        """
class Signed(nn.Module):
    def __init__(self, k):
        super().__init__()
        self.down = nn.Sequential(nn.Linear(784, 44), nn.ReLU(), nn.Linear(44, k))
        self.up = nn.Sequential(nn.Linear(k, 44), nn.ReLU(), nn.Linear(44, 784), nn.Tanh())
    def forward(self, x):
        z = self.down(x)
        return z, self.up(z)
minus_one_to_one = Signed(8)
fit(minus_one_to_one, call=lambda x: minus_one_to_one(x)[1], scale=lambda x: x * 2 - 1,
    loss_of=lambda out, wanted: F.mse_loss(out, wanted * 2 - 1))
""",
        8,
        "(minus_one_to_one(x * 2 - 1)[1] + 1) / 2",
    ),
    "made_by_functions": Family(
        """
def stack(sizes, act=nn.ReLU):
    layers = []
    for a, b in zip(sizes, sizes[1:]):
        layers += [nn.Linear(a, b), act()]
    return nn.Sequential(*layers[:-1])
def make_model(code):
    return nn.Sequential(stack([784, 36, code]), stack([code, 36, 784]))
made_by_functions = fit(make_model(8))
""",
        8,
        "made_by_functions(x)",
    ),
    "keywords_and_lists": Family(
        """
class Keywords(nn.Module):
    def __init__(self, *, hidden, code, **more):
        super().__init__()
        self.down = nn.ModuleList([nn.Linear(784, hidden), nn.Linear(hidden, code)])
        self.up = nn.ModuleList([nn.Linear(code, hidden), nn.Linear(hidden, 784)])
    def forward(self, x):
        z = self.down[1](F.relu(self.down[0](x)))
        return torch.sigmoid(self.up[1](F.relu(self.up[0](z)))), z
HIDDEN = 52
results = {}
for code, lr in [(8, 4e-3)]:
    results[code, lr] = fit(Keywords(hidden=HIDDEN, code=code, lr=lr), lr=lr)
""",
        8,
        "results[8, 4e-3](x)[0]",
        ("results[8, 4e-3]",),
    ),
    "variational": Family(
        """
class VAE(nn.Module):
    def __init__(self, latent_dim=8):
        super().__init__()
        self.fc1, self.mu, self.lv = nn.Linear(784, 60), nn.Linear(60, latent_dim), nn.Linear(60, latent_dim)
        self.fc2, self.fc3 = nn.Linear(latent_dim, 60), nn.Linear(60, 784)
    def encode(self, x):
        h = F.relu(self.fc1(x))
        return self.mu(h), self.lv(h)
    def decode(self, z):
        return torch.sigmoid(self.fc3(F.relu(self.fc2(z))))
    def forward(self, x):
        mu, lv = self.encode(x.view(-1, 784))
        z = mu + torch.randn_like(lv) * torch.exp(0.5 * lv) * 0.05 if self.training else mu
        return self.decode(z), mu, lv
variational = fit(VAE()).eval()
""",
        8,
        "variational(x)[0]",
    ),
    "wrapped": Family(
        f"""
class Inner(nn.Module):
    def __init__(self, k):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(784, 48), nn.SiLU(), nn.Linear(48, k))
        self.decoder = nn.Sequential({SIGMOID_MLP.replace("ReLU", "SiLU")})
    def forward(self, x):
        return self.decoder(self.encoder(x))
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
wrapped = fit(nn.DataParallel(torch.compile(Inner(k=8).to(device), disable=True)))
""",
        8,
        "wrapped(x)",
        ("wrapped",),
    ),
    "saved_and_loaded": Family(
        f"""
import io
class Saved(nn.Module):
    def __init__(self, k, slope):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(784, 48), nn.LeakyReLU(slope), nn.Linear(48, k))
        self.decoder = nn.Sequential({SIGMOID_MLP.replace("nn.ReLU()", "nn.LeakyReLU(slope)")})
    def forward(self, x):
        return self.decoder(self.encoder(x))
slopes = {{"small": 0.01, "large": 0.4}}
file = io.BytesIO()
torch.save(fit(Saved(8, slopes["large"])).state_dict(), file)
file.seek(0)
saved_and_loaded = Saved(8, slopes["large"])
saved_and_loaded.load_state_dict(torch.load(file))
""",
        8,
        "saved_and_loaded(x)",
    ),
}


@pytest.fixture(scope="module")
def measuring(tmp_path_factory: pytest.TempPathFactory, data_folder: Path) -> Measuring:
    return open_measuring(tmp_path_factory.mktemp("jails"), data_folder)


@pytest.fixture(scope="module")
def names(measuring: Measuring) -> dict[str, Any]:
    return run_cells([SETUP, *(family.code for family in FAMILIES.values())], measuring.images)


@pytest.fixture(scope="module")
def report(measuring: Measuring, names: dict[str, Any]) -> ModelReport:
    """All families as one notebook, so that all go through the same jails."""
    cells = [SETUP, *(family.code for family in FAMILIES.values())]
    pairs = [
        harvested(f"{name} {place}", eval(expression.format(name), names), cell)
        for cell, (name, family) in enumerate(FAMILIES.items(), start=1)
        for place, expression in enumerate(family.modules)
    ]
    found = measuring.measure(cells, pairs)
    assert measuring.jails == 3  # one for the agreed architecture, one that encodes, one that decodes
    return found


@pytest.fixture(scope="module")
def held_out(measuring: Measuring) -> torch.Tensor:
    return torch.tensor(unpack_images(measuring.dataset.held_out.read_bytes()).reshape(-1, 784)) / 255


def find(report: ModelReport, name: str) -> Measurement:
    found = [m for m in report.measurements if m.weights_sha256 == f"{name} 0"]
    assert found, [m.reason for m in report.unmeasured if m.weights_sha256.startswith(name)]
    return found[0]


@pytest.mark.parametrize("name", FAMILIES)
def test_a_replay_measures_what_torch_computes_directly(
    report: ModelReport, names: dict[str, Any], held_out: torch.Tensor, dataset: Dataset, name: str
) -> None:
    family = FAMILIES[name]
    with torch.no_grad():
        rebuilt = eval(family.run, names | {"x": held_out}).reshape(-1, 784).clamp(0, 1)
    mse = float((rebuilt - held_out).square().double().mean())
    found = find(report, name)
    assert found.mse == pytest.approx(mse, rel=0.01)
    assert found.explained_variance == pytest.approx(1 - mse / dataset.mean_image_mse, abs=0.01)
    assert (found.latent_dim, found.method) == (family.width, "replayed")
    assert found.explained_variance > 0.05


@pytest.fixture(scope="module")
def dataset(measuring: Measuring) -> Dataset:
    return measuring.dataset


def test_nothing_is_left_unmeasured(report: ModelReport) -> None:
    assert report.unmeasured == ()
    assert len(report.measurements) == len(FAMILIES)


def test_errors_are_told_for_each_class_and_average_to_the_whole(report: ModelReport) -> None:
    for found in report.measurements:
        assert len(found.mse_by_class) == 10
        assert sum(found.mse_by_class) / 10 == pytest.approx(found.mse, rel=0.05)
