"""Small digits: the 1,797 scanned ones of 8×8 pixels that the scikit-learn package carries; no download."""

from __future__ import annotations

import gzip
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from grader.errors import SetupIncomplete
from grader.evaluation.embedded import split_by_digit
from grader.evaluation.idx import Bytes
from grader.evaluation.prepared import write_dataset
from grader.evaluation.student_files import npy_files

SEED = 20_242
_SIDE = 8
_PIXELS = _SIDE * _SIDE
_BRIGHTEST = 16  # in the package's table
_FILE = "datasets/data/digits.csv.gz"


def digits_path() -> Path:
    """The file of the Python environment that holds every digit, hidden ones too: no notebook may see it.

    Raises `SetupIncomplete` where scikit-learn is not installed.
    """
    spec = find_spec("sklearn")  # found, not imported: that takes a second
    if spec is None or not spec.submodule_search_locations:
        raise SetupIncomplete("the small digits of scikit-learn are missing: pip install scikit-learn")
    return Path(spec.submodule_search_locations[0]) / _FILE


def build_digits(folder: Path) -> None:
    """Write the set into an empty folder: about 1,260 images to train on, 180 to test on, 360 held out."""
    images, labels = _read_digits(digits_path())
    train, test, held_out = split_by_digit(labels, SEED)
    write_dataset(
        folder,
        name="digits_8x8",
        source="sklearn.datasets.load_digits, grey values 0..16 brought to 0..255",
        seed=SEED,
        train=(images[train], labels[train]),
        test=(images[test], labels[test]),
        held_out=(images[held_out], labels[held_out]),
        originals=images[train],
        student_files=npy_files,
    )


def _read_digits(path: Path) -> tuple[Bytes, Bytes]:
    """Read the package's table, 64 grey values and a label per row; a repeated image counts once."""
    try:
        lines = gzip.decompress(path.read_bytes()).decode("ascii").splitlines()
        table = np.loadtxt(lines, delimiter=",", dtype=np.float64)
    except (OSError, ValueError, EOFError) as error:
        raise SetupIncomplete(
            f"{path} cannot be read ({error}): pip install --force-reinstall scikit-learn"
        ) from error
    _, first = np.unique(table[:, :_PIXELS], axis=0, return_index=True)
    table = table[np.sort(first)]
    grey = np.rint(table[:, :_PIXELS] * 255 / _BRIGHTEST).astype(np.uint8)
    return grey.reshape(-1, _SIDE, _SIDE), table[:, _PIXELS].astype(np.uint8)
