"""Accounts: made by an admin or a roster, opened by a password that only their owner chooses."""

from __future__ import annotations

from datetime import datetime
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from grader.domain.people import Actor, Person
from grader.errors import NotAuthenticated, NotPermitted, RequestRefused
from grader.services.people.sessions import begin_session
from grader.services.people.throttle import begin_try, forgive
from grader.storage.unit_of_work import Database, UnitOfWork

LEAST_CHARACTERS, MOST_CHARACTERS = 10, 200
_WRONG = "This name and password do not belong together."


def set_password(unit: UnitOfWork, person: Person, password: str) -> None:
    """Choose a password; every session of the account ends. Raises `RequestRefused` for a poor one."""
    if not LEAST_CHARACTERS <= len(password) <= MOST_CHARACTERS:
        raise RequestRefused(f"A password has {LEAST_CHARACTERS} to {MOST_CHARACTERS} characters.")
    if password.casefold() in (person.login, person.email.casefold(), person.name.casefold()):
        raise RequestRefused("Your own name is no password: choose another one.")
    unit.people.change(person.id, password=_hasher().hash(password))
    unit.sessions.end_all(person.id)
    unit.invitations.end_all([person.id])


def sign_in(database: Database, login: str, password: str, address: str, now: datetime) -> str:
    """Return a new session's token. ``address``: whence it is tried.

    Raises `NotAuthenticated`, the same for every reason, and `TooManyTries`.
    """
    begin_try(database, login, address, now)
    with database.read() as unit:
        person = unit.people.find_login(login)
        known = unit.people.password_of(person.id) if person else None
    # An unknown name costs as long as a wrong password, so that time tells nobody which names there are.
    right = _verify(known or _nobody(), password)
    if person is None or known is None or person.is_disabled or not right:
        raise NotAuthenticated(_WRONG)
    with database.write() as unit:
        forgive(unit, login, address)
        token = begin_session(unit, person.id, now)
        unit.audit.note(now, person.id, "session.begin", subject=person.id)
        unit.commit()
    return token


def change_password(database: Database, actor: Actor, old: str, new: str, address: str, now: datetime) -> str:
    """Change one's own password: all sessions end, and the token of a new one is returned.

    Raises `NotPermitted` for a wrong old one, `RequestRefused` for a poor new one, and `TooManyTries`.
    """
    subject = f"password of {actor.id}"
    begin_try(database, subject, address, now)
    with database.read() as unit:
        known = unit.people.password_of(actor.id)
    if not _verify(known or _nobody(), old):
        raise NotPermitted("That is not your present password.")
    with database.write() as unit:
        person = unit.people.find(actor.id)
        if person is None or person.is_disabled or unit.people.password_of(actor.id) != known:
            raise NotPermitted("Your account was changed meanwhile: sign in again.")
        forgive(unit, subject, address)
        set_password(unit, person, new)
        token = begin_session(unit, actor.id, now)
        unit.audit.note(now, actor.id, "password.change", subject=actor.id)
        unit.commit()
    return token


def _verify(known: str, password: str) -> bool:
    try:
        return _hasher().verify(known, password[:MOST_CHARACTERS])
    except (VerificationError, InvalidHashError):
        return False


@cache
def _hasher() -> PasswordHasher:
    return PasswordHasher()  # the library's defaults: RFC 9106's second recommendation


@cache
def _nobody() -> str:
    return _hasher().hash("nobody has this password")
