"""Learn from reviewers' own marks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from grader.checks.answers.calibration import fit
from grader.checks.answers.certainty import weigh
from grader.domain.answer_calibration import AnswerCalibration
from grader.domain.grade import ItemGrade, ItemState
from grader.domain.proposal import UNREAD
from grader.services.grades.marks import is_drawn
from grader.storage.review.calibrations import AnswerMark, NewMark
from grader.storage.unit_of_work import UnitOfWork

_MOST_MARKS = 500  # the newest


def learn(
    unit: UnitOfWork,
    course: str,
    assignment: str,
    item: str,
    now: datetime,
    *,
    question_sha256: str | None = None,
) -> AnswerCalibration | None:
    """Take in what humans have decided on one item, and fit again where that changes anything.

    To be called in the transaction of each decision, taken back ones too; it costs milliseconds, and more
    only where a question has changed. ``question_sha256``: the question as it is now; None: as the newest
    decision saw it. Returns the calibration that stands; one that stands is not taken back for want of marks.
    """
    standing = unit.calibrations.newest(course, assignment, [item]).get(item)
    decided = unit.calibrations.unread(course, assignment, item, question_sha256, _MOST_MARKS)
    if not decided:
        return standing
    marks = _take_in(unit, course, assignment, item, decided, standing)
    known = standing.question_sha256 if standing else None
    question = question_sha256 or next((one.question_sha256 for one in marks if one.question_sha256), known)
    if question is None:
        return standing
    if question not in (question_sha256, known):  # it has changed: earlier marks are of its old form
        stale = unit.calibrations.unread(course, assignment, item, question, _MOST_MARKS)
        _take_in(unit, course, assignment, item, stale, standing)
    learned = fit(question, unit.calibrations.marked(course, assignment, item, question, _MOST_MARKS))
    if learned is None or (standing is not None and standing.id == learned.id):
        return standing
    unit.calibrations.add(course, assignment, item, learned, now)
    return learned


def load_calibrations(unit: UnitOfWork, course: str, assignment: str) -> Mapping[str, AnswerCalibration]:
    """What stands in a course, by item: for `Evidence.calibrations`."""
    return unit.calibrations.newest(course, assignment)


def correct_record(
    proposal: Mapping[str, Any], calibrations: Mapping[str, AnswerCalibration], item: str
) -> dict[str, Any]:
    """A stored proposal as today's calibration sees it: for whoever reviews an answer judged before."""
    return weigh(proposal, calibrations.get(item))


def _take_in(
    unit: UnitOfWork,
    course: str,
    assignment: str,
    item: str,
    decided: Sequence[NewMark],
    standing: AnswerCalibration | None,
) -> list[AnswerMark]:
    """Write down decisions with what was predicted before they were known; newest first."""
    share = unit.offerings.find(course, assignment).audited_share
    marks = []
    for new in decided:
        mark = AnswerMark(new.submission_id, item, course, assignment, new.override_id, grade_id=0)
        stored = unit.grades.newest(new.submission_id)
        if stored is not None:
            found = next((one for one in stored.grade.items if one.key == item), None)
            mark = replace(mark, grade_id=stored.id)
            mark = mark if found is None else _describe(mark, found, new, standing, share)
        before = unit.calibrations.find_mark(new.submission_id, item)
        if before is not None and before.override_id == new.override_id and mark.given is not None:
            mark = replace(mark, given=before.given)  # of what the question was worth when it was given
        if before is not None and before.question_sha256:  # the first look is the honest one
            mark = replace(
                mark,
                predicted=before.predicted,
                confidence=before.confidence,
                was_accepted=before.was_accepted,
                was_drawn=before.was_drawn,
            )
        marks.append(mark)
    for mark in sorted(marks, key=lambda one: one.submission_id):  # one order for all: no two wait in a ring
        unit.calibrations.put_mark(mark)
    return marks


def _describe(
    mark: AnswerMark, found: ItemGrade, new: NewMark, standing: AnswerCalibration | None, audited_share: float
) -> AnswerMark:
    proposal, most = found.evidence.get("proposal"), found.max_points
    if proposal is None or not most:
        return mark
    weighed = weigh(proposal, standing)
    corrected, confidence = weighed["corrected"], weighed["confidence"]
    was_accepted = found.state is ItemState.AUTO
    if was_accepted:  # what stood is what has to be confirmed
        corrected, confidence = found.points, found.confidence
    return replace(
        mark,
        question_sha256=proposal["question_sha256"],
        given=None if new.points is None else min(1.0, new.points / most),
        proposed=proposal["points"] / most,
        doubt=proposal["doubt"],
        features=proposal["features"] if UNREAD.isdisjoint(proposal["gates"]) else None,
        predicted=None if corrected is None else corrected / most,
        confidence=confidence,
        was_accepted=was_accepted,
        was_drawn=is_drawn(mark.submission_id, mark.item, audited_share),
    )
