"""A prepared data set on disk: written beside its place, moved in whole, checked whenever it is opened."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from fcntl import LOCK_EX, flock
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from grader.errors import SetupIncomplete
from grader.evaluation.idx import PIXELS, Bytes, compress, pack_images, pack_labels
from grader.evaluation.yardsticks import pca_curve
from grader.sandbox.jail import Mount

TRAIN_IMAGES = "train-images-idx3-ubyte.gz"
TRAIN_LABELS = "train-labels-idx1-ubyte.gz"
TEST_IMAGES = "t10k-images-idx3-ubyte.gz"
TEST_LABELS = "t10k-labels-idx1-ubyte.gz"

RECIPE = 2  # raise it when the same sources shall give other images: what stands on disk is then made anew
_STUDENT_TARGET = "/data/mnist"
_HELD_OUT = "held_out-images-idx3-ubyte"  # not compressed: its sha256 then hangs on no zlib
_HELD_OUT_LABELS = "held_out-labels-idx1-ubyte"
_DESCRIPTION = "dataset.json"


@dataclass(frozen=True, slots=True)
class Dataset:
    """One prepared data set. The held-out images are in no folder that a notebook's jail mounts."""

    name: str  # "mnist" or "mnist-embedded"
    folder: Path
    sha256: str  # of the held-out file
    held_out_images: int
    pca_mse: tuple[float, ...]  # on held-out images, by number of components; entry 0 is the mean image

    @property
    def student_mounts(self) -> tuple[Mount, ...]:
        """What the notebook's jail may read: idx .gz files and their checksums."""
        return (Mount(self.folder / "student", _STUDENT_TARGET),)

    @property
    def held_out(self) -> Path:
        """The hidden images, as an idx file that is not compressed."""
        return self.folder / _HELD_OUT

    @property
    def held_out_labels(self) -> Path:
        """The classes of the hidden images, as an idx file; read on the trusted side alone."""
        return self.folder / _HELD_OUT_LABELS

    @property
    def mean_image_mse(self) -> float:
        """The held-out error of the training images' mean: what explained variance is measured against."""
        return self.pca_mse[0]


class Description(BaseModel):
    """``dataset.json``."""

    model_config = ConfigDict(strict=True, extra="forbid")

    recipe: int
    name: str
    source: str
    seed: int
    train_images: int
    test_images: int
    train_sha256: str  # of the images' bytes before compression
    held_out_images: int
    held_out_sha256: str
    pca_mse: list[float]


def write_dataset(
    folder: Path,
    *,
    name: str,
    source: str,
    seed: int,
    train: tuple[Bytes, Bytes],
    test: tuple[Bytes, Bytes],
    held_out: tuple[Bytes, Bytes],
    originals: Bytes,
) -> None:
    """Fill an empty folder: pairs of N×28×28 images and N labels. PCA is fitted to ``originals``."""
    student = folder / "student"
    student.mkdir()
    files = {
        TRAIN_IMAGES: pack_images(train[0]),
        TRAIN_LABELS: pack_labels(train[1]),
        TEST_IMAGES: pack_images(test[0]),
        TEST_LABELS: pack_labels(test[1]),
    }
    packed = {filename: compress(data) for filename, data in files.items()}
    for filename, data in packed.items():
        (student / filename).write_bytes(data)
    checksums = {filename: _md5(data) for filename, data in packed.items()}
    (student / "checksums.json").write_text(json.dumps(checksums, indent=1) + "\n", encoding="ascii")

    hidden = pack_images(held_out[0])
    (folder / _HELD_OUT).write_bytes(hidden)
    (folder / _HELD_OUT_LABELS).write_bytes(pack_labels(held_out[1]))
    description = Description(
        recipe=RECIPE,
        name=name,
        source=source,
        seed=seed,
        train_images=len(train[0]),
        test_images=len(test[0]),
        train_sha256=hashlib.sha256(train[0].tobytes()).hexdigest(),
        held_out_images=len(held_out[0]),
        held_out_sha256=hashlib.sha256(hidden).hexdigest(),
        pca_mse=list(pca_curve(originals, held_out[0])),
    )
    (folder / _DESCRIPTION).write_text(description.model_dump_json(indent=1) + "\n", encoding="ascii")


def load_dataset(folder: Path) -> Dataset | None:
    """Open a prepared folder; None where it is missing, half-written, damaged or of an older recipe."""
    try:
        description = Description.model_validate_json((folder / _DESCRIPTION).read_bytes())
        checksums: Mapping[str, str] = json.loads((folder / "student" / "checksums.json").read_bytes())
        whole = (
            description.recipe == RECIPE
            and len(description.pca_mse) == PIXELS + 1
            and hashlib.sha256((folder / _HELD_OUT).read_bytes()).hexdigest() == description.held_out_sha256
            and (folder / _HELD_OUT_LABELS).is_file()
            and set(checksums) == {TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS}
            and all(_md5((folder / "student" / name).read_bytes()) == md5 for name, md5 in checksums.items())
        )
    except PermissionError as error:
        raise SetupIncomplete(
            f"{error.filename} cannot be read: give the grader's user access to it"
        ) from error
    except (OSError, ValidationError, ValueError, TypeError):
        return None
    if not whole:
        return None
    return Dataset(
        description.name,
        folder,
        description.held_out_sha256,
        description.held_out_images,
        tuple(description.pca_mse),
    )


def prepare(folder: Path, build: Callable[[Path], None]) -> Dataset:
    """Open ``folder``, or let ``build`` fill it first. Safe when several processes do it at once.

    Raises `SetupIncomplete` where the folder cannot be written.
    """
    try:
        make_folder(folder.parent)
        with _lock(folder.parent / f".{folder.name}.lock"):
            return load_dataset(folder) or _build(folder, build)
    except OSError as error:
        raise SetupIncomplete(
            f"the data set cannot be written to {folder}: {error.strerror}. "
            "Give the grader's user write access to that folder, or set another data folder"
        ) from error


def make_folder(folder: Path) -> None:
    """Make a folder that every user may enter, whatever the umask, and its missing parents."""
    if not folder.exists():
        make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        folder.chmod(0o755)


def _build(folder: Path, build: Callable[[Path], None]) -> Dataset:
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as scratch:
        made = Path(scratch) / "made"
        made.mkdir()
        build(made)
        for path in (made, *made.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)
        if folder.exists():
            folder.rename(Path(scratch) / "replaced")
        made.rename(folder)
    dataset = load_dataset(folder)
    if dataset is None:
        shutil.rmtree(folder, ignore_errors=True)
        raise SetupIncomplete(f"{folder} could not be read back after it was written: check that disk")
    return dataset


@contextmanager
def _lock(path: Path) -> Iterator[None]:
    with path.open("a") as file:
        flock(file, LOCK_EX)
        yield


def _md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()
