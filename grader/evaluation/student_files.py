"""The files of a data set that a notebook may read, below ``/data`` in its jail."""

from __future__ import annotations

import io

import numpy as np

from grader.evaluation.idx import Bytes, compress, pack_images, pack_labels

TRAIN_IMAGES = "train-images-idx3-ubyte.gz"
TRAIN_LABELS = "train-labels-idx1-ubyte.gz"
TEST_IMAGES = "t10k-images-idx3-ubyte.gz"
TEST_LABELS = "t10k-labels-idx1-ubyte.gz"

Split = tuple[Bytes, Bytes]  # N×rows×columns images, N labels


def idx_files(train: Split, test: Split) -> dict[str, bytes]:
    """MNIST's own four files, which torchvision reads, and the same unpacked: that saves time."""
    files = {
        TRAIN_IMAGES: pack_images(train[0]),
        TRAIN_LABELS: pack_labels(train[1]),
        TEST_IMAGES: pack_images(test[0]),
        TEST_LABELS: pack_labels(test[1]),
    }
    packed = {name: compress(data) for name, data in files.items()}
    return packed | {name.removesuffix(".gz"): data for name, data in files.items()}


def npy_files(train: Split, test: Split) -> dict[str, bytes]:
    """Four arrays for ``np.load``: images of grey values 0..255, and labels."""
    arrays = {
        "train_images.npy": train[0],
        "train_labels.npy": train[1],
        "test_images.npy": test[0],
        "test_labels.npy": test[1],
    }
    return {name: _npy(array) for name, array in arrays.items()}


def _npy(array: Bytes) -> bytes:
    file = io.BytesIO()
    np.lib.format.write_array(file, np.ascontiguousarray(array), allow_pickle=False)
    return file.getvalue()
