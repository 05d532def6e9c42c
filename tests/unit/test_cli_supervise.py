"""The supervisor's children: started again, ever more slowly where they keep dying."""

from __future__ import annotations

import sys

import pytest

from grader.cli.supervise import Child


def _look_until_it_says_something(child: Child) -> str:
    while True:
        if line := child.look():
            return line
        if child.process is not None:
            child.process.wait()


def test_an_end_is_told_with_its_reason() -> None:
    child = Child("web", (sys.executable, "-c", "raise SystemExit(3)"), ())
    assert _look_until_it_says_something(child) == "web ended (status 3); it is started again in 0.1 s"


def test_a_child_that_keeps_dying_waits_at_most_half_a_minute_however_often() -> None:
    child = Child("web", (sys.executable, "-c", ""), (), quick_deaths=5000)
    assert _look_until_it_says_something(child).endswith("in 30.0 s")
    assert child.look() == ""
    assert child.process is None


def test_a_child_that_cannot_be_started_now_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_memory(*_: object, **__: object) -> None:
        raise OSError(12, "Cannot allocate memory")

    monkeypatch.setattr("grader.cli.supervise.subprocess.Popen", no_memory)
    child = Child("worker 1", ("true",), ())
    assert (
        child.look() == "worker 1 could not be started (Cannot allocate memory); it is started again in 0.1 s"
    )
