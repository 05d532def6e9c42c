"""Who someone is and what they may do. A course's data is for its teachers; a student's for that student."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@+|~=-]{0,254}")
ID_RULE = "1 to 255 letters, digits and . _ : @ + | ~ = -, beginning with a letter or digit"


def is_id(text: str) -> bool:
    """Whether this can be the id of a course, an assignment or a user: see `ID_RULE`."""
    return _ID.fullmatch(text) is not None


class Role(StrEnum):
    """What someone is in a course."""

    STUDENT = "student"
    TA = "ta"  # reviews and sees the students of the sections they look after
    INSTRUCTOR = "instructor"


@dataclass(frozen=True, slots=True)
class Person:
    """An account. ``id`` is what submissions call the user."""

    id: str
    login: str
    name: str
    email: str = ""
    is_admin: bool = False
    is_disabled: bool = False


@dataclass(frozen=True, slots=True)
class Membership:
    """A role in one course. ``sections``: a student is in them, a teaching assistant looks after them."""

    course: str
    role: Role
    sections: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Actor:
    """Whoever does something: a person who signed in, or an API key."""

    id: str  # a person's id, or "key:<id>"; what the audit log names
    name: str
    memberships: Mapping[str, Membership] = field(default_factory=dict)  # by course
    is_admin: bool = False

    def role_in(self, course: str) -> Role | None:
        """Their role; an admin is an instructor everywhere."""
        if self.is_admin:
            return Role.INSTRUCTOR
        membership = self.memberships.get(course)
        return membership.role if membership else None

    def teaches(self, course: str) -> bool:
        """Whether they may see and review students' work there, within `sections_of`."""
        return self.role_in(course) in (Role.TA, Role.INSTRUCTOR)

    def manages(self, course: str) -> bool:
        """Whether they may change rubric, dates, people and published grades there."""
        return self.role_in(course) is Role.INSTRUCTOR

    def sections_of(self, course: str) -> frozenset[str] | None:
        """The sections whose students they may see; None: all. An assistant without any: none."""
        if self.role_in(course) is Role.INSTRUCTOR:
            return None
        membership = self.memberships.get(course)
        return membership.sections if membership and membership.role is Role.TA else frozenset()
