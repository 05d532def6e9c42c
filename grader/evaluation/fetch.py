"""Get MNIST itself, where the network allows, and prepare it: 1,000 of its test images are held out."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from time import sleep

import numpy as np

from grader.errors import SetupIncomplete
from grader.evaluation.download import Progress, RemoteFile, download
from grader.evaluation.embedded import TEST
from grader.evaluation.idx import IdxInvalid, unpack_images, unpack_labels
from grader.evaluation.jitter import grow
from grader.evaluation.prepared import Dataset, make_folder, prepare, write_dataset
from grader.evaluation.student_files import TEST_IMAGES, TEST_LABELS, TRAIN_IMAGES, TRAIN_LABELS

MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
    "http://yann.lecun.com/exdb/mnist/",
)
FILES = (
    RemoteFile(TRAIN_IMAGES, 9_912_422, "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"),
    RemoteFile(TRAIN_LABELS, 28_881, "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"),
    RemoteFile(TEST_IMAGES, 1_648_877, "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"),
    RemoteFile(TEST_LABELS, 4_542, "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"),
)
SEED = 20_241
HELD_OUT = 1_000  # of the official test images


def fetch_mnist(
    root: Path,
    *,
    mirrors: Sequence[str] = MIRRORS,
    files: Sequence[RemoteFile] = FILES,
    progress: Progress = lambda _name, _bytes, _size: None,
    pause: Callable[[float], None] = sleep,
) -> Dataset:
    """Download MNIST's four files and prepare them as ``<root>/mnist``; what is there already is kept.

    1,000 test images are held out; the student's test set is the rest, grown back to 10,000.
    Raises `SetupIncomplete` where no mirror gave a file; a later call resumes.
    """
    root = root.absolute()
    downloads = root / ".downloads"

    def build(folder: Path) -> None:
        make_folder(downloads)
        try:
            paths = [download(file, downloads, mirrors, progress=progress, pause=pause) for file in files]
        except SetupIncomplete as error:
            raise SetupIncomplete(
                f"{error}. Nothing is broken: the embedded digits are used instead. To use MNIST itself, run "
                "`grader data fetch` where the network allows it (HTTPS_PROXY names a proxy); it goes on "
                "where it stopped. Or put the four files into a folder and run "
                "`grader data fetch --mirror file:///THAT/FOLDER/`"
            ) from None
        _write(folder, {path.name: _unpack(path) for path in paths})

    dataset = prepare(root / "mnist", build)
    for file in files:
        (downloads / file.name).unlink(missing_ok=True)
    return dataset


def _unpack(path: Path) -> bytes:
    try:
        return gzip.decompress(path.read_bytes())
    except (OSError, EOFError, zlib.error) as error:
        raise SetupIncomplete(f"{path} cannot be unpacked ({error}): remove it and fetch again") from error


def _write(folder: Path, files: Mapping[str, bytes]) -> None:
    try:
        train, test = unpack_images(files[TRAIN_IMAGES]), unpack_images(files[TEST_IMAGES])
        train_labels, test_labels = unpack_labels(files[TRAIN_LABELS]), unpack_labels(files[TEST_LABELS])
    except IdxInvalid as error:
        raise SetupIncomplete(f"the downloaded files are not MNIST: {error}") from error
    mixed = np.random.RandomState(SEED).permutation(len(test))
    hidden, shown = np.sort(mixed[:HELD_OUT]), np.sort(mixed[HELD_OUT:])
    write_dataset(
        folder,
        name="mnist",
        source="MNIST's four files; 1,000 test images held out, the rest grown back by affine jitter",
        seed=SEED,
        train=(train, train_labels),
        test=grow(test[shown], test_labels[shown], TEST, SEED + 2),
        held_out=(test[hidden], test_labels[hidden]),
        originals=train,
    )
