"""Where the bars and lines of a class's pictures stand. Templates draw them; the style sheet colours them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from grader.domain.statistics import Distribution
from grader.services.dashboard.overview import SizeLine

WIDTH, HEIGHT = 560, 260
_LEFT, _RIGHT, _TOP, _BOTTOM = 48, 548, 14, 216
_EDGE = 30  # between the axes and the first and last latent size


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark on an axis: where, and what it says."""

    at: float
    label: str


@dataclass(frozen=True, slots=True)
class Bar:
    """One tenth of what can be had."""

    x: float
    y: float
    width: float
    height: float
    count: int
    label: str  # "10 to 20"


@dataclass(frozen=True, slots=True)
class Histogram:
    """How many have how many points, or percent."""

    bars: tuple[Bar, ...]
    across: tuple[Tick, ...]
    up: tuple[Tick, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """One latent size: where it is, and the heights of its figures. None: not known."""

    x: float
    label: str
    low: float
    middle: float
    high: float
    pca: float | None
    reference: float | None


@dataclass(frozen=True, slots=True)
class ClassCurve:
    """Explained variance against latent size. ``band`` and lines are SVG points."""

    places: tuple[Place, ...]
    up: tuple[Tick, ...]
    band: str
    middle: str
    pca: str


def draw_histogram(distribution: Distribution) -> Histogram:
    """Ten bars."""
    step = _step(max(distribution.bins), 4)
    top = max(1, math.ceil(max(distribution.bins) / step)) * step
    width = (_RIGHT - _LEFT) / len(distribution.bins)
    tenth = distribution.maximum / len(distribution.bins)
    bars = []
    for number, count in enumerate(distribution.bins):
        height = count / top * (_BOTTOM - _TOP)
        label = f"{number * tenth:g} to {(number + 1) * tenth:g}"
        bars.append(Bar(_LEFT + number * width + 2, _BOTTOM - height, width - 4, height, count, label))
    across = tuple(
        Tick(_LEFT + number * width, f"{number * tenth:g}") for number in range(len(distribution.bins) + 1)
    )
    up = tuple(Tick(_height(count / top), f"{count}") for count in range(0, top + 1, step))
    return Histogram(tuple(bars), across, up)


def draw_class_curve(sizes: Sequence[SizeLine]) -> ClassCurve:
    """The class's quartiles beside PCA and the reference; latent sizes are spaced by their logarithm."""
    first, last = math.log2(sizes[0].latent_dim), math.log2(sizes[-1].latent_dim)
    places = []
    for size in sizes:
        share = (math.log2(size.latent_dim) - first) / (last - first) if last > first else 0.5
        low, middle, high = (_height(value) for value in size.quartiles)
        places.append(
            Place(
                _LEFT + _EDGE + share * (_RIGHT - _LEFT - 2 * _EDGE),
                str(size.latent_dim),
                low,
                middle,
                high,
                None if size.pca is None else _height(size.pca),
                None if size.reference is None else _height(size.reference.mean),
            )
        )
    around = [(place.x, place.high) for place in places]
    around += [(place.x, place.low) for place in reversed(places)]
    return ClassCurve(
        tuple(places),
        tuple(Tick(_height(percent / 100), f"{percent}%") for percent in range(0, 101, 20)),
        _points(around),
        _points([(place.x, place.middle) for place in places]),
        _points([(place.x, place.pca) for place in places if place.pca is not None]),
    )


def _height(share: float) -> float:
    return _BOTTOM - min(1.0, max(0.0, share)) * (_BOTTOM - _TOP)


def _points(places: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in places)


def _step(top: int, steps: int) -> int:
    """A round number of which at most about ``steps`` reach ``top``."""
    rough = max(1.0, top / steps)
    magnitude = int(10 ** math.floor(math.log10(rough)))
    return next(factor * magnitude for factor in (1, 2, 5, 10) if factor * magnitude >= rough)
