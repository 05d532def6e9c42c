"""How a course gives an assignment: when, how late, which attempt counts, and what students see when."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Release(StrEnum):
    """When students see points and feedback."""

    AT_ONCE = "at_once"
    AFTER_DUE = "after_due"
    WHEN_PUBLISHED = "when_published"


class Counts(StrEnum):
    """Which of a student's attempts counts."""

    BEST = "best"  # the one with the most points expected; of equals the later
    LAST = "last"


@dataclass(frozen=True, slots=True)
class Offering:
    """One assignment in one course. Times are UTC."""

    is_open: bool = True
    opens_at: datetime | None = None
    due_at: datetime | None = None
    closes_at: datetime | None = None  # nothing is taken from then on; None: late work is taken for ever
    late_percent_per_day: float = 0.0  # of the points given, for each day begun after the due date
    grace_minutes: int = 5  # clocks differ, and uploads take a while
    counts: Counts = Counts.BEST
    release: Release = Release.AT_ONCE
    releases: Mapping[str, Release] = field(default_factory=dict)  # by part, where it differs
    published_at: datetime | None = None
    is_anonymous: bool = True  # reviewers see no names
    audited_share: float = 0.1  # of what is accepted without review, looked at all the same
    lms_column: str = ""  # the heading of its grades in the LMS's gradebook: "Homework 5 (4711)"

    def release_of(self, part: str) -> Release:
        """When students see this part's points."""
        return self.releases.get(part, self.release)

    def is_released(self, part: str, now: datetime, due_at: datetime | None) -> bool:
        """Whether a student whose due date is ``due_at`` sees this part's points now."""
        release = self.release_of(part)
        if release is Release.AT_ONCE or self.published_at is not None:
            return True
        return release is Release.AFTER_DUE and (due_at is None or now >= due_at)

    def due_for(self, held: Accommodation | None) -> datetime | None:
        """The due date of a student for whom ``held`` holds; None: nothing of their own.

        An extension only ever gives time: where the class's date moved past it, that holds.
        """
        if self.due_at is None or held is None or held.due_at is None:
            return self.due_at
        return max(self.due_at, held.due_at)

    def days_late(self, submitted_at: datetime, due_at: datetime | None) -> int:
        """Days begun after ``due_at``, the student's own due date; 0 within the grace."""
        if due_at is None:
            return 0
        late = (submitted_at - due_at).total_seconds()
        return 0 if late <= self.grace_minutes * 60 else math.ceil(late / 86_400)

    def share_kept(self, submitted_at: datetime, due_at: datetime | None) -> float:
        """What lateness leaves of the points, 0..1, for a student whose due date is ``due_at``."""
        days = self.days_late(submitted_at, due_at)
        return max(0.0, 1.0 - days * self.late_percent_per_day / 100)

    @property
    def hides_names(self) -> bool:
        """Whether whoever reviews sees no names now: until it is published."""
        return self.is_anonymous and self.published_at is None


@dataclass(frozen=True, slots=True)
class Accommodation:
    """What holds for one student."""

    due_at: datetime | None = None
    is_excused: bool = False
    reason: str = ""
