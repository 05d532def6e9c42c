"""How courses give assignments, and what holds for single students."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from grader.domain.offering import Accommodation, Offering
from grader.storage.codec import dump, load
from grader.storage.tables.people import accommodation, offering


class Offerings:
    """The `offering` and `accommodation` tables."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def find(self, course: str, assignment: str) -> Offering:
        """How the course gives the assignment; the defaults where nobody has said anything."""
        query = sa.select(offering.c.document).where(
            offering.c.course == course, offering.c.assignment == assignment
        )
        document = self._connection.execute(query).scalar_one_or_none()
        return Offering() if document is None else load(Offering, document)

    def put(self, course: str, assignment: str, new: Offering, now: datetime) -> None:
        """Set it."""
        self._connection.execute(
            sa.delete(offering).where(offering.c.course == course, offering.c.assignment == assignment)
        )
        self._connection.execute(
            sa.insert(offering).values(
                course=course, assignment=assignment, document=dump(new), changed_at=now
            )
        )

    def courses_of(self, assignment: str) -> list[str]:
        """Courses that have said how they give the assignment."""
        query = sa.select(offering.c.course).where(offering.c.assignment == assignment)
        return list(self._connection.scalars(query.order_by(offering.c.course)))

    def accommodate(
        self, course: str, assignment: str, user: str, new: Accommodation, actor: str, now: datetime
    ) -> None:
        """Say what holds for one student from now on."""
        self._connection.execute(
            sa.insert(accommodation).values(
                course=course,
                assignment=assignment,
                user_id=user,
                due_at=new.due_at,
                is_excused=new.is_excused,
                reason=new.reason,
                actor=actor,
                made_at=now,
            )
        )

    def accommodations(
        self, course: str, assignment: str, user: str | None = None
    ) -> dict[str, Accommodation]:
        """What holds for single students, by user id; of one student, or of all that anything holds for."""
        query = (
            sa.select(accommodation)
            .where(accommodation.c.course == course, accommodation.c.assignment == assignment)
            .order_by(accommodation.c.id)
        )
        if user is not None:
            query = query.where(accommodation.c.user_id == user)
        return {
            row["user_id"]: Accommodation(row["due_at"], row["is_excused"], row["reason"])
            for row in self._connection.execute(query).mappings()
        }
