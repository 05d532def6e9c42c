"""Accounts and who takes part in which course."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from grader.domain.people import Membership, Person, Role
from grader.storage.tables.people import course, member, member_section, person

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
        login = login.strip().casefold()
        return self._first(person.c.login == login) if login.isprintable() else None

    def find_page(self, text: str, start: int, limit: int) -> tuple[list[Person], int]:
        """Accounts whose id, login, name or address contains this, by name; and how many there are."""
        holds = contains(text)
        query = sa.select(person).where(holds).order_by(sa.func.lower(person.c.name), person.c.id)
        rows = self._connection.execute(query.offset(start).limit(limit)).mappings()
        found = sa.select(sa.func.count()).select_from(person).where(holds)
        return [read_person(row) for row in rows], self._connection.execute(found).scalar_one()

    def other_admins(self, person_id: str) -> int:
        """How many others are admins and can sign in. Holds them until the transaction ends."""
        query = sa.select(person.c.id).where(
            person.c.is_admin,
            person.c.disabled_at.is_(None),
            person.c.password.is_not(None),
        )
        ids = self._connection.execute(query.order_by(person.c.id).with_for_update()).scalars()
        return sum(1 for admin in ids if admin != person_id)

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

    def change_course(self, course_id: str, title: str) -> bool:
        """Change a course's title; False where there is none."""
        statement = sa.update(course).where(course.c.id == course_id).values(title=title)
        return self._connection.execute(statement).rowcount == 1

    def course_sizes(self) -> dict[str, int]:
        """How many people take part, by course; without those where nobody does."""
        query = sa.select(member.c.course, sa.func.count()).where(member.c.removed_at.is_(None))
        return {row[0]: row[1] for row in self._connection.execute(query.group_by(member.c.course))}

    def remove(self, course_id: str, person_id: str, now: datetime) -> bool:
        """End someone's part in a course; what they handed in stays. False where they have none."""
        statement = (
            sa.update(member)
            .where(
                member.c.course == course_id, member.c.person_id == person_id, member.c.removed_at.is_(None)
            )
            .values(removed_at=now)
        )
        return self._connection.execute(statement).rowcount == 1

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
        """The sections that somebody of a course is in, sorted."""
        is_in = sa.exists().where(
            member.c.course == course_id,
            member.c.person_id == member_section.c.person_id,
            member.c.removed_at.is_(None),
        )
        query = (
            sa.select(member_section.c.section).where(member_section.c.course == course_id, is_in).distinct()
        )
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
        return None if row is None else read_person(row)


def contains(text: str) -> sa.ColumnElement[bool]:
    """Whether an account's id, login, name or address contains this text, whatever its case."""
    wanted = "".join(c for c in text.strip().lower() if c.isprintable())  # others no database takes
    columns = (person.c.id, person.c.login, person.c.name, person.c.email)
    return sa.or_(*(sa.func.lower(column).contains(wanted, autoescape=True) for column in columns))


def read_person(row: sa.RowMapping) -> Person:
    """The account that this row of `person` is."""
    return Person(
        row["id"], row["login"], row["name"], row["email"], row["is_admin"], row["disabled_at"] is not None
    )
