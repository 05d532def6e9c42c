"""API keys: made once, shown once, kept as a hash."""

from __future__ import annotations

import hashlib
import logging
import re
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta

from grader.domain.people import Actor, Membership, Role
from grader.errors import NotAuthenticated, NotFound, NotPermitted, RequestRefused, StorageUnavailable
from grader.services.people.administration import OPERATOR
from grader.storage.people.keys import ApiKey
from grader.storage.unit_of_work import Database

SUBMIT = "submissions:write"
READ = "results:read"
GRADEBOOK = "gradebook:read"
REVIEW = "review:write"
ROSTER = "roster:write"
RUBRIC = "rubric:write"
SCOPES = (SUBMIT, READ, REVIEW, ROSTER, RUBRIC, GRADEBOOK)
USUAL_SCOPES = (SUBMIT, READ)  # of a key that nobody says more of: it changes no mark, roster or rubric

_SECRET = re.compile(r"grader_([0-9a-f]{8})_[A-Za-z0-9_-]{43}")
_USE_NOTED_EVERY = timedelta(minutes=1)
_log = logging.getLogger(__name__)


def create_key(
    database: Database,
    name: str,
    *,
    scopes: Iterable[str],
    courses: Iterable[str] | None,
    now: datetime,
    expires_at: datetime | None = None,
) -> tuple[ApiKey, str]:
    """Make a key and return it with its secret, which is shown here and never again.

    ``courses`` None opens every course. Raises `RequestRefused` for an unknown scope, for none at
    all, for an empty name, for an empty course id, or for an expiry that has passed.
    """
    wanted = frozenset(scopes)
    if not wanted or wanted - set(SCOPES):
        raise RequestRefused(
            f"scopes must be some of {', '.join(SCOPES)}, not {', '.join(sorted(wanted)) or 'none'}."
        )
    if not name.strip() or len(name) > 255 or not name.isprintable():
        raise RequestRefused("a key needs a name of 1 to 255 printable characters: say whom it is for.")
    allowed = None if courses is None else frozenset(courses)
    if allowed is not None and "" in allowed:
        raise RequestRefused("a course has an id: the empty one opens nothing.")
    if expires_at is not None and expires_at <= now:
        raise RequestRefused("the key would have expired already: give a later time.")
    key_id = secrets.token_hex(4)
    secret = f"grader_{key_id}_{secrets.token_urlsafe(32)}"
    key = ApiKey(key_id, name.strip(), wanted, allowed, created_at=now, expires_at=expires_at)
    with database.write() as unit:
        unit.api_keys.add(key, _hash(secret))
        unit.audit.note(
            now,
            OPERATOR.id,
            "key.create",
            subject=key_id,
            name=key.name,
            scopes=sorted(wanted),
            courses="every course" if allowed is None else sorted(allowed),
            expires_at=expires_at.isoformat() if expires_at else "it is ended",
        )
        unit.commit()
    return key, secret


def list_keys(database: Database) -> list[ApiKey]:
    """Every key, oldest first, revoked and expired ones too."""
    with database.read() as unit:
        return unit.api_keys.list_all()


def revoke_key(database: Database, key_id: str, now: datetime) -> None:
    """End a key at once. Raises `NotFound` where there is none with this id that still works."""
    with database.write() as unit:
        if not unit.api_keys.revoke(key_id, now):
            raise NotFound(f"There is no key {key_id!r} to revoke; `grader user keys` shows them.")
        unit.audit.note(now, OPERATOR.id, "key.revoke", subject=key_id)
        unit.commit()


def authenticate(database: Database, secret: str, now: datetime) -> ApiKey:
    """Find whose secret this is. Raises `NotAuthenticated` for an unknown, expired or revoked one."""
    key = None
    if _SECRET.fullmatch(secret):
        with database.read() as unit:
            key = unit.api_keys.find_by_secret(_hash(secret))
    if key is None:
        raise NotAuthenticated("This API key is unknown. Ask the service's admin for one.")
    if key.revoked_at is not None:
        raise NotAuthenticated("This API key was revoked. Ask the service's admin for a new one.")
    if key.expires_at is not None and key.expires_at <= now:
        raise NotAuthenticated("This API key has expired. Ask the service's admin for a new one.")
    if key.last_used_at is None or now - key.last_used_at >= _USE_NOTED_EVERY:
        _note_use(database, key.id, now)
    return key


def _note_use(database: Database, key_id: str, now: datetime) -> None:
    try:
        with database.write() as unit:
            unit.api_keys.note_use(key_id, now)
            unit.commit()
    except StorageUnavailable as error:
        _log.warning("the use of key %s was not noted: %s", key_id, error)  # grades can be read all the same


def permit(key: ApiKey, scope: str, course: str) -> None:
    """Raise `NotPermitted` unless the key has this scope for this course."""
    if scope not in key.scopes:
        raise NotPermitted(f"This API key lacks the scope {scope}.")
    if not key.opens(course):
        raise NotPermitted(f"This API key is not for the course {course!r}.")


def act_for(key: ApiKey, scope: str, course: str) -> Actor:
    """The key as one who acts in this course, as an instructor. Raises `NotPermitted` as `permit`."""
    permit(key, scope, course)
    return Actor(f"key:{key.id}", key.name, {course: Membership(course, Role.INSTRUCTOR)})


def act_as(key: ApiKey) -> Actor:
    """The key as one who manages every course that it opens."""
    courses = {} if key.courses is None else {c: Membership(c, Role.INSTRUCTOR) for c in key.courses}
    return Actor(f"key:{key.id}", key.name, courses, is_admin=key.courses is None)


def _hash(secret: str) -> str:
    # The secret is 256 random bits: nobody guesses it, so a quick hash is as good as a slow one.
    return hashlib.sha256(secret.encode()).hexdigest()
