"""Where a submission waits, and for how long: counted and measured, never promised."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median, quantiles

from grader.domain.submission import SubmissionState
from grader.storage.submissions import Filed
from grader.storage.unit_of_work import UnitOfWork

_RECENT = 40  # runs that the estimate rests on
_FEWEST = 3
_BUSY = ("jail", "cells", "evaluation")  # what a worker spends on one submission


@dataclass(frozen=True, slots=True)
class QueuePlace:
    """``ahead`` are taken up before it. The seconds are until its grade; None: too little is known."""

    ahead: int
    is_running: bool
    workers: int
    seconds: tuple[float, float] | None

    @property
    def told(self) -> str:
        """In words for the student."""
        if not self.workers:
            return "The service is not grading now. Your work is safe, and is graded as soon as it goes on."
        if self.is_running:
            usual = "" if self.seconds is None else f" Usual for this assignment: {_span(*self.seconds)}."
            return f"Your notebook is running.{usual}"
        place = "You are next" if self.ahead == 0 else f"{self.ahead} ahead of you"
        if self.seconds is None:
            return f"{place}. There is no estimate yet: too few notebooks of this assignment have been run."
        return f"{place}. Your report should be there in {_span(*self.seconds)}."


def find_place(unit: UnitOfWork, filed: Filed) -> QueuePlace:
    """The place of a submission whose work is not finished."""
    submission = filed.submission
    ahead, running = unit.work.count_before(submission.id)
    workers = len(unit.workers.live())
    figures = spread(unit.evidence.recent_seconds(submission.assignment, _RECENT))
    if submission.state is SubmissionState.RUNNING:
        return QueuePlace(0, True, workers, figures)
    if figures is None or not workers:
        return QueuePlace(ahead, False, workers, None)
    return QueuePlace(ahead, False, workers, estimate(ahead, running, workers, *figures))


def spread(recent: Sequence[Mapping[str, float]]) -> tuple[float, float] | None:
    """Median and upper quartile of what a worker spent on one; None with too few to tell."""
    spent = [sum(seconds.get(name, 0.0) for name in _BUSY) for seconds in recent]
    if len(spent) < _FEWEST:
        return None
    return median(spent), quantiles(spent, n=4)[2]


def estimate(ahead: int, running: int, workers: int, middle: float, upper: float) -> tuple[float, float]:
    """Seconds until the grade: at the median, where a free worker takes it at once; and at the quartile.

    Whoever runs now is reckoned as half done for the lower figure, and as just begun for the upper one.
    """
    low = max(0.0, (ahead + running / 2 - (workers - 1)) / workers)
    high = max(0, math.ceil((ahead + running + 1) / workers) - 1)
    return middle * (1 + low), upper * (1 + high)


def _span(low: float, high: float) -> str:
    if high < 55:
        return "less than a minute"
    first, last = max(1, math.floor(low / 60)), max(1, math.ceil(high / 60))
    if first == last:
        return f"about {first} minute{'s' * (first != 1)}"
    return f"about {first}–{last} minutes"
