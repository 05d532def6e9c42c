"""Accounts and who takes part in which course."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from grader.domain.people import Membership, Person, Role
from grader.storage.people_tables import course, member, member_section, person

_CHUNK = 500


class People:
    """The `person`, `course`, `member` and `member_section` tables."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def add(self, new: Person, now: datetime) -> None:
        """Add an account without a password. Surfaces as `Clash` where id or login are taken."""
        self._connection.execute(
            sa.insert(person).values(
                id=new.id,
                login=new.login,
                name=new.name,
                email=new.email,
                password=None,
                is_admin=new.is_admin,
                created_at=now,
            )
        )

    def find(self, person_id: str) -> Person | None:
        """The account with this id."""
        return self._first(person.c.id == person_id)

    def find_login(self, login: str) -> Person | None:
        """The account that signs in by this name, whatever its case."""
        return self._first(person.c.login == login.strip().casefold())

    def change(self, person_id: str, **values: Any) -> bool:
        """Change columns of an account; False where there is none."""
        statement = sa.update(person).where(person.c.id == person_id).values(**values)
        return self._connection.execute(statement).rowcount == 1

    def password_of(self, person_id: str) -> str | None:
        """The password's hash."""
        query = sa.select(person.c.password).where(person.c.id == person_id)
        return self._connection.execute(query).scalar_one_or_none()

    def names(self, ids: Sequence[str]) -> dict[str, str]:
        """Names by id, of those that have an account."""
        found: dict[str, str] = {}
        for start in range(0, len(ids), _CHUNK):
            query = sa.select(person.c.id, person.c.name).where(person.c.id.in_(ids[start : start + _CHUNK]))
            found.update((row[0], row[1]) for row in self._connection.execute(query))
        return found

    def add_course(self, course_id: str, title: str, now: datetime) -> None:
        """Add a course. Surfaces as `Clash` where it is there."""
        self._connection.execute(sa.insert(course).values(id=course_id, title=title, created_at=now))

    def courses(self, ids: Iterable[str] | None = None) -> dict[str, str]:
        """Titles by id, of these courses or of all."""
        query = sa.select(course.c.id, course.c.title).order_by(course.c.id)
        if ids is not None:
            query = query.where(course.c.id.in_(list(ids)))
        return {row[0]: row[1] for row in self._connection.execute(query)}

    def retention(self, course_id: str) -> int | None:
        """Days that a course's work is kept after its last submission; None: for good."""
        query = sa.select(course.c.retention_days).where(course.c.id == course_id)
        return self._connection.execute(query).scalar_one_or_none()

    def set_retention(self, course_id: str, days: int | None) -> None:
        """Set it."""
        self._connection.execute(
            sa.update(course).where(course.c.id == course_id).values(retention_days=days)
        )

    def retentions(self) -> dict[str, tuple[str, int]]:
        """Title and days of every course that does not keep its work for good, by id."""
        query = (
            sa.select(course.c.id, course.c.title, course.c.retention_days)
            .where(course.c.retention_days.is_not(None))
            .order_by(course.c.id)
        )
        return {row[0]: (row[1], row[2]) for row in self._connection.execute(query)}

    def enrol(self, person_id: str, membership: Membership, now: datetime) -> None:
        """Put someone into a course with this role and these sections, in place of what was before."""
        mine = (member.c.course == membership.course, member.c.person_id == person_id)
        self._connection.execute(sa.delete(member).where(*mine))
        self._connection.execute(
            sa.delete(member_section).where(
                member_section.c.course == membership.course, member_section.c.person_id == person_id
            )
        )
        self._connection.execute(
            sa.insert(member).values(
                course=membership.course, person_id=person_id, role=membership.role.value, joined_at=now
            )
        )
        if membership.sections:
            self._connection.execute(
                sa.insert(member_section),
                [
                    {"course": membership.course, "person_id": person_id, "section": section}
                    for section in sorted(membership.sections)
                ],
            )

    def sections(self, course_id: str) -> list[str]:
        """The sections of a course, sorted."""
        query = sa.select(member_section.c.section).where(member_section.c.course == course_id).distinct()
        return sorted(self._connection.execute(query).scalars())

    def memberships_of(self, person_id: str) -> dict[str, Membership]:
        """What someone takes part in, by course."""
        sections: dict[str, set[str]] = defaultdict(set)
        taken = sa.select(member_section.c.course, member_section.c.section).where(
            member_section.c.person_id == person_id
        )
        for course_id, section in self._connection.execute(taken):
            sections[course_id].add(section)
        query = sa.select(member.c.course, member.c.role).where(
            member.c.person_id == person_id, member.c.removed_at.is_(None)
        )
        return {
            course_id: Membership(course_id, Role(role), frozenset(sections[course_id]))
            for course_id, role in self._connection.execute(query)
        }

    def _first(self, condition: sa.ColumnElement[bool]) -> Person | None:
        row = self._connection.execute(sa.select(person).where(condition)).mappings().first()
        return None if row is None else _person(row)


def _person(row: sa.RowMapping) -> Person:
    return Person(
        row["id"], row["login"], row["name"], row["email"], row["is_admin"], row["disabled_at"] is not None
    )
