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
from functools import lru_cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from grader.errors import SetupIncomplete
from grader.evaluation.idx import Bytes, pack_images, pack_labels, unpack_images
from grader.evaluation.student_files import Split, idx_files
from grader.evaluation.yardsticks import pca_curve
from grader.sandbox.jail import Mount

RECIPE = 3  # raise it when the same sources shall give other images: what stands on disk is then made anew
_HELD_OUT = "held_out-images-idx3-ubyte"  # not compressed: its sha256 then hangs on no zlib
_HELD_OUT_LABELS = "held_out-labels-idx1-ubyte"
_DESCRIPTION = "dataset.json"
_STUDENT_FILES = 4  # images and labels, to train and to test on


@dataclass(frozen=True, slots=True)
class Dataset:
    """One prepared data set. The held-out images are in no folder that a notebook's jail mounts."""

    name: str  # "mnist", "mnist-embedded", "digits_8x8"
    folder: Path
    sha256: str  # of the held-out file
    held_out_images: int
    pca_mse: tuple[float, ...]  # on held-out images, by number of components; entry 0 is the mean image

    @property
    def student_mounts(self) -> tuple[Mount, ...]:
        """What the notebook's jail may read: the files to train on and their checksums, at /data/<set>."""
        return (Mount(self.folder / "student", f"/data/{self.name.removesuffix('-embedded')}"),)

    @property
    def held_out(self) -> Path:
        """The hidden images, as an idx file that is not compressed."""
        return self.folder / _HELD_OUT

    @property
    def held_out_labels(self) -> Path:
        """The classes of the hidden images, as an idx file; read on the trusted side alone."""
        return self.folder / _HELD_OUT_LABELS

    @property
    def pixels(self) -> int:
        """Of one image."""
        return len(self.pca_mse) - 1

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
    train: Split,
    test: Split,
    held_out: Split,
    originals: Bytes,
    student_files: Callable[[Split, Split], dict[str, bytes]] = idx_files,
) -> None:
    """Fill an empty folder: pairs of N×rows×columns images and N labels. PCA is fitted to ``originals``."""
    student = folder / "student"
    student.mkdir()
    files = student_files(train, test)
    for filename, data in files.items():
        (student / filename).write_bytes(data)
    checksums = {filename: _md5(data) for filename, data in files.items() if f"{filename}.gz" not in files}
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
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    # Its bytes are read again only when a file was touched: this is called for every notebook.
    return _read_dataset(folder, tuple((path, *_signature(path)) for path in files))


def _signature(path: Path) -> tuple[int, ...]:
    about = path.stat()
    return about.st_ino, about.st_size, about.st_mtime_ns, about.st_mode


@lru_cache(maxsize=8)
def _read_dataset(folder: Path, _: tuple[object, ...]) -> Dataset | None:
    try:
        description = Description.model_validate_json((folder / _DESCRIPTION).read_bytes())
        checksums: Mapping[str, str] = json.loads((folder / "student" / "checksums.json").read_bytes())
        hidden = (folder / _HELD_OUT).read_bytes()
        whole = (
            description.recipe == RECIPE
            and hashlib.sha256(hidden).hexdigest() == description.held_out_sha256
            and len(description.pca_mse) == unpack_images(hidden)[0].size + 1
            and (folder / _HELD_OUT_LABELS).is_file()
            and len(checksums) == _STUDENT_FILES
            and all(_md5((folder / "student" / name).read_bytes()) == md5 for name, md5 in checksums.items())
            and all((folder / "student" / name.removesuffix(".gz")).is_file() for name in checksums)
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
