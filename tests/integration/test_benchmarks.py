"""What the benchmark compares really runs: the same notebook, in every way."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from benchmarks import regrade
from benchmarks.ways import ALONE, Scene, Way, measure, open_scene, ours


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    with open_scene() as scene:
        yield scene


@pytest.mark.parametrize("way", [*ALONE[1:], ours("cold", 1)], ids=lambda way: str(way.kind))
def test_the_light_notebook_runs_to_its_end(way: Way, scene: Scene) -> None:
    sample = measure(way, "light", scene)
    assert 0 < sample.cpu_seconds_without_warming <= sample.cpu_seconds
    assert len(sample.start_seconds) == (1 if way.kind == "cold" else 0)


def test_a_small_class_is_judged_again_in_every_way(capsys: pytest.CaptureFixture[str]) -> None:
    seconds = regrade.measure(3)
    assert len(capsys.readouterr().out.splitlines()) == len(seconds) == 5
    assert min(seconds.values()) > 0
