"""Reviewers see a stable name that says nothing; who wants the real one is written down."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from contextlib import suppress
from dataclasses import dataclass

from grader.domain.people import Actor, Person
from grader.services.review.access import Desk, open_answer
from grader.storage.unit_of_work import Clash, Database, UnitOfWork

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # nothing that looks like something else
_LENGTH = 6


def derive_pseudonym(secret: str, course: str, assignment: str, user: str) -> str:
    """What a student is called in one assignment, like "A-7F3KQ2". Only the secret lets one try ids out."""
    named = "\0".join((course, assignment, user)).encode("utf-8", "replace")
    digest = hmac.new(bytes.fromhex(secret), named, hashlib.sha256).digest()
    return "A-" + "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in digest[:_LENGTH])


@dataclass(frozen=True, slots=True)
class Names:
    """What students of one assignment are called before a reviewer."""

    secret: str
    course: str
    assignment: str
    is_anonymous: bool

    def of(self, unit: UnitOfWork, user: str) -> str:
        """The pseudonym; or the real name where the course does not hide it."""
        if self.is_anonymous:
            return self.pseudonym(user)
        return _describe(user, unit.people.find(user)).name

    def pseudonym(self, user: str) -> str:
        """What a student is called where names are hidden."""
        return derive_pseudonym(self.secret, self.course, self.assignment, user)


def find_names(database: Database, course: str, assignment: str) -> Names:
    """The names of an assignment; its secret is made when it is first asked for."""
    with database.read() as unit:
        known = unit.pseudonyms.find(course, assignment)
        is_anonymous = unit.offerings.find(course, assignment).hides_names
    if known is not None:
        return Names(known, course, assignment, is_anonymous)
    with suppress(Clash), database.write() as unit:  # another one may be making it
        if unit.pseudonyms.find(course, assignment) is None:
            unit.pseudonyms.add(course, assignment, secrets.token_hex(32))
            unit.commit()
    return find_names(database, course, assignment)


@dataclass(frozen=True, slots=True)
class Revealed:
    """Who a student is."""

    user_id: str
    name: str
    email: str


def reveal(desk: Desk, actor: Actor, submission_id: str, item: str) -> Revealed:
    """Tell who wrote an answer, and write down that it was told. Raises `NotFound`."""
    now = desk.clock()
    with desk.database.write() as unit:
        opened = open_answer(unit, actor, submission_id, item, now)
        submission = opened.filed.submission
        unit.audit.note(
            now, actor.id, "review.reveal", course=submission.course, subject=submission_id, item=item
        )
        unit.commit()
        return _describe(submission.user, unit.people.find(submission.user))


def _describe(user: str, person: Person | None) -> Revealed:
    return Revealed(user, person.name, person.email) if person else Revealed(user, user, "")
