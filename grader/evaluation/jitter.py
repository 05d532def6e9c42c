"""Grow a set of digits by small affine changes: turn, scale, shear, shift."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from grader.evaluation.idx import PIXELS, SIDE, Bytes

_TURN = np.deg2rad(8.0)  # at most, to either side
_SCALE = 0.06
_SHEAR = 0.08
_SHIFT = 1.0  # pixels
_CHUNK = 2048
_FRACTION_BITS = 6  # positions are rounded to 1/64 pixel: the bytes do not hang on a machine's last float bit
_STEPS = 1 << _FRACTION_BITS
_PADDED = SIDE + 3  # one empty pixel before, two behind: every tap of the interpolation stays inside


def grow(images: Bytes, labels: Bytes, count: int, seed: int) -> tuple[Bytes, Bytes]:
    """Return ``count`` images (count×28×28) and labels: the originals and jittered copies, shuffled.

    Every original occurs once unchanged and is the source of equally many copies, give or take one.
    """
    # The legacy generator: its stream is frozen by numpy for ever, that of `default_rng` is not.
    random = np.random.RandomState(seed)
    sources = np.arange(len(images), count) % len(images)
    grown = np.concatenate([images, jitter(images[sources], random)])
    order = random.permutation(count)
    return grown[order], np.concatenate([labels, labels[sources]])[order]


def jitter(images: Bytes, random: np.random.RandomState) -> Bytes:
    """Return every N×28×28 image under a small affine change of its own."""
    changes = _draw(len(images), random)
    chunks = [
        _warp(images[start : start + _CHUNK], changes[start : start + _CHUNK])
        for start in range(0, len(images), _CHUNK)
    ]
    return np.concatenate(chunks) if chunks else images.copy()


def _draw(count: int, random: np.random.RandomState) -> NDArray[np.float64]:
    """Draw N rows (xx, xy, yx, yy, shift x, shift y): where each target pixel comes from."""
    turn, scale, shear, right, down = random.uniform(-1, 1, size=(5, count))
    angle, factor, slant = turn * _TURN, 1 + scale * _SCALE, shear * _SHEAR
    cosine, sine = np.cos(angle) * factor, np.sin(angle) * factor
    return np.stack(
        [cosine, cosine * slant - sine, sine, sine * slant + cosine, right * _SHIFT, down * _SHIFT], axis=1
    )


def _warp(images: Bytes, changes: NDArray[np.float64]) -> Bytes:
    count, centre = len(images), (SIDE - 1) / 2
    rows, columns = np.divmod(np.arange(PIXELS), SIDE)
    x, y = columns - centre, rows - centre
    xx, xy, yx, yy, right, down = (change[:, None] for change in changes.T)
    column, x_part = _fixed_point(xx * x + xy * y + right + centre)
    row, y_part = _fixed_point(yx * x + yy * y + down + centre)

    padded = np.zeros((count, _PADDED, _PADDED), np.uint8)
    padded[:, 1 : SIDE + 1, 1 : SIDE + 1] = images
    flat = padded.ravel()
    corner = np.arange(count, dtype=np.int32)[:, None] * (_PADDED * _PADDED) + row * _PADDED + column

    def tap(offset: int) -> NDArray[np.int32]:
        return np.asarray(flat[corner + offset], np.int32)

    upper = tap(0) * (_STEPS - x_part) + tap(1) * x_part
    lower = tap(_PADDED) * (_STEPS - x_part) + tap(_PADDED + 1) * x_part
    half = 1 << (2 * _FRACTION_BITS - 1)
    blended = np.asarray(upper * (_STEPS - y_part) + lower * y_part + half, np.int32)
    return np.asarray(blended >> (2 * _FRACTION_BITS), np.uint8).reshape(count, SIDE, SIDE)


def _fixed_point(position: NDArray[np.float64]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Split positions into the padded image's whole pixel and the 1/64ths behind it."""
    steps = np.rint((np.clip(position, -1, SIDE) + 1) * _STEPS).astype(np.int32)
    return steps >> _FRACTION_BITS, steps & (_STEPS - 1)
