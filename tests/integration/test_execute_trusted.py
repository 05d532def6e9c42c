"""Notebooks for a trusted class, on a machine where no control group can be made."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.sandbox import bubblewrap
from grader.sandbox.bubblewrap import open_sandbox
from tests.integration.notebook_runs import AUTOENCODER, run_cells

TRAINING = """
m, o = AE(32), None
o = torch.optim.Adam(m.parameters())
images = torch.rand(60_000, 784)
for batch in images.split(2_000):
    o.zero_grad(); ((m(batch) - batch) ** 2).mean().backward(); o.step()
"""


def test_torch_trains_within_a_rubrics_memory_and_a_process_that_wants_more_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bubblewrap, "find_parents", tuple)
    sandbox = open_sandbox(scratch=tmp_path, trusted_class=True)
    cells = ("import torch, torchvision", AUTOENCODER, TRAINING, "bytearray(3 << 30)", "print(6 * 7)")
    outcome = run_cells(sandbox, *cells, memory_bytes=1 << 30)
    assert outcome.states == ["ok", "ok", "ok", "error", "ok"]
    assert "MemoryError" in outcome.run.cells[3].error
    assert outcome.text(4) == "42\n"
    assert 32 in outcome.widths
