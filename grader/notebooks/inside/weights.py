"""Write a model's weights as safetensors: a JSON table of names, then the numbers, and nothing that runs."""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Any

_TYPES = {
    "torch.float64": "F64",
    "torch.float32": "F32",
    "torch.float16": "F16",
    "torch.bfloat16": "BF16",
    "torch.int64": "I64",
    "torch.int32": "I32",
    "torch.int16": "I16",
    "torch.int8": "I8",
    "torch.uint8": "U8",
    "torch.bool": "BOOL",
}


def pack_tensors(torch: Any, state: Mapping[str, Any]) -> tuple[dict[str, Any], bytes]:
    """The table and the numbers of the dense CPU tensors in ``state``; shared memory is written out twice."""
    table: dict[str, Any] = {}
    parts: list[bytes] = []
    offset = 0
    for name, tensor in state.items():
        kind = _TYPES.get(str(getattr(tensor, "dtype", "")))
        if kind is None:
            continue
        flat = tensor.detach().contiguous().reshape(-1)
        data = flat.view(torch.uint8).numpy().tobytes() if flat.numel() else b""
        end = offset + len(data)
        table[name] = {"dtype": kind, "shape": list(tensor.shape), "data_offsets": [offset, end]}
        parts.append(data)
        offset = end
    return table, b"".join(parts)


def digest(table: Mapping[str, Any], numbers: bytes) -> bytes:
    """Changes when, and only when, a name, shape, type or number changed."""
    return blake2b(json.dumps(table).encode() + numbers, digest_size=16).digest()


def write_weights(path: Path, table: Mapping[str, Any], numbers: bytes, about: Mapping[str, Any]) -> None:
    """Write the file whole or not at all. ``about`` goes into its metadata under ``model``."""
    header = json.dumps({"__metadata__": {"model": json.dumps(about, allow_nan=False)}, **table}).encode()
    header += b" " * (-len(header) % 8)
    unfinished = path.with_suffix(".part")
    with unfinished.open("wb") as file:
        file.write(struct.pack("<Q", len(header)) + header)
        file.write(numbers)
    os.replace(unfinished, path)  # noqa: PTH105 - pathlib's own functions may be replaced by a student
