"""Inside the measuring jail: by what a set of weights is known again, and whether it carries images."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import torch

_SKETCH = 128
_DIGITS = 6
_MOST_ROWS = 40_000
_SAME = 0.995  # cosine of a row and an image: no learnt filter is so near to one
_BACKGROUND = 0.4


@dataclass(frozen=True, slots=True)
class Mark:
    """``fingerprint`` is equal for equal tensors under whatever names; alike weights have alike sketches."""

    fingerprint: str
    sketch: tuple[float, ...]  # of length 1; empty where the weights are no finite numbers, or all zero


def mark(state: Mapping[str, torch.Tensor]) -> Mark:
    """Mark a state dict."""
    tensors = [(tuple(t.shape), t.contiguous()) for t in state.values() if t.numel() > 1]
    hashes = sorted(
        hashlib.sha256(
            repr((shape, str(t.dtype))).encode() + t.view(torch.uint8).numpy().tobytes()
        ).hexdigest()
        for shape, t in tensors
    )
    total = torch.zeros(_SKETCH, dtype=torch.float64)
    for shape, tensor in tensors:
        if tensor.is_floating_point():
            total += _project(tensor.double().reshape(-1), repr(shape))
    length = float(total.norm())
    whole = 0 < length < float("inf")
    sketch = tuple(round(float(value) / length, _DIGITS) for value in total) if whole else ()
    return Mark(hashlib.sha256("".join(hashes).encode()).hexdigest(), sketch)


def count_images(state: Mapping[str, torch.Tensor], images: torch.Tensor) -> int:
    """How many images some tensor holds, as rows or as columns: any at all, or some of these."""
    found = [rows for tensor in state.values() for rows in _rows(tensor, images.shape[1])]
    tables = [len(rows) for rows in found if _has_background(rows)]
    return max(_count_these(state, images), *tables, 0)


def _has_background(rows: torch.Tensor) -> bool:
    """Whether the lowest value is also by far the commonest, as in images and in no learnt weights."""
    return (
        float((rows == rows.min()).float().mean()) > _BACKGROUND and len(torch.unique(rows[:64], dim=0)) > 32
    )


def _count_these(state: Mapping[str, torch.Tensor], images: torch.Tensor) -> int:
    wanted = torch.nn.functional.normalize(images, dim=1)
    found = torch.zeros(len(images), dtype=torch.bool)
    for tensor in state.values():
        for rows in _rows(tensor, images.shape[1]):
            for chunk in torch.split(rows[:_MOST_ROWS], 4096):
                near = wanted @ torch.nn.functional.normalize(chunk.float(), dim=1).T
                found |= (near.abs() > _SAME).any(dim=1)
    return int(found.sum())


def _project(values: torch.Tensor, seed: str) -> torch.Tensor:
    """Sum up under random signs, which hang on the shape alone: inner products survive it."""
    generator = torch.Generator().manual_seed(
        int.from_bytes(hashlib.sha256(seed.encode()).digest()[:6], "big")
    )
    signs = torch.randint(0, 2, (values.numel(),), generator=generator, dtype=torch.int8) * 2 - 1
    signed = torch.nn.functional.pad(values * signs, (0, -values.numel() % _SKETCH))
    return signed.reshape(-1, _SKETCH).sum(dim=0)


def _rows(tensor: torch.Tensor, pixels: int) -> list[torch.Tensor]:
    if tensor.ndim < 2 or tensor.numel() < 64 * pixels:
        return []
    rows = []
    if tensor[0].numel() == pixels:
        rows.append(tensor.reshape(-1, pixels))
    if tensor.ndim == 2 and tensor.shape[0] == pixels:
        rows.append(tensor.T)
    return rows
