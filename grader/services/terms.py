"""What holds for one student of an assignment: dates, lateness, and whether it is open now."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from grader.domain.offering import Accommodation, Offering, Release
from grader.errors import NotOpen
from grader.storage.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class Terms:
    """The course's rules with what was agreed with this student. Times are UTC."""

    offering: Offering
    accommodation: Accommodation = field(default_factory=Accommodation)

    @property
    def due_at(self) -> datetime | None:
        """The student's own due date, or that of all."""
        return self.offering.due_for(self.accommodation)

    @property
    def is_extended(self) -> bool:
        """Whether this student has a due date of their own."""
        return self.due_at != self.offering.due_at

    @property
    def closes_at(self) -> datetime | None:
        """When the last upload is taken; an extension moves it where it would end before the due date."""
        closes_at = self.offering.closes_at
        if closes_at is None or self.accommodation.due_at is None:
            return closes_at
        return max(closes_at, self.accommodation.due_at)

    @property
    def grace(self) -> timedelta:
        """How much later than a date still counts as in time."""
        return timedelta(minutes=self.offering.grace_minutes)

    def days_late(self, moment: datetime) -> int:
        """Days begun after the due date, 0 within the grace."""
        return self.offering.days_late(moment, self.due_at)

    def is_released(self, part: str, now: datetime) -> bool:
        """Whether this student sees this part's points now."""
        return self.offering.is_released(part, now, self.due_at)

    def tell_release(self, part: str) -> str:
        """When the student sees this part's points, in words."""
        release = self.offering.release_of(part)
        if release is Release.AT_ONCE:
            return "as soon as it is graded"
        if release is Release.WHEN_PUBLISHED:
            return "when your teachers publish the results"
        return "after your due date" if self.due_at else "as soon as it is graded"

    def opens_after(self, moment: datetime) -> bool:
        """Whether its first day is still to come."""
        return self.offering.opens_at is not None and moment < self.offering.opens_at

    def why_closed(self, moment: datetime) -> str:
        """Why nothing is taken at this moment, in a sentence for the student; "" where it is."""
        opens_at, closes_at = self.offering.opens_at, self.closes_at
        if not self.offering.is_open:
            return "This assignment is closed. Your course's staff can open it."
        if opens_at is not None and self.opens_after(moment):
            return f"This assignment opens on {_told(opens_at)}."
        if closes_at is not None and moment > closes_at + self.grace:
            return (
                f"This assignment closed on {_told(closes_at)}. What you handed in until then stands; ask "
                "your course's staff if you need more time."
            )
        return ""


def read_terms(unit: UnitOfWork, course: str, assignment: str, user: str) -> Terms:
    """What holds for this student."""
    held = unit.offerings.accommodations(course, assignment, user)
    return Terms(unit.offerings.find(course, assignment), held.get(user, Accommodation()))


def refuse_when_closed(terms: Terms, moment: datetime) -> None:
    """Raise `NotOpen` where nothing is taken at this moment."""
    if reason := terms.why_closed(moment):
        raise NotOpen(reason)


def _told(moment: datetime) -> str:
    return f"{moment:%-d %b %Y, %H:%M} UTC"
