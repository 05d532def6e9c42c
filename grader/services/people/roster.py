"""Who takes part in a course: planned first, then applied in one transaction. Twice is once."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from grader.domain.people import ID_RULE, Actor, Membership, Person, Role, is_id
from grader.errors import NotFound, NotPermitted, RequestRefused
from grader.services.people.administration import clean
from grader.services.people.roster_file import Entry, LineError
from grader.storage.audit import NewAct
from grader.storage.people.roster import Member, Wanted
from grader.storage.unit_of_work import Clash, Database, UnitOfWork

_MOST = 255


class Kind(StrEnum):
    """What a roster changes about somebody."""

    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Change:
    """One person of a roster, as they would be afterwards."""

    kind: Kind
    person: Person
    membership: Membership
    before: Membership | None = None  # what they took part as; None: they did not
    is_new_account: bool = False
    is_renamed: bool = False
    is_new_staff: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a roster would do. Nothing is applied while there are errors."""

    changes: tuple[Change, ...]
    errors: tuple[LineError, ...]
    missing: tuple[Member, ...]  # students of the course whom the roster does not name
    fingerprint: str  # the same for the same changes and the same students missing

    @property
    def counts(self) -> Counter[Kind]:
        """How many there are of each kind."""
        return Counter(change.kind for change in self.changes)


def plan_roster(
    database: Database, actor: Actor, course: str, entries: Sequence[Entry], *, remove_missing: bool = False
) -> Plan:
    """Say what a roster would change, and what is wrong with it. Raises `NotPermitted` and `NotFound`."""
    with database.read() as unit:
        return _plan(unit, actor, course, entries, remove_missing=remove_missing)


def apply_roster(
    database: Database,
    actor: Actor,
    course: str,
    entries: Sequence[Entry],
    now: datetime,
    *,
    remove_missing: bool = False,
    expected: str | None = None,
) -> tuple[Plan, bool]:
    """Apply a roster as a whole, and say what it changed and whether it was applied.

    It is not where lines are wrong, or where it would do something else than the plan whose fingerprint
    is ``expected``. Raises `NotPermitted` and `NotFound`.
    """
    try:
        with database.write() as unit:
            plan = _plan(unit, actor, course, entries, remove_missing=remove_missing)
            if plan.errors or expected not in (None, plan.fingerprint):
                return plan, False
            _apply(unit, plan, course, now)
            unit.audit.note_all(
                [
                    _told(change, course, actor, now)
                    for change in plan.changes
                    if change.kind is not Kind.UNCHANGED
                ]
            )
            unit.commit()
    except Clash:
        raise RequestRefused("Somebody changed the same accounts just now: please try again.") from None
    return plan, True


def enrol_one(database: Database, actor: Actor, course: str, entry: Entry, now: datetime) -> Change:
    """Add somebody, or change their role, sections and name. Raises `RequestRefused` for what is wrong."""
    plan, applied = apply_roster(database, actor, course, [entry], now)
    if not applied:
        raise RequestRefused(plan.errors[0].message)
    return plan.changes[0]


def remove_member(database: Database, actor: Actor, course: str, person_id: str, now: datetime) -> None:
    """End somebody's part in a course; what they handed in stays. Raises `NotPermitted`, `NotFound`."""
    _require_manager(actor, course)
    with database.write() as unit:
        member = unit.roster.find(course, person_id)
        if member is None:
            raise NotFound("Nobody with this id takes part in the course.")
        unit.people.remove(course, person_id, now)
        unit.audit.note_all([_told(_removal(course, member), course, actor, now)])
        unit.commit()


def _require_manager(actor: Actor, course: str) -> None:
    if not actor.manages(course):
        raise NotPermitted("Only a course's instructors change who takes part in it.")


def _plan(
    unit: UnitOfWork, actor: Actor, course: str, entries: Sequence[Entry], *, remove_missing: bool
) -> Plan:
    _require_manager(actor, course)
    if not unit.people.courses([course]):
        raise NotFound(f"There is no course {course[:80]!r}: make it first.")
    merged, errors = _merge(entries)
    planner = _Planner(unit, actor, course, merged)
    changes = []
    for entry in merged:
        made = planner.plan(entry)
        if isinstance(made, LineError):
            errors.append(made)
        elif made is not None:
            changes.append(made)
    named = {entry.user_id for entry in merged}
    missing = [
        found
        for found in planner.members.values()
        if found.role is Role.STUDENT and found.person.id not in named
    ]
    said = [(c.kind, c.person, c.membership.role, sorted(c.membership.sections)) for c in changes]
    said_missing = sorted(found.person.id for found in missing)
    if remove_missing:
        changes += [_removal(course, found) for found in missing]
    return Plan(
        tuple(changes),
        tuple(sorted(errors, key=lambda error: error.line)),
        tuple(missing),
        hashlib.sha256(repr((said, said_missing)).encode()).hexdigest(),
    )


def _merge(entries: Sequence[Entry]) -> tuple[list[Entry], list[LineError]]:
    """One entry for each person: somebody in two sections may stand in two lines."""
    merged: dict[str, Entry] = {}
    errors = []
    for entry in entries:
        first = merged.setdefault(entry.user_id, entry)
        if first is entry:
            continue
        if replace(entry, line=first.line, sections=first.sections) != first:
            errors.append(
                LineError(
                    entry.line, f"the same user as in line {first.line}, with something else about them."
                )
            )
        else:
            sections = (first.sections or frozenset()) | (entry.sections or frozenset())
            merged[entry.user_id] = replace(first, sections=sections)
    return list(merged.values()), errors


class _Planner:
    """Knows whom the roster names, read in few queries however long it is."""

    def __init__(self, unit: UnitOfWork, actor: Actor, course: str, entries: Sequence[Entry]) -> None:
        ids = [entry.user_id for entry in entries if is_id(entry.user_id)]
        self._actor, self._course = actor, course
        self._known = unit.roster.people(ids)
        self._courses = unit.roster.courses_ever(self._known)
        self.members = {found.person.id: found for found in unit.roster.page(course, Wanted())[0]}
        self._owners = unit.roster.logins(_first_login(entry) for entry in entries)

    def plan(self, entry: Entry) -> Change | LineError | None:
        """What becomes of one; None where somebody who is not there should be removed."""
        member = self.members.get(entry.user_id)
        if entry.is_removed:
            return None if member is None else _removal(self._course, member)
        if wrong := _find_wrong(entry):
            return LineError(entry.line, wrong)
        known = self._known.get(entry.user_id)
        wanted = _describe(entry, known)
        note, is_foreign = "", known is not None and not self._may_rename(known)
        if is_foreign and member is None:  # a list of guessed ids must not tell who they are
            wanted, note = _describe(entry, None), "there is such an account: it keeps its name and login"
        elif known is not None and is_foreign and wanted != known:
            wanted, note = known, "name, login and e-mail stay: the account is not of this course alone"
        elif self._owners.setdefault(wanted.login, wanted.id) != wanted.id:
            return LineError(
                entry.line, f"the login {wanted.login!r} is another account's: give another one."
            )
        membership = self._enrol(entry, member)
        if entry.user_id == self._actor.id and member is not None and membership.role is not member.role:
            return LineError(entry.line, "that is you: your own role is for another instructor to change.")
        is_same = member is not None and (
            (membership.role, membership.sections) == (member.role, frozenset(member.sections))
        )
        is_renamed = known is not None and wanted != known and not is_foreign
        kind = Kind.NEW if member is None else Kind.CHANGED
        if is_same and not is_renamed:
            kind = Kind.UNCHANGED
        is_new_staff = membership.role is not (member.role if member else Role.STUDENT)
        before = None if member is None else _membership(self._course, member)
        return Change(kind, wanted, membership, before, known is None, is_renamed, is_new_staff, note)

    def _enrol(self, entry: Entry, member: Member | None) -> Membership:
        role = entry.role or (member.role if member else Role.STUDENT)
        sections = entry.sections
        if sections is None:
            sections = frozenset(member.sections) if member else frozenset()
        return Membership(self._course, role, sections)

    def _may_rename(self, known: Person) -> bool:
        if known.is_admin:
            return False
        return self._actor.is_admin or all(map(self._actor.manages, self._courses[known.id]))


def _removal(course: str, member: Member) -> Change:
    membership = _membership(course, member)
    return Change(Kind.REMOVED, member.person, membership, membership)


def _membership(course: str, member: Member) -> Membership:
    return Membership(course, member.role, frozenset(member.sections))


def _first_login(entry: Entry) -> str:
    return (entry.login or entry.email or entry.user_id).casefold()


def _describe(entry: Entry, known: Person | None) -> Person:
    if known is None:
        return Person(
            entry.user_id, _first_login(entry), clean(entry.name) or entry.user_id, clean(entry.email)
        )
    return replace(
        known,
        login=entry.login.casefold() or known.login,
        name=clean(entry.name) or known.name,
        email=clean(entry.email) or known.email,
    )


def _find_wrong(entry: Entry) -> str:
    if not is_id(entry.user_id):
        return f"the user id {entry.user_id[:40]!r} is none: {ID_RULE}."
    login = _first_login(entry)
    if not login.isprintable() or " " in login:
        return f"the login {login[:40]!r} is none: it has no spaces."
    if max(map(len, (entry.name, entry.email, login, *(entry.sections or ())))) > _MOST:
        return f"name, e-mail, login and sections have at most {_MOST} characters each."
    if not all(section.isprintable() for section in entry.sections or ()):
        return "a section's name holds what cannot be printed."
    return ""


def _apply(unit: UnitOfWork, plan: Plan, course: str, now: datetime) -> None:
    unit.roster.add([change.person for change in plan.changes if change.is_new_account], now)
    unit.roster.rename([change.person for change in plan.changes if change.is_renamed])
    joining = [c for c in plan.changes if c.kind in (Kind.NEW, Kind.CHANGED)]
    unit.roster.enrol([(change.person.id, change.membership) for change in joining], now)
    unit.roster.remove(course, [c.person.id for c in plan.changes if c.kind is Kind.REMOVED], now)
    # Who becomes staff is no longer anybody else's to let in: a link that was handed out before ends.
    unit.invitations.end_all([change.person.id for change in joining if change.is_new_staff])


def _told(change: Change, course: str, actor: Actor, now: datetime) -> NewAct:
    before = None if change.before is None else _part(change.before)
    if change.kind is Kind.REMOVED:
        return NewAct(now, actor.id, "people.remove", course, change.person.id, {"before": before})
    account = "new" if change.is_new_account else "renamed" if change.is_renamed else "as before"
    details = {**_part(change.membership), "before": before, "account": account}
    return NewAct(now, actor.id, "people.enrol", course, change.person.id, details)


def _part(membership: Membership) -> dict[str, Any]:
    return {"role": membership.role.value, "sections": sorted(membership.sections)}
