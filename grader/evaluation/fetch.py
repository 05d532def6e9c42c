"""Get MNIST itself, where the network allows: four files, checked, resumed when a download broke off."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import Callable, Mapping, Sequence
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import numpy as np

from grader.errors import SetupIncomplete
from grader.evaluation.embedded import TEST
from grader.evaluation.idx import IdxInvalid, unpack_images, unpack_labels
from grader.evaluation.jitter import grow
from grader.evaluation.prepared import (
    TEST_IMAGES,
    TEST_LABELS,
    TRAIN_IMAGES,
    TRAIN_LABELS,
    Dataset,
    make_folder,
    prepare,
    write_dataset,
)

MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
    "http://yann.lecun.com/exdb/mnist/",
)
MD5 = {
    TRAIN_IMAGES: "f68b3c2dcbeaaa9fbdd348bbdeb94873",
    TRAIN_LABELS: "d53e105ee54ea40749a09fcbcd1e9432",
    TEST_IMAGES: "9fb629c4189551a2d022fa330f9573f3",
    TEST_LABELS: "ec29112dd5afa0611ce80d1b7f02629c",
}
SEED = 20_241
HELD_OUT = 1_000  # of the official test images
_MOST_BYTES = 64 << 20  # the largest of the four weighs 10 MB
_PIECE = 1 << 18
_SECONDS = 30.0

Progress = Callable[[str, int], None]  # file name, bytes so far


def fetch_mnist(
    root: Path,
    *,
    mirrors: Sequence[str] = MIRRORS,
    md5: Mapping[str, str] = MD5,
    progress: Progress = lambda _name, _bytes: None,
) -> Dataset:
    """Download MNIST's four files and prepare them as ``<root>/mnist``; what is there already is kept.

    1,000 test images are held out; the student's test set is the rest, grown back to 10,000.
    Raises `SetupIncomplete` where no mirror gave a file; a later call resumes.
    """
    root = root.absolute()
    downloads = root / ".downloads"

    def build(folder: Path) -> None:
        make_folder(downloads)
        files = {name: _fetch(downloads / name, mirrors, wanted, progress) for name, wanted in md5.items()}
        _write(folder, files)

    dataset = prepare(root / "mnist", build)
    for name in md5:
        (downloads / name).unlink(missing_ok=True)
    return dataset


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


def _fetch(path: Path, mirrors: Sequence[str], md5: str, progress: Progress) -> bytes:
    """Return the file's content, unpacked: from an earlier download or the first mirror that has it."""
    failures: list[str] = []
    for mirror in mirrors:
        try:
            if _digest(path) != md5:
                _download(mirror + path.name, path, progress)
            if _digest(path) != md5:
                path.unlink(missing_ok=True)
                raise OSError("the file came with a wrong checksum")
            return gzip.decompress(path.read_bytes())
        except (OSError, EOFError, zlib.error, HTTPException, ValueError) as error:
            failures.append(f"{mirror}: {error}")
    raise SetupIncomplete(
        f"{path.name} could not be downloaded ({'; '.join(failures)}). Nothing is broken: the embedded "
        "digits are used instead. To use MNIST itself, run `grader data fetch` where the network allows it"
    )


def _download(url: str, path: Path, progress: Progress) -> None:
    """Append to ``path`` what is missing of it; begin anew where the server cannot resume."""
    have = path.stat().st_size if path.exists() else 0
    request = Request(url, headers={"Range": f"bytes={have}-"} if have else {})  # noqa: S310  the mirrors are ours
    try:
        answer = urlopen(request, timeout=_SECONDS)  # noqa: S310
    except HTTPError as error:
        if error.code == 416:  # what we have is longer than the file
            path.unlink(missing_ok=True)
        raise
    with answer:
        resumed = have > 0 and answer.status == 206
        with path.open("ab" if resumed else "wb") as file:
            while piece := answer.read(_PIECE):
                file.write(piece)
                if file.tell() > _MOST_BYTES:
                    raise OSError("the file is far larger than any of MNIST's")
                progress(path.name, file.tell())


def _digest(path: Path) -> str | None:
    return hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest() if path.exists() else None
