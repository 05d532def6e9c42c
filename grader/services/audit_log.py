"""Read the audit log, in words, and take it out as a file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from grader.domain.people import Actor
from grader.errors import NotPermitted
from grader.services.csv_file import guard, write_line
from grader.storage.audit import AuditEntry
from grader.storage.unit_of_work import Database, UnitOfWork

_HEADER = ("at", "actor", "actor_name", "course", "action", "subject", "told", "details")
_CHUNK = 1_000
_SUBMISSION = re.compile(r"[0-9a-f]{32}")
# With the details in braces. Other acts are told by their details' names and values.
_SENTENCES = {
    "grade.override": "gave {points} of {maximum} points for {item}, before: {before}",
    "grade.take_back": "took back what a human gave for {item}, before: {before}",
    "review.decide": "gave {points} points for {item}, before: {before}",
    "review.accept": "accepted what is proposed for {item}: {points} points, before: {before}",
    "review.undo": "took the last decision on {item} back",
    "review.reveal": "was told who wrote this, for {item}",
    "extension.give": "due {due_at} instead of {before}, for {assignment}",
    "extension.take_back": "due as for everybody again, for {assignment}, before: {before}",
    "excuse.give": "excused from {assignment}",
    "excuse.take_back": "no longer excused from {assignment}",
    "gradebook.publish": "published all points and feedback",
    "gradebook.withdraw": "took the publication back",
    "gradebook.export": "took points out for {format}, students: {students}",
    "names.show": "saw names before publication",
    "people.enrol": "{role}, sections: {sections}, before: {before}, account: {account}",
    "people.remove": "no longer takes part, before: {before}",
    "key.create": "made the API key {name} with {scopes}, for {courses}, until {expires_at}",
    "key.revoke": "ended this API key",
    "submission.cancel": "ended the work on it: {reason}",
    "submission.retry": "queued it again",
    "person.export": "took out everything that is stored about this person",
    "person.erase": "erased everything that was stored about this person: {submissions} submissions",
    "course.erase": "erased the submissions of {people} people for good: {submissions} submissions",
    "audit.export": "took the audit log out: {entries} entries",
    "session.begin": "signed in",
}


@dataclass(frozen=True, slots=True)
class Search:
    """Which acts. Empty: all."""

    course: str | None = None
    actor: str = ""
    action: str = ""
    subject: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """One act in words. ``who`` is a person's name, or the id where there is none any more."""

    entry: AuditEntry
    who: str
    what: str

    @property
    def is_submission(self) -> bool:
        """Whether it was done to a submission."""
        return bool(_SUBMISSION.fullmatch(self.entry.subject))


@dataclass(frozen=True, slots=True)
class LogPage:
    """Acts, newest first. ``next`` is what `read_log` takes for the page after; None: there is none."""

    acts: tuple[Told, ...]
    next: int | None
    actions: tuple[str, ...]  # that there are


def read_log(
    database: Database, actor: Actor, search: Search, *, before: int | None = None, limit: int = 100
) -> LogPage:
    """One page of acts. Raises `NotPermitted`: a course's are for its instructors, the rest for admins."""
    check_reader(actor, search)
    with database.read() as unit:
        entries = _find(unit, search, before, limit + 1)
        acts = _tell_all(unit, entries[:limit])
        actions = unit.audit.actions(search.course)
    after = entries[limit - 1].id if len(entries) > limit else None
    return LogPage(tuple(acts), after, tuple(actions))


def export_log(database: Database, actor: Actor, search: Search, now: datetime) -> Iterator[bytes]:
    """The same acts, all of them, as CSV. Raises `NotPermitted` at once; reads while it is read."""
    check_reader(actor, search)
    with database.write() as unit:
        entries = unit.audit.count(**_conditions(search))
        newest = _find(unit, search, None, 1)
        unit.audit.note(now, actor.id, "audit.export", course=search.course or "", entries=entries)
        unit.commit()
    # What is noted from here on, this export first of all, was not counted.
    return _write(database, search, newest[0].id + 1 if newest else 0)


def find_actor(database: Database, words: str) -> str:
    """The id of whoever signs in by this name; the words themselves where nobody does."""
    with database.read() as unit:
        person = unit.people.find_login(words) if words.strip() else None
    return person.id if person else words.strip()


def check_reader(actor: Actor, search: Search) -> None:
    """Raise `NotPermitted` unless someone may read these acts."""
    if not (actor.is_admin or (search.course is not None and actor.manages(search.course))):
        raise NotPermitted("The audit log is for a course's instructors, and all of it for admins.")


def tell(entry: AuditEntry) -> str:
    """What was done, in words."""
    sentence = _SENTENCES.get(entry.action)
    if sentence is not None:
        try:
            return sentence.format(**{name: _plain(value) for name, value in entry.details.items()})
        except KeyError:
            pass  # noted by another release
    if entry.action == "settings.change" and isinstance(entry.details.get("changed"), dict):
        changed: Mapping[str, Any] = entry.details["changed"]
        return "; ".join(
            f"{_words(name)}: {_plain(was)} → {_plain(now)}" for name, (was, now) in changed.items()
        )
    return ", ".join(f"{_words(name)}: {_plain(value)}" for name, value in entry.details.items())


def _write(database: Database, search: Search, before: int) -> Iterator[bytes]:
    yield _lines([_HEADER])
    while True:
        with database.read() as unit:
            entries = _find(unit, search, before, _CHUNK)
            acts = _tell_all(unit, entries)
        if not entries:
            return
        yield _lines(
            (
                f"{act.entry.at:%Y-%m-%dT%H:%M:%SZ}",
                act.entry.actor,
                act.who,
                act.entry.course,
                act.entry.action,
                act.entry.subject,
                act.what,
                ", ".join(f"{name}={_plain(value)}" for name, value in act.entry.details.items()),
            )
            for act in acts
        )
        before = entries[-1].id


def _find(unit: UnitOfWork, search: Search, before: int | None, limit: int) -> list[AuditEntry]:
    return unit.audit.page(**_conditions(search), before=before, limit=limit)


def _conditions(search: Search) -> dict[str, Any]:
    return {
        "course": search.course,
        "subject": search.subject or None,
        "actor": search.actor or None,
        "action": search.action or None,
        "since": search.since,
        "until": search.until,
    }


def _tell_all(unit: UnitOfWork, entries: list[AuditEntry]) -> list[Told]:
    names = unit.people.names(sorted({entry.actor for entry in entries}))
    return [Told(entry, names.get(entry.actor, entry.actor), tell(entry)) for entry in entries]


def _lines(rows: Iterable[Sequence[str]]) -> bytes:
    return "".join(write_line(map(guard, row)) for row in rows).encode()


def _words(name: str) -> str:
    return name.replace("_", " ")


def _plain(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, dict):
        return ", ".join(f"{name} {_plain(one)}" for name, one in value.items()) or "none"
    if isinstance(value, list | tuple):
        return ", ".join(map(_plain, value)) or "none"
    return str(value)
