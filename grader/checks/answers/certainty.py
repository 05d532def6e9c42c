"""What is known of a proposal beyond the answer itself, and whether it may be accepted without a human."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from grader.domain.answer_calibration import AnswerCalibration
from grader.domain.opinion import Opinion, OpinionState
from grader.domain.proposal import UNREAD, Hold, Rule

from .calibration import CLOSE, MOST_DOUBT, correct

_CERTAIN = 0.95
_FAR_OFF_OF = 100  # undoubted marks, of which one may have been far off
_FOUND_LITTLE = 0.25  # of the points
_NOT_FOUND = 0.5  # of the points: nothing is accepted that may be off by so many
_SURE_PLACE = 0.9  # the alignment's confidence
_ROUNDING = 1e-6


def weigh(
    record: Mapping[str, Any],
    calibration: AnswerCalibration | None,
    opinions: Iterable[Opinion] | None = None,
    *,
    placed: float | None = None,
) -> dict[str, Any]:
    """A proposal's record with its correction, confidence, second opinions, and what holds it for a human.

    A calibration or an opinion on another version of the question says nothing. What the record says of an
    earlier weighing is replaced. ``placed``: how sure it is that the words answer this question. None of
    this, or of ``opinions``: as the record says.
    """
    question, most = record["question_sha256"], record["max_points"]
    said = record.get("opinions", ()) if opinions is None else _record(opinions, question, most)
    if calibration is not None and calibration.question_sha256 != question:
        calibration = None
    is_read = UNREAD.isdisjoint(record["gates"])
    placed = record.get("placed", 0.0) if placed is None else placed
    share = record["points"] / most if most else 0.0
    corrected = confidence = None
    if calibration is not None and is_read:
        correction = correct(calibration, share, record["doubt"], record["features"])
        share, confidence = correction.share, correction.confidence
        corrected = round(share * most, 4)
    said = [{**entry, "dissents": _dissents(entry, share * most, most)} for entry in said]
    holds = [
        *([Hold.PLACE] if placed < _SURE_PLACE else []),
        *([Hold.GATE] if record["gates"] else []),
        *([Hold.NOT_FOUND] if is_read and _may_be_right(record, share) else []),
        *([Hold.DOUBT] if record["doubt"] > MOST_DOUBT else []),
        *_doubts_of(calibration, confidence),
        *([Hold.OPINION] if any(entry["dissents"] for entry in said) else []),
    ]
    return {
        **record,
        "corrected": corrected,
        "confidence": confidence,
        "calibration": calibration.id if calibration and is_read else None,
        "marks": calibration.marks if calibration else 0,
        "opinions": said,
        "holds": [hold.value for hold in holds],
        "placed": placed,
    }


def _may_be_right(record: Mapping[str, Any], share: float) -> bool:
    """Whether it may have said in other words what was not found. ``share``: of the points, corrected."""
    most = record["max_points"]
    missed = sum(c["max_points"] for c in record["concepts"] if c["rule"] == Rule.NOT_FOUND)
    given = min(share * most, record["points"])
    return bool(given < _FOUND_LITTLE * most - _ROUNDING or missed >= _NOT_FOUND * most - _ROUNDING)


def _doubts_of(calibration: AnswerCalibration | None, confidence: float | None) -> list[Hold]:
    if calibration is None or confidence is None:
        return [Hold.UNCALIBRATED]
    low = [Hold.CONFIDENCE] if confidence < _CERTAIN else []
    return low + ([Hold.FAR_OFF] if calibration.far_off * _FAR_OFF_OF > calibration.undoubted else [])


def _record(opinions: Iterable[Opinion], question: str, most: float) -> list[dict[str, Any]]:
    return [
        {
            "source": opinion.source,
            "model": opinion.model,
            "state": opinion.state.value,
            "points": None if opinion.share is None else round(opinion.share * most, 4),
            "prompt_sha256": opinion.prompt_sha256,
            "note": opinion.note,
        }
        for opinion in opinions
        if opinion.question_sha256 == question
    ]


def _dissents(said: Mapping[str, Any], points: float, most: float) -> bool:
    """Whether it says something else. An answer that made its reader talk nonsense is looked at, too."""
    if said["state"] == OpinionState.GIVEN and said["points"] is not None:
        return bool(abs(said["points"] - points) >= CLOSE * most - _ROUNDING)
    return bool(said["state"] != OpinionState.UNREACHABLE)
