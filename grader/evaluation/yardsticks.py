"""What no training at all reaches on the held-out images: the mean image, and PCA of every width."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from grader.evaluation.idx import Bytes, unpack_labels

_CHUNK = 8192


def pca_curve(train: Bytes, held_out: Bytes) -> tuple[float, ...]:
    """MSE per pixel in [0, 1] of held-out images under PCA with 0, 1, … all components.

    Mean and components are those of ``train`` (N×rows×columns, 0..255). Entry 0 is the mean image's error.
    """
    pixels = train[0].size
    total = np.zeros(pixels)
    products = np.zeros((pixels, pixels))
    for start in range(0, len(train), _CHUNK):
        chunk = train[start : start + _CHUNK].reshape(-1, pixels) / 255.0
        total += chunk.sum(axis=0)
        products += chunk.T @ chunk
    mean = total / len(train)
    _, components = np.linalg.eigh(products / len(train) - np.outer(mean, mean))
    centred = held_out.reshape(-1, pixels) / 255.0 - mean
    # Components are orthonormal, so what k of them leave over is the energy of all the others.
    energy = ((centred @ components[:, ::-1]) ** 2).mean(axis=0) / pixels
    left_over = np.concatenate([np.cumsum(energy[::-1])[::-1], [0.0]])
    return tuple(round(float(error), 9) for error in left_over)


def mean_by_class(errors: NDArray[np.float32], labels: Path) -> tuple[float, ...]:
    """Mean of N errors for each class 0, 1, … of the held-out images; empty where ``labels`` do not fit them.

    Labels stay on this side: no jail and no report holds an image's label.
    """
    try:
        classes = unpack_labels(labels.read_bytes())
    except (OSError, ValueError):
        return ()
    if len(classes) != len(errors) or not len(errors):
        return ()
    groups = (errors[classes == one] for one in range(int(classes.max()) + 1))
    return tuple(round(float(g.mean(dtype=np.float64)), 6) if len(g) else 0.0 for g in groups)
