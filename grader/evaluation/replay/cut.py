"""Inside the jail: run a model as a whole, look where it is narrowest, and run what comes after alone.

Every torch function that a model calls is numbered. A cut is one of them: encoding keeps its result, decoding
feeds the model zeros and puts the code in that result's place. So nothing but the code can reach the output,
however the model is written: no layer needs a name, and a shortcut past the cut carries only zeros.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

BATCH = 251  # a prime: no layer has this size, so a first dimension of it is the batch
PIXELS = 784
_MOST_OUTPUTS = 2

Forward = Callable[[torch.Tensor], Any]
_NAMES = (("encoder", "decoder"), ("enc", "dec"), ("encode", "decode"), ("Encoder", "Decoder"))


@dataclass(frozen=True, slots=True)
class Operation:
    """One numbered result with a row for each image."""

    number: int
    shape: tuple[int, ...]  # of one row

    @property
    def width(self) -> int:
        """Numbers per image."""
        return math.prod(self.shape)


class Cut(TorchFunctionMode):
    """Notes every numbered result; keeps or replaces the one that is asked for."""

    def __init__(self, keep: int | None = None, codes: torch.Tensor | None = None) -> None:
        super().__init__()
        self.operations: list[Operation] = []
        self.kept: torch.Tensor | None = None
        self._at = keep
        self._codes = codes

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        del types
        result = func(*args, **(kwargs or {}))
        if not isinstance(result, torch.Tensor) or result.ndim == 0 or result.shape[0] != BATCH:
            return result
        number = len(self.operations)
        self.operations.append(Operation(number, tuple(result.shape[1:])))
        if number == self._at:
            if self._codes is None:
                self.kept = result.detach().clone()
            else:
                return self._codes.reshape(result.shape).to(result.dtype)
        return result


def layouts() -> tuple[Callable[[torch.Tensor], torch.Tensor], ...]:
    """How rows of 784 pixels may be laid out for a model: flat, with a channel, as rows, with a margin."""
    return (
        lambda x: x,
        lambda x: x.reshape(-1, 1, 28, 28),
        lambda x: x.reshape(-1, 28, 28),
        lambda x: nn.functional.pad(x.reshape(-1, 1, 28, 28), (2, 2, 2, 2), value=float(x.min())),
    )


def routes(module: Any) -> Iterator[Forward]:
    """The ways from images to images through one module, always in the same order."""
    if isinstance(module, nn.Module):
        yield module
    for first, second in _halves(module):
        yield chain(first, second)


def chain(first: Forward, second: Forward) -> Forward:
    """One after the other; the code between them is a numbered result of its own."""

    def forward(images: torch.Tensor) -> Any:
        codes = first(images)
        if isinstance(codes, list | tuple):
            codes = next(part for part in codes if isinstance(part, torch.Tensor))
        return second(torch.clone(codes))

    return forward


def _halves(module: Any) -> Iterator[tuple[Forward, Forward]]:
    for first, second in _NAMES:
        pair = getattr(module, first, None), getattr(module, second, None)
        if callable(pair[0]) and callable(pair[1]):
            yield pair[0], pair[1]
    if isinstance(module, nn.Module):
        parts = dict(module.named_children())
        encoders = [part for name, part in parts.items() if name.lower().startswith("enc")]
        decoders = [part for name, part in parts.items() if name.lower().startswith("dec")]
        if len(encoders) == len(decoders) == 1:
            yield encoders[0], decoders[0]


def images_in(result: Any) -> list[torch.Tensor]:
    """The images (BATCH×784) among what a model returned: at most two."""
    found: list[torch.Tensor] = []
    waiting, looked = [result], 0
    while waiting and looked < 32 and len(found) < _MOST_OUTPUTS:
        one, looked = waiting.pop(0), looked + 1
        if isinstance(one, torch.Tensor):
            if one.ndim > 1 and one.shape[0] == BATCH and one.is_floating_point():
                if one.numel() == BATCH * PIXELS:
                    found.append(one.detach().reshape(BATCH, PIXELS).float())
                elif one.shape[1:] in ((32, 32), (1, 32, 32)):
                    found.append(
                        one.detach().reshape(BATCH, 32, 32)[:, 2:30, 2:30].reshape(BATCH, PIXELS).float()
                    )
        elif isinstance(one, list | tuple):
            waiting.extend(one)
        elif isinstance(one, Mapping):
            waiting.extend(one.values())
        elif dataclasses.is_dataclass(one) or hasattr(one, "__dict__"):
            waiting.extend(vars(one).values())
    return found
