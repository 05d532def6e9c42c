"""Look at a safetensors file without loading a number of it: is it whole, and what does it hold?"""

from __future__ import annotations

import json
import math
import struct
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from grader.domain.run import HarvestedModel, InputStatistics, Layer

MAX_TENSORS = 1000
MAX_ARGUMENTS = 1000  # characters of JSON
_MAX_HEADER_BYTES = 4 << 20
_LENGTH = struct.Struct("<Q")
_WIDTHS = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1}
_Size = Annotated[int, Field(ge=0, le=1 << 40)]
_Number = Annotated[float, Field(allow_inf_nan=False)]
_Name = Annotated[str, Field(max_length=200)]


class WeightsInvalid(Exception):
    """Bytes that are no safetensors file of ours."""


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class _Tensor(_Strict):
    dtype: Literal["F64", "F32", "F16", "BF16", "I64", "I32", "I16", "I8", "U8", "BOOL"]
    shape: Annotated[list[_Size], Field(max_length=16)]
    data_offsets: tuple[_Size, _Size]


class _Inputs(_Strict):
    shape: Annotated[list[_Size], Field(max_length=16)]
    minimum: _Number
    maximum: _Number
    mean: _Number


class _About(_Strict):
    class_name: Annotated[str, Field(max_length=100)]
    layers: Annotated[list[tuple[_Name, _Name]], Field(max_length=MAX_TENSORS)]
    parameters: _Size
    serial: _Size
    trained: bool
    inputs: _Inputs | None
    arguments: Annotated[str, Field(max_length=MAX_ARGUMENTS)] = ""


class _Metadata(_Strict):
    model: str


class _Table(BaseModel):
    model_config = ConfigDict(strict=True, extra="allow", frozen=True)
    __pydantic_extra__: dict[str, _Tensor]
    metadata: Annotated[_Metadata, Field(alias="__metadata__")]


@dataclass(frozen=True, slots=True)
class Weights:
    """One file's contents, described."""

    about: _About
    shapes: tuple[tuple[int, ...], ...]  # of its tensors, in their order
    fingerprint: bytes  # of names, shapes and numbers: equal for a model and its copy

    def as_model(self, sha256: str, cell: int) -> HarvestedModel:
        """The domain's view of it."""
        about = self.about
        inputs = about.inputs
        return HarvestedModel(
            sha256=sha256,
            cell=cell,
            class_name=about.class_name,
            layers=tuple(Layer(name, kind) for name, kind in about.layers),
            parameters=about.parameters,
            inputs=InputStatistics(tuple(inputs.shape), inputs.minimum, inputs.maximum, inputs.mean)
            if inputs
            else None,
            arguments=about.arguments if _is_object(about.arguments) else "",
        )


def inspect_weights(blob: bytes) -> Weights:
    """Describe a file whose table and numbers fit each other exactly; `WeightsInvalid` otherwise."""
    if len(blob) < _LENGTH.size:
        raise WeightsInvalid("too short")
    (length,) = _LENGTH.unpack_from(blob)
    if length > min(_MAX_HEADER_BYTES, len(blob) - _LENGTH.size):
        raise WeightsInvalid("a table longer than the file")
    start = _LENGTH.size + length
    try:
        table = _Table.model_validate_json(blob[_LENGTH.size : start])
        about = _About.model_validate_json(table.metadata.model)
    except ValidationError as error:
        raise WeightsInvalid(f"{error.error_count()} errors in its table") from None
    tensors = table.__pydantic_extra__
    if not 0 < len(tensors) <= MAX_TENSORS:
        raise WeightsInvalid(f"{len(tensors)} tensors")
    _check_offsets(list(tensors.values()), len(blob) - start)
    shapes = tuple(tuple(tensor.shape) for tensor in tensors.values())
    named = repr([(name, tensor.dtype, tensor.shape) for name, tensor in tensors.items()])
    fingerprint = sha256(named.encode("utf-8", "replace"))
    fingerprint.update(memoryview(blob)[start:])  # no copy: one file may be most of what this process uses
    return Weights(about, shapes, fingerprint.digest())


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


def _check_offsets(tensors: Sequence[_Tensor], size: int) -> None:
    expected = 0
    for tensor in sorted(tensors, key=lambda tensor: tensor.data_offsets):
        begin, end = tensor.data_offsets
        if begin != expected or end - begin != math.prod(tensor.shape) * _WIDTHS[tensor.dtype]:
            raise WeightsInvalid("offsets that do not fit the shapes")
        expected = end
    if expected != size:
        raise WeightsInvalid("numbers that no tensor claims")


class KeptModels:
    """At most ``limit`` models. Of too many the commonest architecture gives: untrained first, then older."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._kept: list[tuple[HarvestedModel, Weights]] = []
        self.dropped = 0

    @property
    def models(self) -> tuple[HarvestedModel, ...]:
        """Those kept, oldest first."""
        return tuple(model for model, _ in self._kept)

    def has(self, weights: Weights) -> bool:
        """Whether exactly these weights are kept already: of a model and its copies the first stays."""
        return any(weights.fingerprint == kept.fingerprint for _, kept in self._kept)

    def add(self, model: HarvestedModel, weights: Weights) -> None:
        """Keep one more, and let another go where that is one too many."""
        self._kept.append((model, weights))
        if len(self._kept) > self._limit:
            common = Counter(kept.shapes for _, kept in self._kept)
            worst = min(
                range(len(self._kept)),
                key=lambda i: (-common[self._kept[i][1].shapes], self._kept[i][1].about.trained, i),
            )
            del self._kept[worst]
            self.dropped += 1
