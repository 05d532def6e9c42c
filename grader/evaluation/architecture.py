"""Does a set of weights fit the agreed architecture? Decided from shapes and layer names alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import isqrt

Shapes = Mapping[str, tuple[int, ...]]  # state dict: key → shape

NO_AUTOENCODER = 0  # the latent width of a model that cannot be one
_MNIST_PIXELS = 784
_PADDING = 4  # 28×28 images are often padded to 32×32
_WIDEST = 4096
_MOST_TENSORS = 512
# Without effect on a reconstruction once training is over.
_HARMLESS = frozenset(
    {"Dropout", "Flatten", "Unflatten", "Identity", "MSELoss", "L1Loss", "SmoothL1Loss", "BCELoss"}
)


@dataclass(frozen=True, slots=True)
class Blueprint:
    """The agreed architecture at one width."""

    latent_dim: int
    shapes: Shapes
    layers: tuple[tuple[str, str], ...]  # leaf modules in order: name, type


@dataclass(frozen=True, slots=True)
class Fit:
    """The weights fit."""

    latent_dim: int
    keys: Mapping[str, str]  # the agreed architecture's key → the student's key
    certain: bool  # False where activations could not be seen, as in `F.relu(x)`


@dataclass(frozen=True, slots=True)
class Misfit:
    """The weights do not fit. ``latent_dim`` is None where the layers tell no width."""

    reason: str
    latent_dim: int | None


def fit(
    shapes: Shapes,
    layers: Sequence[tuple[str, str]],
    blueprint: Callable[[int], Blueprint],
    *,
    pixels: int = _MNIST_PIXELS,
) -> Fit | Misfit:
    """Fit a state dict to the agreed architecture of whichever width its shapes suggest.

    ``pixels`` are those of one image. ``layers`` are the leaf modules' names and types as the kernel told
    them; empty where it told none.
    Names do not matter (wrappers, renamed attributes): shapes and the order of layers do.
    """
    if len(shapes) > _MOST_TENSORS:
        return Misfit(f"own architecture with {len(shapes)} tensors", _narrowest(shapes, pixels))
    for width in _widths(shapes):
        plan = blueprint(width)
        keys = _match(shapes, [name for name, _ in layers], plan.shapes)
        if keys is not None:
            return _compare_layers(layers, plan, keys)
    return _describe(shapes, pixels)


def _widths(shapes: Shapes) -> list[int]:
    sizes = {size for shape in shapes.values() for size in shape}
    return sorted(size for size in sizes if 1 <= size <= _WIDEST)[:32]


def _match(shapes: Shapes, order: Sequence[str], wanted: Shapes) -> dict[str, str] | None:
    """Pair every agreed tensor with one of the same shape, layer by layer; None where one is left over."""
    if len(shapes) != len(wanted):
        return None
    if all(shapes.get(key) == shape for key, shape in wanted.items()):
        return {key: key for key in wanted}
    theirs = _by_layer(shapes)
    position = {name: index for index, name in enumerate(order)}
    free = sorted(theirs, key=lambda name: (position.get(name, len(position)), _natural(name)))
    keys: dict[str, str] = {}
    for layer, tensors in _by_layer(wanted).items():
        match = next((name for name in free if theirs[name] == tensors), None)
        if match is None:
            return None
        free.remove(match)
        keys.update({f"{layer}.{tensor}": f"{match}.{tensor}" if match else tensor for tensor in tensors})
    return None if free else keys


def _by_layer(shapes: Shapes) -> dict[str, dict[str, tuple[int, ...]]]:
    layers: dict[str, dict[str, tuple[int, ...]]] = {}
    for key, shape in shapes.items():
        layer, _, tensor = key.rpartition(".")
        layers.setdefault(layer, {})[tensor] = tuple(shape)
    return layers


def _natural(name: str) -> list[tuple[int, str]]:
    """Sort "net.10" behind "net.9"."""
    return [(int(part[:18]), "") if part.isdecimal() else (0, part) for part in re.split(r"(\d+)", name)]


def _compare_layers(
    layers: Sequence[tuple[str, str]], plan: Blueprint, keys: Mapping[str, str]
) -> Fit | Misfit:
    theirs = [kind for _, kind in layers if kind not in _HARMLESS]
    agreed = [kind for _, kind in plan.layers if kind not in _HARMLESS]
    if not theirs or theirs == agreed:
        return Fit(plan.latent_dim, keys, certain=True)
    foreign = sorted(set(theirs) - set(agreed))
    if foreign:
        return Misfit(
            f"own architecture: the agreed sizes, but with {_list(foreign)}; agreed were {_list(agreed)}",
            plan.latent_dim,
        )
    return Fit(plan.latent_dim, keys, certain=False)


def _describe(shapes: Shapes, pixels: int) -> Misfit:
    """Name what the weights may be. A lone encoder looks like a classifier; a lone decoder makes images."""
    takes = {shape[1] for shape in shapes.values() if len(shape) == 2}
    makes = {shape[0] for shape in shapes.values() if shape}
    convolutions = [shape for shape in shapes.values() if len(shape) == 4]
    ends = sum(1 in shape[:2] for shape in convolutions)
    side = isqrt(pixels)
    sizes = (pixels, side, (side + _PADDING) ** 2)  # flat; row by row; padded
    both_ends = any(size in takes and size in makes for size in sizes) or ends >= 2
    if not (both_ends or pixels in makes or (ends == 1 and pixels in takes)):
        return Misfit(
            f"no autoencoder of images of {pixels} pixels: its layers do not lead back to an image",
            NO_AUTOENCODER,
        )
    kind = "convolutional" if convolutions else "other layers or layer sizes"
    return Misfit(f"own architecture ({kind}), not the agreed one", _narrowest(shapes, pixels))


def _narrowest(shapes: Shapes, pixels: int) -> int | None:
    widths = [size for shape in shapes.values() if len(shape) == 2 for size in shape if size > 0]
    narrowest = min(widths, default=None)
    return narrowest if narrowest is None or narrowest < pixels else None


def _list(kinds: Iterable[str]) -> str:
    return ", ".join(kind[:40] for kind in list(dict.fromkeys(kinds))[:6])
