"""torchvision's own MNIST class takes the prepared files for MNIST's."""

from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path

import pytest

from grader.evaluation.datasets import open_dataset
from grader.evaluation.idx import unpack_images
from grader.notebooks.inside.torchvision_schemas import define_missing_operators


@pytest.mark.parametrize(("part", "count"), [("train", 60_000), ("t10k", 10_000)])
def test_torchvision_checks_unpacks_and_reads_the_prepared_files(
    data_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: str, count: int
) -> None:
    define_missing_operators()
    from torchvision.datasets import MNIST

    (mount,) = open_dataset(data_folder, "mnist-embedded").student_mounts
    checksums = json.loads((mount.source / "checksums.json").read_bytes())
    monkeypatch.setattr(MNIST, "mirrors", ["file:///nowhere/"])
    monkeypatch.setattr(MNIST, "resources", list(checksums.items()))
    shutil.copytree(mount.source, tmp_path / "MNIST" / "raw")
    digits = MNIST(tmp_path, train=part == "train", download=True)
    packed = (mount.source / f"{part}-images-idx3-ubyte.gz").read_bytes()
    assert len(digits) == count
    assert digits.data.numpy().tobytes() == unpack_images(gzip.decompress(packed)).tobytes()
    assert sorted(digits.targets.unique().tolist()) == list(range(10))
