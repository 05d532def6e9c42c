"""Sessions: begun by signing in, found by their cookie, ended by signing out or by time."""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from grader.domain.people import Actor
from grader.storage.people.sessions import Session
from grader.storage.unit_of_work import Database, UnitOfWork

LIFETIME = timedelta(days=14)
_IDLE = timedelta(days=3)
_SEEN_EVERY = timedelta(minutes=5)
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who uses this browser. ``csrf`` must come back with everything that changes something."""

    actor: Actor
    csrf: str


def begin_session(unit: UnitOfWork, person_id: str, now: datetime) -> str:
    """Begin a session and return its token, which is kept nowhere else than in the browser's cookie."""
    unit.sessions.forget_expired(now)
    token = secrets.token_urlsafe(32)
    unit.sessions.add(
        Session(
            _hash(token), person_id, secrets.token_urlsafe(32), now, seen_at=now, expires_at=now + LIFETIME
        )
    )
    return token


def find_visitor(database: Database, token: str, now: datetime) -> Visitor | None:
    """Whose session this is; None where it ended, was idle for days, or its account is disabled."""
    if not _TOKEN.fullmatch(token):
        return None
    with database.read() as unit:
        session = unit.sessions.find(_hash(token))
        if session is None or session.expires_at <= now or session.seen_at + _IDLE <= now:
            return None
        actor = read_actor(unit, session.person_id)
    if actor is None:
        return None
    if now - session.seen_at >= _SEEN_EVERY:
        with database.write() as unit:
            unit.sessions.see(session.token_sha256, now)
            unit.commit()
    return Visitor(actor, session.csrf)


def end_session(database: Database, token: str) -> None:
    """Sign out; an unknown token is no error."""
    with database.write() as unit:
        unit.sessions.end(_hash(token))
        unit.commit()


@dataclass(frozen=True, slots=True)
class OpenSession:
    """One of a person's sessions, as it is shown to them."""

    id: str  # of the list alone
    begun_at: datetime
    seen_at: datetime
    is_this: bool


def list_sessions(database: Database, actor: Actor, token: str, now: datetime) -> list[OpenSession]:
    """One's own sessions, the last used first; ``token`` is of this browser."""
    with database.read() as unit:
        found = unit.sessions.list_of(actor.id)
    return [
        OpenSession(one.token_sha256[:16], one.created_at, one.seen_at, one.token_sha256 == _hash(token))
        for one in found
        if one.expires_at > now and one.seen_at + _IDLE > now
    ]


def end_sessions(
    database: Database, actor: Actor, token: str, now: datetime, session_id: str | None = None
) -> None:
    """End one of one's own sessions; None: all but that of ``token``. An unknown one is no error."""
    with database.write() as unit:
        for one in unit.sessions.list_of(actor.id):
            chosen = one.token_sha256[:16] == session_id
            if chosen or (session_id is None and one.token_sha256 != _hash(token)):
                unit.sessions.end(one.token_sha256)
        unit.audit.note(now, actor.id, "session.end", subject=actor.id)
        unit.commit()


def read_actor(unit: UnitOfWork, person_id: str) -> Actor | None:
    """A person with all their roles; None where there is none, or it is disabled."""
    person = unit.people.find(person_id)
    if person is None or person.is_disabled:
        return None
    return Actor(person.id, person.name, unit.people.memberships_of(person.id), person.is_admin)


def _hash(token: str) -> str:
    # 256 random bits: nobody guesses them, so a quick hash is as good as a slow one.
    return hashlib.sha256(token.encode()).hexdigest()
