"""A class in figures: how grades are spread, and what each item tells of those who answered it."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress
from operator import mul
from statistics import quantiles

Quartiles = tuple[float, float, float]
WAITS = -1  # in place of an item's points: a human has not decided yet
BINS = 10


@dataclass(frozen=True, slots=True)
class Distribution:
    """Grades of a class, in points or percent. ``bins`` count tenths of the maximum, with lower edges."""

    students: int
    maximum: float
    mean: float
    deviation: float  # standard deviation of these grades themselves
    quartiles: Quartiles
    lowest: float
    highest: float
    bins: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ItemFigures:
    """One item. What waits for a human counts in ``waiting`` alone."""

    key: str
    maximum: float  # points
    students: int
    waiting: int
    difficulty: float | None  # mean share of the points, 0..1: the higher, the easier; None: none decided
    discrimination: float | None  # correlation with the rest of the total; None where nothing varies


def take_quartiles(values: Sequence[float]) -> Quartiles:
    """Of at least one value. A class is all there is and no sample: none lies outside of its values."""
    low, middle, high = quantiles(values, n=4, method="inclusive") if len(values) > 1 else [*values] * 3
    return low, middle, high


def describe(points: Sequence[int], maximum: int) -> Distribution | None:
    """How grades are spread, in hundredths of points or percent; None without any."""
    if not points:
        return None
    count, (total, squares) = len(points), _sums(points)
    bins = [0] * BINS
    for value in points:
        bins[min(BINS - 1, BINS * value // maximum) if maximum else 0] += 1
    ordered = sorted(points)
    low, middle, high = take_quartiles(ordered)
    return Distribution(
        count,
        maximum / 100,
        total / count / 100,
        math.sqrt(count * squares - total * total) / count / 100,
        (low / 100, middle / 100, high / 100),
        ordered[0] / 100,
        ordered[-1] / 100,
        tuple(bins),
    )


def describe_items(
    items: Mapping[str, float], totals: Sequence[int], points: array[int]
) -> Iterator[ItemFigures]:
    """Each of ``items`` (most points by key). All in hundredths of points.

    ``totals`` are of each student over all items; ``points`` hold a row for each student, with a column
    for each item in the order of ``items``.
    """
    everybody = _sums(totals)
    for column, (key, maximum) in enumerate(items.items()):
        marks = points[column :: len(items)].tolist()
        students, waiting = len(marks), marks.count(WAITS)
        rests, rest_sums = totals, everybody
        if waiting:
            decided = [mark != WAITS for mark in marks]
            marks, rests = list(compress(marks, decided)), list(compress(totals, decided))
            rest_sums = _sums(rests)
        own = _sums(marks)
        yield ItemFigures(
            key,
            maximum,
            students,
            waiting,
            difficulty=own[0] / (100 * maximum * len(marks)) if marks and maximum else None,
            discrimination=_correlate_with_rest(len(marks), own, rest_sums, sum(map(mul, marks, rests))),
        )


def _sums(values: Sequence[int]) -> tuple[int, int]:
    return sum(values), sum(map(mul, values, values))


def _correlate_with_rest(
    count: int, marks: tuple[int, int], totals: tuple[int, int], products: int
) -> float | None:
    """Pearson's r of marks and of totals without them, from sums and sums of squares.

    All are whole numbers, so that nothing is lost by cancelling.
    """
    (x, xx), (t, tt) = marks, totals
    rest, rest_rest, mark_rest = t - x, tt - 2 * products + xx, products - xx
    spread = (count * xx - x * x) * (count * rest_rest - rest * rest)
    return (count * mark_rest - x * rest) / math.sqrt(spread) if spread > 0 else None
