"""A course's people as a whole: pages of them, and thousands enrolled at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from grader.domain.people import Membership, Person, Role
from grader.storage.people.accounts import contains, read_person
from grader.storage.tables.people import member, member_section, person
from grader.storage.tables.submissions import submission

_CHUNK = 400


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody in a course."""

    person: Person
    role: Role
    sections: tuple[str, ...]
    joined_at: datetime
    has_password: bool


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which members of a course, and in which order."""

    text: str = ""
    role: Role | None = None
    section: str = ""
    sort: str = "name"  # name, login, role, joined; "-" before it turns it round
    without_password: bool = False  # those alone


_ORDERS: dict[str, sa.ColumnElement[Any]] = {
    "name": sa.func.lower(person.c.name),
    "login": person.c.login,
    "role": member.c.role,
    "joined": member.c.joined_at,
}
SORTS = tuple(_ORDERS)


class Roster:
    """The same tables as `People`, many rows at a time."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def page(
        self, course: str, wanted: Wanted, start: int = 0, limit: int | None = None
    ) -> tuple[list[Member], int]:
        """Some members, and how many there are of the wanted. ``limit`` None: all."""
        chosen = _chosen(course, wanted)
        order = _ORDERS[wanted.sort.removeprefix("-")]
        members = self._members(
            course,
            sa.select(person, member.c.role, member.c.joined_at)
            .select_from(person.join(member))
            .where(*chosen)
            .order_by(order.desc() if wanted.sort.startswith("-") else order, person.c.id)
            .offset(start)
            .limit(limit),
        )
        count = sa.select(sa.func.count()).select_from(person.join(member)).where(*chosen)
        return members, self._connection.execute(count).scalar_one()

    def find(self, course: str, person_id: str) -> Member | None:
        """One member."""
        query = sa.select(person, member.c.role, member.c.joined_at).select_from(person.join(member))
        mine = query.where(*_chosen(course, Wanted()), person.c.id == person_id)
        return next(iter(self._members(course, mine)), None)

    def roles(self, course: str) -> dict[Role, int]:
        """How many there are of each role."""
        query = sa.select(member.c.role, sa.func.count()).where(
            member.c.course == course, member.c.removed_at.is_(None)
        )
        return {Role(row[0]): row[1] for row in self._connection.execute(query.group_by(member.c.role))}

    def people(self, ids: Iterable[str]) -> dict[str, Person]:
        """Accounts by id."""
        return {found.id: found for found in self._accounts(person.c.id, ids)}

    def logins(self, logins: Iterable[str]) -> dict[str, str]:
        """Whose these logins are: person ids by login."""
        return {found.login: found.id for found in self._accounts(person.c.login, logins)}

    def courses_ever(self, ids: Iterable[str]) -> dict[str, set[str]]:
        """Courses that people take part in, took part in, or have handed work in for."""
        found: dict[str, set[str]] = defaultdict(set)
        for some in _chunks(ids):
            for query in (
                sa.select(member.c.person_id, member.c.course).where(member.c.person_id.in_(some)),
                sa.select(submission.c.user_id, submission.c.course)
                .where(submission.c.user_id.in_(some))
                .distinct(),
            ):
                for person_id, course in self._connection.execute(query):
                    found[person_id].add(course)
        return found

    def add(self, new: Sequence[Person], now: datetime) -> None:
        """Add accounts without passwords. Surfaces as `Clash` where an id or login is taken."""
        if new:
            self._connection.execute(
                sa.insert(person),
                [
                    {
                        "id": one.id,
                        "login": one.login,
                        "name": one.name,
                        "email": one.email,
                        "is_admin": one.is_admin,
                        "created_at": now,
                    }
                    for one in new
                ],
            )

    def rename(self, changed: Sequence[Person]) -> None:
        """Change login, name and address of accounts. Surfaces as `Clash` where a login is taken."""
        if changed:
            self._connection.execute(
                sa.update(person)
                .where(person.c.id == sa.bindparam("whose"))
                .values(
                    login=sa.bindparam("new_login"),
                    name=sa.bindparam("new_name"),
                    email=sa.bindparam("new_email"),
                ),
                [
                    {"whose": one.id, "new_login": one.login, "new_name": one.name, "new_email": one.email}
                    for one in changed
                ],
            )

    def enrol(self, new: Sequence[tuple[str, Membership]], now: datetime) -> None:
        """Give people of one course their roles and sections, in place of what was before."""
        if not new:
            return
        course = new[0][1].course
        joined: dict[str, datetime] = {}
        for some in _chunks(person_id for person_id, _ in new):
            mine = (member.c.course == course, member.c.person_id.in_(some))
            still = sa.select(member.c.person_id, member.c.joined_at).where(
                *mine, member.c.removed_at.is_(None)
            )
            joined |= {row[0]: row[1] for row in self._connection.execute(still)}
            self._connection.execute(sa.delete(member).where(*mine))
            self._connection.execute(
                sa.delete(member_section).where(
                    member_section.c.course == course, member_section.c.person_id.in_(some)
                )
            )
        self._connection.execute(
            sa.insert(member),
            [
                {
                    "course": course,
                    "person_id": person_id,
                    "role": membership.role.value,
                    "joined_at": joined.get(person_id, now),
                }
                for person_id, membership in new
            ],
        )
        sections = [
            {"course": course, "person_id": person_id, "section": section}
            for person_id, membership in new
            for section in sorted(membership.sections)
        ]
        if sections:
            self._connection.execute(sa.insert(member_section), sections)

    def remove(self, course: str, ids: Iterable[str], now: datetime) -> None:
        """End people's part in a course; what they handed in stays."""
        for some in _chunks(ids):
            self._connection.execute(
                sa.update(member)
                .where(member.c.course == course, member.c.person_id.in_(some), member.c.removed_at.is_(None))
                .values(removed_at=now)
            )

    def _members(self, course: str, query: sa.Select[Any]) -> list[Member]:
        rows = self._connection.execute(query).mappings().all()
        sections = self._sections(course, [row["id"] for row in rows])
        return [
            Member(
                read_person(row),
                Role(row["role"]),
                tuple(sections[row["id"]]),
                row["joined_at"],
                has_password=row["password"] is not None,
            )
            for row in rows
        ]

    def _sections(self, course: str, ids: Iterable[str]) -> dict[str, list[str]]:
        found: dict[str, list[str]] = defaultdict(list)
        for some in _chunks(ids):
            query = sa.select(member_section.c.person_id, member_section.c.section).where(
                member_section.c.course == course, member_section.c.person_id.in_(some)
            )
            for person_id, section in self._connection.execute(query.order_by(member_section.c.section)):
                found[person_id].append(section)
        return found

    def _accounts(self, column: sa.ColumnElement[str], values: Iterable[str]) -> Iterator[Person]:
        for some in _chunks(values):
            for row in self._connection.execute(sa.select(person).where(column.in_(some))).mappings():
                yield read_person(row)


def _chosen(course: str, wanted: Wanted) -> list[sa.ColumnElement[bool]]:
    chosen = [member.c.course == course, member.c.removed_at.is_(None)]
    if wanted.text.strip():
        chosen.append(contains(wanted.text))
    if wanted.role is not None:
        chosen.append(member.c.role == wanted.role.value)
    if wanted.section:
        mine = sa.select(member_section.c.person_id).where(
            member_section.c.course == course, member_section.c.section == wanted.section
        )
        chosen.append(person.c.id.in_(mine))
    if wanted.without_password:
        chosen.append(person.c.password.is_(None))
    return chosen


def _chunks(values: Iterable[str]) -> Iterator[list[str]]:
    listed = list(values)
    for start in range(0, len(listed), _CHUNK):
        yield listed[start : start + _CHUNK]
