"""A real sentence model of a few hundred bytes: each word is a direction of its own. Written by hand."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

_FLOAT, _INT64 = 1, 7


def write_model(folder: Path, words: list[str]) -> Path:
    """`model.onnx` and `tokenizer.json` in the folder, for these words; all others are one unknown word."""
    vocabulary = ["[PAD]", "[UNK]", *dict.fromkeys(words)]
    (folder / "model.onnx").write_bytes(_model(len(vocabulary)))
    tokens = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [],
        "normalizer": {"type": "Lowercase"},
        "pre_tokenizer": {"type": "Whitespace"},
        "post_processor": None,
        "decoder": None,
        "model": {
            "type": "WordLevel",
            "vocab": {word: at for at, word in enumerate(vocabulary)},
            "unk_token": "[UNK]",
        },
    }
    (folder / "tokenizer.json").write_text(json.dumps(tokens))
    return folder


def _model(size: int) -> bytes:
    """ONNX: the row of a table for each token."""
    table = np.eye(size, dtype="<f4").tobytes()
    tensor = _number(1, size) + _number(1, size) + _number(2, _FLOAT) + _field(8, b"table") + _field(9, table)
    node = _field(1, b"table") + _field(1, b"input_ids") + _field(2, b"vectors") + _field(4, b"Gather")
    graph = b"".join(
        [
            _field(1, node),
            _field(2, b"lookup"),
            _field(5, tensor),
            _field(11, _value(b"input_ids", _INT64, [b"texts", b"tokens"])),
            _field(12, _value(b"vectors", _FLOAT, [b"texts", b"tokens", b"width"])),
        ]
    )
    return _number(1, 8) + _field(7, graph) + _field(8, _field(1, b"") + _number(2, 13))


def _value(name: bytes, kind: int, sizes: list[bytes]) -> bytes:
    shape = b"".join(_field(1, _field(2, size)) for size in sizes)
    return _field(1, name) + _field(2, _field(1, _number(1, kind) + _field(2, shape)))


def _number(tag: int, value: int) -> bytes:
    return _varint(tag << 3) + _varint(value)


def _field(tag: int, data: bytes) -> bytes:
    return _varint(tag << 3 | 2) + _varint(len(data)) + data


def _varint(value: int) -> bytes:
    data = b""
    while value > 127:
        data += bytes([value & 127 | 128])
        value >>= 7
    return data + bytes([value])
