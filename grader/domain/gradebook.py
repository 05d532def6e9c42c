"""The gradebook: one line for each student, with what counts of what they handed in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from grader.domain.offering import Offering, Release


class RowState(StrEnum):
    """Where a student's grade stands."""

    NOT_SUBMITTED = "not_submitted"
    QUEUED = "queued"  # nothing is graded yet
    FAILED = "failed"  # we failed at all that was handed in; never a zero
    WAITING = "waiting"  # a human decides on some items: the points are provisional
    FINAL = "final"  # students do not see it yet
    PUBLISHED = "published"


@dataclass(frozen=True, slots=True)
class GradebookRow:
    """One student. Points are None where nothing is graded."""

    user: str
    name: str  # "": there is no account
    login: str
    email: str
    state: RowState
    newest_state: str  # of the newest attempt's work; "": nothing was handed in
    submission_id: str  # of the attempt that counts; ""
    attempt: int  # that counts; 0
    attempts: int  # handed in
    submitted_at: datetime | None  # the attempt that counts
    given: float | None  # before what lateness costs
    final: float | None
    maximum: float | None
    waiting: int  # items that need a human
    late_days: int  # days begun
    is_excused: bool
    extended_to: datetime | None
    is_overridden: bool  # a human decided on some item
    sections: tuple[str, ...] = ()
    items: Mapping[str, ItemPoints] = field(default_factory=dict)  # where they were asked for


@dataclass(frozen=True, slots=True)
class ItemPoints:
    """What one item earned."""

    points: float
    max_points: float
    state: str  # a `grader.domain.grade.ItemState`


@dataclass(frozen=True, slots=True)
class Book:
    """The gradebook of one assignment in one course, at one moment."""

    course: str
    assignment: str
    offering: Offering
    parts: tuple[str, ...]  # the rubric's, by key
    now: datetime

    @property
    def releases(self) -> frozenset[Release]:
        """When students see points, of any part."""
        return frozenset(map(self.offering.release_of, self.parts))


@dataclass(frozen=True, slots=True)
class Tally:
    """How many lines have all of this in common."""

    state: RowState
    is_excused: bool
    maximum: float | None  # of the points; None: nothing is graded
    students: int


@dataclass(frozen=True, slots=True)
class Selection:
    """Which students. Empty: all."""

    sections: frozenset[str] | None = None  # of students in any of these; None: of all, and of none
    search: str = ""  # in name, sign-in name, e-mail, id
    state: RowState | None = None


class SortBy(StrEnum):
    """What the gradebook may be sorted by."""

    NAME = "name"
    SECTION = "section"
    STATE = "state"
    FINAL = "final"
    GIVEN = "given"
    WAITING = "waiting"
    LATE = "late"
    ATTEMPT = "attempt"
    SUBMITTED = "submitted"
    EXTENSION = "extension"
    SUBMISSION = "submission"  # an order that says nothing of names
