"""A second opinion on a written answer. It can send the answer to a human, and do nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class OpinionState(StrEnum):
    """What became of asking."""

    GIVEN = "given"
    UNREADABLE = "unreadable"  # an answer came that is none: the student's words may have caused it
    UNREACHABLE = "unreachable"  # no answer came; says nothing of the student's


@dataclass(frozen=True, slots=True)
class Opinion:
    """What one source says. It counts only for the question that it was asked about."""

    source: str  # "sentences", "endpoint"
    model: str
    state: OpinionState
    question_sha256: str  # as in the proposal
    prompt_sha256: str  # of all that was asked, the student's words too
    share: float | None = None  # of the item's points, 0..1
    note: str = ""  # why there is none; for staff
