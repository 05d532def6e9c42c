"""Models that would look better than they are, and code that would break who measures it: in real jails."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from grader.domain.models import ModelReport
from grader.evaluation.idx import unpack_images
from tests.integration.replay_runs import SETUP, Measuring, harvested, open_measuring, run_cells

HONEST = """
class Honest(nn.Module):
    def __init__(self, k):
        super().__init__()
        self.down = nn.Sequential(nn.Linear(784, 64), nn.GELU(), nn.Linear(64, k))
        self.up = nn.Sequential(nn.Linear(k, 64), nn.GELU(), nn.Linear(64, 784), nn.Sigmoid())
    def forward(self, x):
        z = self.down(x)
        return self.up(z), z
honest = fit(Honest(8))
"""
BASE = """
class Base(nn.Module):
    def __init__(self):
        super().__init__()
        self.down, self.up = nn.Linear(784, 8), nn.Linear(8, 784)
"""
TABLE = """
class Table(Base):
    def __init__(self):
        super().__init__()
        self.register_buffer("table", torch.zeros(1000, 784))
    def forward(self, x):
        row = torch.cdist(x.view(-1, 784), self.read()).argmin(dim=1)
        z = torch.stack([row // 2 ** place % 2 for place in range(7)] + [row // 128], dim=1).float()
        row = sum(z[:, place].round() * 2 ** place for place in range(7)) + z[:, 7].round() * 128
        return self.read()[row.long().clamp(0, 999)], z
    def read(self):
        return self.table
"""
SCRAMBLED = """
class Scrambled(Table):
    def read(self):
        return (self.table - torch.linspace(0, 3, 784)).flip(1)
scrambled = Scrambled()
scrambled.table.copy_(HELD_OUT.flip(1) + torch.linspace(0, 3, 784))
"""


@pytest.fixture(scope="module")
def measuring(tmp_path_factory: pytest.TempPathFactory, data_folder: Path) -> Measuring:
    return open_measuring(tmp_path_factory.mktemp("jails"), data_folder)


@pytest.fixture(scope="module")
def hidden(measuring: Measuring) -> torch.Tensor:
    return torch.tensor(unpack_images(measuring.dataset.held_out.read_bytes()).reshape(-1, 784)) / 255


def measure(measuring: Measuring, names: list[str], *cells: str, **more: Any) -> ModelReport:
    """Measure the modules that these cells leave under these names."""
    cells = (SETUP, *cells)
    left = run_cells(cells, measuring.images, **more)
    return measuring.measure(cells, [harvested(name, left[name], len(cells) - 1) for name in names])


def reasons(report: ModelReport) -> dict[str, str]:
    return {one.weights_sha256: one.reason for one in report.unmeasured}


def test_a_table_of_the_very_held_out_images_earns_nothing_in_the_open_or_disguised(
    measuring: Measuring, hidden: torch.Tensor
) -> None:
    plain = "plain = Table()\nplain.table.copy_(HELD_OUT)"
    report = measure(measuring, ["plain", "scrambled"], BASE, TABLE, plain, SCRAMBLED, HELD_OUT=hidden)
    assert report.measurements == ()
    found = reasons(report)
    assert "table of images" in found["plain"]
    assert "by heart" in found["scrambled"] or "past the code" in found["scrambled"]


def test_a_model_that_ends_its_process_costs_no_other_its_measurement(measuring: Measuring) -> None:
    ends = """
class Ends(Base):
    def forward(self, x):
        import os
        if not os.path.exists("/work-of-the-student"):
            os._exit(0)
ends = Ends()
"""
    report = measure(measuring, ["ends", "honest"], BASE, ends, HONEST)
    assert [one.weights_sha256 for one in report.measurements] == ["honest"]
    assert "ended the process" in reasons(report)["ends"]


def test_loops_noise_and_numbers_that_are_none_are_named_and_cost_no_other(measuring: Measuring) -> None:
    cells = """
class Endless(Base):
    def forward(self, x):
        while True:
            try:
                x = x + 1
            except Exception:
                pass
class Noisy(Base):
    def __init__(self):
        super().__init__()
        print("{" * 10_000, flush=True)
    def forward(self, x):
        print("noise", flush=True)
        return self.up(self.down(x))
class NoNumbers(Base):
    def forward(self, x):
        return self.up(self.down(x) * float("nan"))
endless, noisy, no_numbers = Endless(), Noisy(), NoNumbers()
"""
    report = measure(measuring, ["endless", "noisy", "no_numbers", "honest"], BASE, cells, HONEST)
    found = reasons(report)
    assert {one.weights_sha256 for one in report.measurements} == {"noisy", "honest"}, found
    assert "not one row of numbers" in found["no_numbers"]
    assert "could not be rebuilt" in found["endless"]


def test_a_model_whose_class_needs_the_data_goes_to_a_human_and_is_not_zeroed(measuring: Measuring) -> None:
    needs = """
class Needs(Base):
    def __init__(self):
        super().__init__()
        self.register_buffer("mean", images.mean(dim=0))
    def forward(self, x):
        return self.up(self.down(x - self.mean)) + self.mean
needs = Needs()
"""
    (left,) = measure(measuring, ["needs"], BASE, needs).unmeasured
    assert left.latent_dim == 8
    assert "no line of the notebook builds a Needs" in left.reason


def test_measuring_again_gives_the_same_numbers_to_the_last_digit(measuring: Measuring) -> None:
    first, second = (measure(measuring, ["honest"], HONEST) for _ in range(2))
    assert first.measurements == second.measurements
    assert first.marks == second.marks
