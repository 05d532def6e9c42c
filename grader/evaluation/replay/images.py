"""The images of a replay: the held-out ones among moved copies of them, and the errors on both."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from grader.evaluation.conventions import LOGITS, SCALINGS
from grader.evaluation.idx import PIXELS, Bytes, unpack_images
from grader.evaluation.jitter import jitter

BATCH = 251  # as `cut.BATCH`: what is encoded comes in whole batches
SEED = 20_243
_BLUR = 0.02  # of a number's standard deviation: an honest decoder hardly notices, a table of images does
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Mixed:
    """N held-out images, N moved copies, and as many more as fill the last batch: in an order of our own."""

    pixels: Bytes  # M×784
    held_out: NDArray[np.intp]  # where the n-th held-out image is
    moved: NDArray[np.intp]  # where its moved copy is

    def shuffle(self, turn: int) -> NDArray[np.intp]:
        """An order for the decoder, another one for each set of codes."""
        return np.random.RandomState(SEED + 1 + turn).permutation(len(self.pixels))

    def blur(self, codes: NDArray[np.float16], turn: int) -> NDArray[np.float16]:
        """M×width codes, with those of the moved copies a little off, each number by its own spread."""
        noise = np.random.RandomState(SEED + 1001 + turn).normal(size=codes.shape)
        noise[self.held_out] = 0
        exact = codes.astype(np.float64)
        with np.errstate(over="ignore"):
            off = (exact + _BLUR * exact.std(axis=0) * noise).astype(np.float16)
        return np.where(np.isfinite(off), off, codes)


@lru_cache(maxsize=2)
def mix(path: Path, sha256: str) -> Mixed:
    """Read the held-out file and mix it. Raises ``OSError``, or ``ValueError`` where it is none."""
    del sha256  # a changed file is another one to the cache
    images = unpack_images(path.read_bytes())
    count = len(images)
    # The legacy generator: its stream is frozen by numpy for ever.
    random = np.random.RandomState(SEED)
    more = np.resize(np.arange(count), -2 * count % BATCH)
    every = np.concatenate([images, jitter(images, random), jitter(images[more], random)])
    order = random.permutation(len(every))
    places = np.argsort(order)
    return Mixed(every[order].reshape(-1, PIXELS), places[:count], places[count : 2 * count])


@dataclass(frozen=True, slots=True)
class Errors:
    """Squared errors per image, mean over its pixels, under the reading of the output that is best."""

    held_out: Floats
    moved: Floats
    convention: str
    moved_variance: float  # what the moved copies' own mean image leaves over

    @property
    def mse(self) -> float:
        """On the held-out images, at most 1."""
        return float(self.held_out.mean(dtype=np.float64))

    @property
    def moved_explained(self) -> float:
        """Share of the moved copies' variance."""
        return 1 - float(self.moved.mean(dtype=np.float64)) / self.moved_variance


def compare(outputs: Floats, mixed: Mixed) -> Errors:
    """Compare K×M×784 outputs with the images: the best of the K, read in whichever convention is best."""
    pixels: Floats = np.asarray(mixed.pixels / 255, np.float32)
    best: tuple[Floats, str] | None = None
    for output in outputs:
        for convention in (*SCALINGS, LOGITS):
            errors = _errors(_read(output, convention), pixels)
            if best is None or errors.mean() < best[0].mean():
                best = errors, convention
    assert best is not None
    moved = pixels[mixed.moved]
    variance = float((moved - moved.mean(axis=0)).__pow__(2).mean(dtype=np.float64))
    return Errors(best[0][mixed.held_out], best[0][mixed.moved], best[1], max(variance, 1e-9))


def _read(output: Floats, convention: str) -> Floats:
    if convention == LOGITS:
        return np.asarray(1 / (1 + np.exp(-np.clip(output, -30, 30))), np.float32)
    factor, offset = SCALINGS[convention]
    return np.asarray((output - offset) / factor, np.float32)


def _errors(read: Floats, pixels: Floats) -> Floats:
    squares = np.square(np.clip(read, 0, 1) - pixels)
    return np.asarray(np.nan_to_num(squares, nan=1.0).mean(axis=1), np.float32)
