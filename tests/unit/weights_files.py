"""Small safetensors files, made without torch."""

from __future__ import annotations

import json
import struct
from typing import Any

ABOUT: dict[str, Any] = {
    "class_name": "AE",
    "layers": [["encoder.0", "Linear"]],
    "parameters": 6,
    "serial": 1,
    "trained": True,
    "inputs": {"shape": [64, 784], "minimum": 0.0, "maximum": 1.0, "mean": 0.13},
}


def tensor(shape: list[int], begin: int, end: int, dtype: str = "F32") -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


def pack(table: object, numbers: bytes, about: object = None, **changes: Any) -> bytes:
    """One file. ``about`` replaces the whole description, ``changes`` some of its fields."""
    described = json.dumps({**ABOUT, **changes} if about is None else about)
    whole = {"__metadata__": {"model": described}, **table} if isinstance(table, dict) else table
    header = json.dumps(whole).encode()
    return struct.pack("<Q", len(header)) + header + numbers


def model_file(width: int = 2, fill: bytes = b"\1", **changes: Any) -> bytes:
    """A whole and valid file with one matrix of 3 × ``width``."""
    size = 3 * width * 4
    return pack({"encoder.0.weight": tensor([3, width], 0, size)}, fill * size, **changes)
