"""MNIST's own file format: idx, gzipped; the same arrays give the same bytes."""

from __future__ import annotations

import gzip
import struct

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]

SIDE = 28  # MNIST's; other sets have their own
PIXELS = SIDE * SIDE
_LONGEST_SIDE = 1024
_IMAGES_MAGIC = 0x0803
_LABELS_MAGIC = 0x0801


class IdxInvalid(ValueError):
    """These bytes are no idx file of images or of labels."""


def pack_images(images: Bytes) -> bytes:
    """Write N×rows×columns grey values 0..255 as an idx file."""
    return struct.pack(">IIII", _IMAGES_MAGIC, *images.shape) + images.tobytes()


def pack_labels(labels: Bytes) -> bytes:
    """Write N labels 0..9 as an idx file."""
    return struct.pack(">II", _LABELS_MAGIC, len(labels)) + labels.tobytes()


def unpack_images(data: bytes) -> Bytes:
    """Read an idx file of images: N×rows×columns; `IdxInvalid` for anything else."""
    if len(data) < 16:
        raise IdxInvalid("an idx file of images that ends inside its header")
    magic, count, rows, columns = struct.unpack_from(">IIII", data)
    sides_fit = 0 < rows <= _LONGEST_SIDE and 0 < columns <= _LONGEST_SIDE
    if magic != _IMAGES_MAGIC or not sides_fit or len(data) != 16 + count * rows * columns:
        raise IdxInvalid("no idx file of images, or one that is cut short")
    return np.frombuffer(data, np.uint8, offset=16).reshape(count, rows, columns)


def unpack_labels(data: bytes) -> Bytes:
    """Read an idx file of labels: N; `IdxInvalid` for anything else."""
    if len(data) < 8:
        raise IdxInvalid("an idx file of labels that ends inside its header")
    magic, count = struct.unpack_from(">II", data)
    if magic != _LABELS_MAGIC or len(data) != 8 + count:
        raise IdxInvalid("no idx file of labels, or one that is cut short")
    return np.frombuffer(data, np.uint8, offset=8)


def compress(data: bytes) -> bytes:
    """Gzip without a time stamp, so that the bytes depend on the data alone."""
    return gzip.compress(data, compresslevel=4, mtime=0)
