"""Counts and short lists over an assignment's submissions: what needs a teacher's eye."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from grader.storage.classes.figures import Sections, in_class, in_sections, select_students
from grader.storage.tables.people import member_section, person
from grader.storage.tables.review import standing
from grader.storage.tables.submissions import submission, work


@dataclass(frozen=True, slots=True)
class Counts:
    """Submissions by the state of the work on them, and what waits for humans."""

    received: int  # staff's own tries among them, as in every list
    students: int  # of the class
    graded: int
    underway: int  # queued or running
    failed: int  # by us
    crashed: int  # graded ones whose run did not reach its end


@dataclass(frozen=True, slots=True)
class Named:
    """A submission with its student's name, for a list."""

    id: str
    user: str
    name: str  # the user's id where there is no account
    attempt: int
    submitted_at: datetime
    seconds: float = 0.0
    tries: int = 0
    failure: str = ""


class ClassLists:
    """What is asked of all submissions of an assignment. ``sections`` None: of all students."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def count(self, course: str, assignment: str, sections: Sections) -> Counts:
        """How many there are of each."""
        students = sa.select(sa.func.count(sa.distinct(submission.c.user_id))).where(
            _here(submission, course, assignment, sections), in_class(submission.c.user_id, course)
        )
        graded = sa.select(sa.func.count()).where(_here(standing, course, assignment, sections))
        ungraded = (
            sa.select(work.c.state, sa.func.count())
            .select_from(work.join(submission))
            .where(
                work.c.state.in_(("queued", "running", "failed")),
                _found_by_work(course, assignment, sections),
            )
            .group_by(work.c.state)
        )
        by_state = {row[0]: row[1] for row in self._connection.execute(ungraded)}
        counted = self._number(graded)
        return Counts(
            received=counted + sum(by_state.values()),
            students=self._number(students),
            graded=counted,
            underway=by_state.get("queued", 0) + by_state.get("running", 0),
            failed=by_state.get("failed", 0),
            crashed=self._number(graded.where(standing.c.crashed)),
        )

    def slowest(self, course: str, assignment: str, sections: Sections, limit: int) -> list[Named]:
        """The longest runs."""
        query = _named(standing.c.seconds).where(_here(standing, course, assignment, sections))
        return self._list(query.order_by(standing.c.seconds.desc()).limit(limit))

    def crashed(self, course: str, assignment: str, sections: Sections, limit: int) -> list[Named]:
        """Runs that did not reach their end, longest first."""
        query = _named(standing.c.seconds).where(
            _here(standing, course, assignment, sections), standing.c.crashed
        )
        return self._list(query.order_by(standing.c.seconds.desc()).limit(limit))

    def failed(self, course: str, assignment: str, sections: Sections, limit: int) -> list[Named]:
        """What we failed at, newest first."""
        query = (
            sa.select(*_NAMED, sa.literal(0.0), work.c.tries, work.c.failure)
            .select_from(work.join(submission).outerjoin(person, person.c.id == submission.c.user_id))
            .where(work.c.state == "failed", _found_by_work(course, assignment, sections))
            .order_by(work.c.changed_at.desc(), submission.c.id)
            .limit(limit)
        )
        return self._list(query)

    def name(self, submission_ids: list[str]) -> dict[str, Named]:
        """These submissions with their students' names, by id."""
        query = (
            sa.select(*_NAMED)
            .select_from(submission.outerjoin(person, person.c.id == submission.c.user_id))
            .where(submission.c.id.in_(submission_ids))
        )
        return {one.id: one for one in self._list(query)}

    def is_in(self, course: str, user: str, sections: Sections) -> bool:
        """Whether a user is a student in one of these sections; in None is everybody."""
        if sections is None:
            return True
        query = select_students(course, sections).where(member_section.c.person_id == user)
        return self._connection.execute(query).first() is not None

    def sections(self, course: str, user: str | None = None) -> list[str]:
        """The sections that someone is in; None: all of the course."""
        query = (
            sa.select(member_section.c.section)
            .where(member_section.c.course == course)
            .distinct()
            .order_by(member_section.c.section)
        )
        if user is not None:
            query = query.where(member_section.c.person_id == user)
        return list(self._connection.execute(query).scalars())

    def people(self, ids: Iterable[str]) -> dict[str, str]:
        """Names by id, of those who have an account."""
        query = sa.select(person.c.id, person.c.name).where(person.c.id.in_(sorted(ids)))
        return {row[0]: row[1] for row in self._connection.execute(query)}

    def _list(self, query: sa.Select[Any]) -> list[Named]:
        return [Named(*row) for row in self._connection.execute(query)]

    def _number(self, query: sa.Select[Any]) -> int:
        return int(self._connection.execute(query).scalar_one())


_NAMED = (
    submission.c.id,
    submission.c.user_id,
    sa.func.coalesce(person.c.name, submission.c.user_id),
    submission.c.attempt,
    submission.c.submitted_at,
)


def _named(*more: sa.ColumnElement[Any]) -> sa.Select[Any]:
    return sa.select(*_NAMED, *more).select_from(
        standing.join(submission, submission.c.id == standing.c.submission_id).outerjoin(
            person, person.c.id == submission.c.user_id
        )
    )


def _here(table: sa.Table, course: str, assignment: str, sections: Sections) -> sa.ColumnElement[bool]:
    return sa.and_(
        table.c.course == course,
        table.c.assignment == assignment,
        *in_sections(table.c.user_id, course, sections),
    )


def _found_by_work(course: str, assignment: str, sections: Sections) -> sa.ColumnElement[bool]:
    """The same of `submission`, in words that use none of its indexes: few rows of `work` lead to it."""
    return sa.and_(
        submission.c.course.concat("") == course,
        submission.c.assignment.concat("") == assignment,
        *in_sections(submission.c.user_id, course, sections),
    )
