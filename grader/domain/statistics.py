"""A class in figures: how grades are spread, and what each item tells of those who answered it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress
from operator import mul
from statistics import quantiles

WAITS = -1  # in place of an item's points: a human has not decided yet
BINS = 10


@dataclass(frozen=True, slots=True)
class Distribution:
    """Grades of a class, in points. ``bins`` count tenths of the maximum, each with its lower edge."""

    students: int
    maximum: float
    mean: float
    deviation: float  # standard deviation of these grades themselves
    quartiles: tuple[float, float, float]
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


def describe(points: Sequence[int], maximum: int) -> Distribution | None:
    """How grades are spread, in hundredths of points; None without any."""
    if not points:
        return None
    count, total = len(points), sum(points)
    squares = sum(map(mul, points, points))
    bins = [0] * BINS
    for value in points:
        bins[min(BINS - 1, BINS * value // maximum) if maximum else 0] += 1
    ordered = sorted(points)
    low, middle, high = quantiles(ordered, n=4, method="inclusive") if count > 1 else ordered * 3
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
    items: Mapping[str, float], totals: Sequence[int], points: Sequence[int]
) -> Iterator[ItemFigures]:
    """Each of ``items`` (most points by key). All in hundredths of points.

    ``totals`` are of each student over all items; ``points`` hold a row for each student, with a column
    for each item in the order of ``items``.
    """
    for column, (key, maximum) in enumerate(items.items()):
        marks: Sequence[int] = points[column :: len(items)]
        rests, students = totals, len(marks)
        waiting = sum(mark == WAITS for mark in marks)
        if waiting:
            decided = [mark != WAITS for mark in marks]
            marks, rests = list(compress(marks, decided)), list(compress(totals, decided))
        yield ItemFigures(
            key,
            maximum,
            students,
            waiting,
            difficulty=sum(marks) / (100 * maximum * len(marks)) if marks and maximum else None,
            discrimination=_correlate_with_rest(marks, rests),
        )


def _correlate_with_rest(marks: Sequence[int], totals: Sequence[int]) -> float | None:
    """Pearson's r of marks and of totals without them. Whole numbers, so nothing is lost by cancelling."""
    count = len(marks)
    x, t = sum(marks), sum(totals)
    xx, xt, tt = sum(map(mul, marks, marks)), sum(map(mul, marks, totals)), sum(map(mul, totals, totals))
    rest, rest_rest, mark_rest = t - x, tt - 2 * xt + xx, xt - xx
    spread = (count * xx - x * x) * (count * rest_rest - rest * rest)
    return (count * mark_rest - x * rest) / math.sqrt(spread) if spread > 0 else None
