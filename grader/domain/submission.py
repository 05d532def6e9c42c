"""A submission: one upload, immutable; its state is the state of the work on it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class SubmissionState(StrEnum):
    """Where the work on a submission stands."""

    QUEUED = "queued"
    RUNNING = "running"
    GRADED = "graded"  # a grade stands; some of its items may wait for review
    FAILED = "failed"  # we failed; never a zero


@dataclass(frozen=True, slots=True)
class Submission:
    """One upload. Times are UTC."""

    id: str
    course: str
    assignment: str
    user: str
    attempt: int  # the student's n-th submission, from 1
    notebook_sha256: str
    filename: str
    submitted_at: datetime
    state: SubmissionState
    tries: int  # how often a worker took it up
    failure: str = ""
