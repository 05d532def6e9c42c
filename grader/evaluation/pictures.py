"""Grids of originals above reconstructions, of images that students have: a held-out one is never drawn."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np

from grader.evaluation.idx import Bytes, IdxInvalid, unpack_images, unpack_labels
from grader.evaluation.prepared import Dataset
from grader.evaluation.student_files import TEST_IMAGES, TEST_LABELS

_CLASSES = 10
_SCALE = 3
_GAP = 2  # pixels around each image
_PAPER = 255


def sample_images(dataset: Dataset) -> Bytes:
    """The first test image of each class, N×rows×columns, out of the files that students read.

    Raises `OSError` or `ValueError` where these cannot be read.
    """
    folder = dataset.folder / "student"
    idx = folder / TEST_IMAGES.removesuffix(".gz")
    if idx.is_file():
        images = unpack_images(idx.read_bytes())
        labels = unpack_labels((folder / TEST_LABELS.removesuffix(".gz")).read_bytes())
    else:
        images, labels = (_load(folder / f"test_{what}.npy") for what in ("images", "labels"))
    if images.ndim != 3 or len(images) != len(labels):
        raise IdxInvalid(f"the test images in {folder} and their labels do not belong together")
    _, first = np.unique(labels, return_index=True)
    return images[first[:_CLASSES]]


def draw_grid(originals: Bytes, reconstructions: Bytes) -> bytes:
    """A grey PNG: N originals in the first row, their reconstructions below; the same images, the same bytes.

    Both are N×rows×columns.
    """
    cells = np.stack([originals, reconstructions]).repeat(_SCALE, axis=2).repeat(_SCALE, axis=3)
    around = ((0, 0), (0, 0), (_GAP, _GAP), (_GAP, _GAP))
    framed = np.pad(cells, around, constant_values=_PAPER)
    height, width = framed.shape[0] * framed.shape[2], framed.shape[1] * framed.shape[3]
    return _png(framed.transpose(0, 2, 1, 3).reshape(height, width))


def _png(grey: Bytes) -> bytes:
    height, width = grey.shape
    lines = np.pad(grey, ((0, 0), (1, 0)))  # each line begins with its filter: none
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(lines.tobytes(), 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, data) for name, data in parts)


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _load(path: Path) -> Bytes:
    array: Bytes = np.load(io.BytesIO(path.read_bytes()), allow_pickle=False)
    return array
