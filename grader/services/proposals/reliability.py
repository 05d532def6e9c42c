"""How far proposals and their corrections could be trusted, on the course's own data."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from grader.checks.answers.calibration import CLOSE, FAR_OFF, count_bins
from grader.domain.answer_calibration import ReliabilityBin
from grader.storage.review.calibrations import AnswerMark
from grader.storage.unit_of_work import UnitOfWork

_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Reliability:
    """How predictions for a question, or for all, did against the humans who decided afterwards.

    Each prediction was made before its mark was known. Errors are root mean squares in shares of the points.
    """

    marks: int  # decisions on answers for which something was proposed
    confirmed_proposals: int  # within a quarter of the points of what the human gave, without any correction
    predictions: int  # of these, those that a calibration predicted
    confirmed: int  # within a quarter of the points of what the human gave
    rmse: float | None  # of the predictions
    rmse_proposed: float | None  # of the same answers' proposals, without any correction
    bins: tuple[ReliabilityBin, ...]
    accepted: int  # stood without review until a human looked at them
    accepted_confirmed: int
    accepted_far_off: int  # by half of the points or more
    audited: int  # of the accepted ones, those that chance chose: the fair sample
    audited_confirmed: int


def measure_reliability(
    unit: UnitOfWork, course: str, assignment: str
) -> tuple[dict[str, Reliability], Reliability]:
    """How predictions did on the course's own data: by item that has marks, and in total."""
    by_item: dict[str, list[AnswerMark]] = {}
    for mark in unit.calibrations.newest_marks(course, assignment):
        by_item.setdefault(mark.item, []).append(mark)
    together = [mark for marks in by_item.values() for mark in marks]
    return {item: _measure(marks) for item, marks in by_item.items()}, _measure(together)


def _measure(marks: Sequence[AnswerMark]) -> Reliability:
    predicted = [(mark, _off(mark.predicted, mark)) for mark in marks if mark.predicted is not None]
    accepted = [
        (mark, _off(mark.proposed if mark.predicted is None else mark.predicted, mark))
        for mark in marks
        if mark.was_accepted
    ]
    drawn = [off for mark, off in accepted if mark.was_drawn]
    return Reliability(
        marks=len(marks),
        confirmed_proposals=_count_close(_off(mark.proposed, mark) for mark in marks),
        predictions=len(predicted),
        confirmed=_count_close(off for _, off in predicted),
        rmse=_root_mean_square([off for _, off in predicted]),
        rmse_proposed=_root_mean_square([_off(mark.proposed, mark) for mark, _ in predicted]),
        bins=count_bins((mark.confidence or 0.0, off <= CLOSE + _ROUNDING) for mark, off in predicted),
        accepted=len(accepted),
        accepted_confirmed=_count_close(off for _, off in accepted),
        accepted_far_off=sum(off >= FAR_OFF - _ROUNDING for _, off in accepted),
        audited=len(drawn),
        audited_confirmed=_count_close(drawn),
    )


def _off(share: float, mark: AnswerMark) -> float:
    assert mark.given is not None  # none that was taken back is read
    return abs(share - mark.given)


def _count_close(errors: Iterable[float]) -> int:
    return sum(off <= CLOSE + _ROUNDING for off in errors)


def _root_mean_square(errors: Sequence[float]) -> float | None:
    return round(math.sqrt(sum(off * off for off in errors) / len(errors)), 4) if errors else None
