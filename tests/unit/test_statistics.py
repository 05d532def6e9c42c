"""Figures of a class, held against the textbook's slow way."""

from __future__ import annotations

import statistics
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.domain.statistics import WAITS, describe, describe_items, take_quartiles

POINTS = st.sampled_from([0, 25, 50, 100, 250, 400])


@given(st.lists(st.integers(0, 10_000), max_size=40))
def test_a_distribution_is_what_the_textbook_says(points: list[int]) -> None:
    found = describe(points, 10_000)
    if not points:
        assert found is None
        return
    assert found is not None
    shares = [point / 100 for point in points]
    assert found.mean == pytest.approx(statistics.fmean(shares))
    assert found.deviation == pytest.approx(statistics.pstdev(shares), abs=1e-6)
    assert found.quartiles[1] == pytest.approx(statistics.median(shares))
    assert found.quartiles[0] <= found.quartiles[1] <= found.quartiles[2]
    assert (found.lowest, found.highest, sum(found.bins)) == (min(shares), max(shares), len(points))
    for number, count in enumerate(found.bins):
        edge = 100.001 if number == 9 else 10 * (number + 1)  # full points are in the last tenth
        assert count == sum(10 * number <= share < edge for share in shares)


@pytest.mark.parametrize(
    ("values", "quartiles"),
    [
        ([0.7], (0.7, 0.7, 0.7)),
        ([0.99, 0.9], (0.9225, 0.945, 0.9675)),
        ([0.1, 0.2, 0.9], (0.15, 0.2, 0.55)),
    ],
)
def test_quartiles_lie_within_what_they_are_of(
    values: list[float], quartiles: tuple[float, float, float]
) -> None:
    assert take_quartiles(values) == pytest.approx(quartiles)


@given(
    st.integers(1, 4).flatmap(lambda n: st.lists(st.lists(POINTS | st.just(WAITS), min_size=n, max_size=n)))
)
def test_items_are_reckoned_as_by_hand(rows: list[list[int]]) -> None:
    items = {f"q{number}": 4.0 for number in range(len(rows[0]) if rows else 0)}
    totals = [sum(max(mark, 0) for mark in row) + 30 for row in rows]
    flat = array("i", [mark for row in rows for mark in row])
    for column, found in enumerate(describe_items(items, totals, flat)):
        decided = [
            (row[column], total) for row, total in zip(rows, totals, strict=True) if row[column] != WAITS
        ]
        marks = [float(mark) for mark, _ in decided]
        rests = [float(total - mark) for mark, total in decided]
        assert (found.students, found.waiting) == (len(rows), len(rows) - len(decided))
        assert found.difficulty == (pytest.approx(statistics.fmean(marks) / 400) if marks else None)
        if len(set(marks)) < 2 or len(set(rests)) < 2:
            assert found.discrimination is None
        else:
            assert found.discrimination == pytest.approx(statistics.correlation(marks, rests), abs=1e-9)
