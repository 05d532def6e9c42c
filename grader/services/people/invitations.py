"""Invitations: links by which people choose their password, handed out by whoever may let them in."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from grader.domain.people import Actor, Person, Role
from grader.errors import NotFound, NotPermitted
from grader.services.csv_file import guard, write_line
from grader.services.people.accounts import set_password
from grader.services.people.sessions import begin_session
from grader.storage.people.roster import Member, Wanted
from grader.storage.unit_of_work import Database, UnitOfWork

LIFETIME = timedelta(days=7)
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
_GONE = "This link was used already, has expired, or was replaced by a newer one. Ask for a new one."


@dataclass(frozen=True, slots=True)
class Invitation:
    """A link as it is handed out. ``path`` is shown once and kept nowhere."""

    person: Person
    path: str


def invite(unit: UnitOfWork, by: str, people: Iterable[Person], now: datetime) -> list[Invitation]:
    """Make a link for each; their older links end. Who may do so is for the caller to know."""
    tokens = {person.id: (person, secrets.token_urlsafe(32)) for person in people}
    unit.invitations.add(
        {person_id: _hash(token) for person_id, (_, token) in tokens.items()}, by, now, now + LIFETIME
    )
    return [Invitation(person, f"/invite/{token}") for person, token in tokens.values()]


def invite_newcomers(
    database: Database, actor: Actor, course: str, now: datetime, *, anew: bool = False
) -> list[Invitation]:
    """Make links for all of a course who have neither a password nor a link that still works.

    ``anew``: for those with such a link, too; it ends. Raises `NotPermitted`.
    """
    if not actor.manages(course):
        raise NotPermitted("Only instructors hand out invitations.")
    with database.write() as unit:
        new, _ = unit.roster.page(course, Wanted(without_password=True))
        if not anew:
            holders = unit.invitations.holders((found.person.id for found in new), now)
            new = [found for found in new if found.person.id not in holders]
        elsewhere = unit.roster.courses_ever(found.person.id for found in new)
        links = invite(
            unit,
            actor.id,
            [found.person for found in new if may_invite(actor, found, elsewhere[found.person.id])],
            now,
        )
        unit.audit.note(now, actor.id, "people.invite", course=course, people=len(links))
        unit.commit()
    return links


def invite_member(database: Database, actor: Actor, course: str, person_id: str, now: datetime) -> Invitation:
    """Make a link for one of a course. Raises `NotPermitted` and `NotFound`."""
    if not actor.manages(course):
        raise NotPermitted("Only instructors hand out invitations.")
    with database.write() as unit:
        found = unit.roster.find(course, person_id)
        if found is None:
            raise NotFound("Nobody with this id takes part in the course.")
        if not may_invite(actor, found, unit.roster.courses_ever([person_id])[person_id]):
            raise NotPermitted(
                "Who holds this person's link could act for them elsewhere too: ask an admin to invite them."
            )
        (link,) = invite(unit, actor.id, [found.person], now)
        unit.audit.note(now, actor.id, "people.invite", course=course, subject=person_id)
        unit.commit()
    return link


def write_links(links: Iterable[Invitation], base: str) -> str:
    """Links as CSV for a mail merge; ``base`` is the service's own address.

    Nothing of it is a formula: a cell that a spreadsheet would compute gets an apostrophe.
    """
    lines = [write_line(("user_id", "name", "email", "login", "link"))]
    for link in links:
        person = link.person
        cells = (person.id, person.name, person.email, person.login)
        lines.append(write_line((*map(guard, cells), base.rstrip("/") + link.path)))
    return "".join(lines)


def may_invite(actor: Actor, member: Member, courses: Collection[str]) -> bool:
    """Whether this actor may hold a link to an account, and with it all that the account may do.

    ``courses``: those that the account ever had to do with. An instructor needs to manage each of them, and
    no link opens the account of a fellow instructor who has a password.
    """
    if actor.is_admin:
        return not member.person.is_disabled
    if member.person.is_admin or member.person.is_disabled or not all(map(actor.manages, courses)):
        return False
    return not (member.has_password and member.role is Role.INSTRUCTOR)


def find_invited(database: Database, token: str, now: datetime) -> Person:
    """Whom a link invites. Raises `NotFound` for one that cannot be used any more."""
    with database.read() as unit:
        return _find(unit, token, now)


def accept(database: Database, token: str, password: str, now: datetime) -> str:
    """Use a link up, choose the password, and return a new session's token.

    Raises `NotFound` for a link that cannot be used any more, and `RequestRefused` for a poor password,
    after which the link still works.
    """
    with database.write() as unit:
        person = _find(unit, token, now)
        if not unit.invitations.use(_hash(token), now):
            raise NotFound(_GONE)
        set_password(unit, person, password)
        session = begin_session(unit, person.id, now)
        unit.audit.note(now, person.id, "invitation.accept", subject=person.id)
        unit.commit()
    return session


def _find(unit: UnitOfWork, token: str, now: datetime) -> Person:
    person_id = unit.invitations.find(_hash(token), now) if _TOKEN.fullmatch(token) else None
    person = unit.people.find(person_id) if person_id else None
    if person is None or person.is_disabled:
        raise NotFound(_GONE)
    return person


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
