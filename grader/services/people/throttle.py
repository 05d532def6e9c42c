"""How often passwords and keys may be wrong before one has to wait: ever longer, never for ever.

A name is limited for each address that tries it, so that nobody can lock somebody else out from elsewhere.
An address is limited over all names, more widely, since a whole lecture hall may share one. Tries are counted
in the database, for all web processes together, and before they are judged, so that a burst gains nothing.
"""

from __future__ import annotations

import hashlib
import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta

from grader.errors import TooManyTries
from grader.storage.unit_of_work import Database, UnitOfWork

_REMEMBERED = timedelta(hours=1)
_MOST_KEPT = 100_000  # rows, whoever sends what


@dataclass(frozen=True, slots=True)
class Limit:
    """``free`` tries of an hour cost no wait; then it doubles with every ``step`` more."""

    free: int
    step: int
    longest: int  # seconds

    def wait(self, tries: int) -> int:
        """Seconds from the last of so many tries until the next counts."""
        if tries < self.free:
            return 0
        return min(1 << min(1 + (tries - self.free) // self.step, 20), self.longest)


PASSWORD = Limit(free=5, step=1, longest=900)  # of one name from one address
ADDRESS = Limit(free=100, step=10, longest=60)  # of all names from one address
KEY = Limit(free=20, step=5, longest=60)  # wrong API keys from one address


def begin_try(database: Database, login: str, address: str, now: datetime) -> None:
    """Count a try of a password as a wrong one; `forgive` takes it back. Raises `TooManyTries`.

    While one has to wait nothing is tried and nothing is counted: a right password says nothing either.
    """
    subject, where = hide_login(login), _network(address)
    with database.write() as unit:
        wait = max(
            _wait(unit, PASSWORD, where, now, subject),
            _wait(unit, ADDRESS, where, now),
        )
        if wait:
            raise TooManyTries(f"Too many tries were wrong. Please wait {_words(wait)} and try again.", wait)
        _count(unit, subject, where, now)
        unit.commit()


def forgive(unit: UnitOfWork, login: str, address: str) -> None:
    """Forget what was wrong with this name from this address: the password was right."""
    unit.login_failures.forget(hide_login(login), _network(address))


def count_wrong_key(database: Database, address: str, now: datetime) -> None:
    """Count a wrong API key. Raises `TooManyTries`, which keys that are right never meet."""
    where = f"key {_network(address)}"
    with database.read() as unit:
        wait = _wait(unit, KEY, where, now)
    if wait:
        raise TooManyTries(f"Too many wrong API keys came from here. Wait {_words(wait)}.", wait)
    with database.write() as unit:
        _count(unit, "", where, now)
        unit.commit()


def _wait(unit: UnitOfWork, limit: Limit, address: str, now: datetime, subject: str | None = None) -> int:
    tries, last = unit.login_failures.count(address, now - _REMEMBERED, subject)
    if last is None:
        return 0
    ends = last + timedelta(seconds=limit.wait(tries))
    left = (ends - now).total_seconds()
    return int(left) + 1 if left > 0 else 0


def _count(unit: UnitOfWork, subject: str, address: str, now: datetime) -> None:
    newest = unit.login_failures.add(subject, address, now)
    unit.login_failures.forget_old(now - _REMEMBERED, newest, _MOST_KEPT)


def hide_login(login: str) -> str:
    """As what a name that was typed is kept."""
    # People type passwords into the wrong field: what was typed is not kept.
    return hashlib.sha256(login.strip().casefold().encode("utf-8", "replace")).hexdigest()


def _network(address: str) -> str:
    """The address; of IPv6 its /64, of which one customer has all."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address[:60]
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((int(parsed) >> 64 << 64, 64)))
    return str(parsed)


def _words(seconds: int) -> str:
    return f"{seconds} s" if seconds < 100 else f"{-(-seconds // 60)} minutes"
