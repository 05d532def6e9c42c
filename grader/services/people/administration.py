"""What admins do: let people in, shut them out, make admins, make courses."""

from __future__ import annotations

from datetime import datetime

from grader.domain.people import ID_RULE, Actor, Membership, Person, is_id
from grader.errors import NotFound, NotPermitted, RequestRefused
from grader.services.people.invitations import Invitation, invite
from grader.storage.unit_of_work import Clash, Database, UnitOfWork

# Who types commands on the machine itself may do everything.
OPERATOR = Actor("grader", "grader", is_admin=True)
_MOST = 255


def has_admin(database: Database) -> bool:
    """Whether anybody can sign in as an admin."""
    with database.read() as unit:
        return unit.people.other_admins("") > 0


def invited_admins(database: Database, now: datetime) -> list[str]:
    """The logins of admins whose link waits to be used."""
    with database.read() as unit:
        return unit.invitations.admins(now)


def add_admin(database: Database, login: str, name: str, email: str, now: datetime) -> Invitation:
    """Make an account, or the one that is there, an admin's, and a link to choose its password.

    Raises `RequestRefused` for a login that cannot be one.
    """
    login = login.strip().casefold()
    if not is_id(login):
        raise RequestRefused(f"the login {login[:80]!r} is none: {ID_RULE}.")
    with database.write() as unit:
        person = unit.people.find_login(login)
        if person is None:
            if unit.people.find(login) is not None:
                raise RequestRefused(f"{login!r} is the id of another account: choose another login.")
            person = Person(login, login, clean(name) or login, clean(email), is_admin=True)
            unit.people.add(person, now)
        else:
            unit.people.change(person.id, is_admin=True, disabled_at=None)
        (link,) = invite(unit, OPERATOR.id, [person], now)
        unit.audit.note(now, OPERATOR.id, "person.make_admin", subject=person.id)
        unit.commit()
    return link


def find_person(database: Database, actor: Actor, person_id: str) -> tuple[Person, dict[str, Membership]]:
    """An account and what it takes part in. Raises `NotPermitted` and `NotFound`."""
    _require_admin(actor)
    with database.read() as unit:
        return _find(unit, person_id), unit.people.memberships_of(person_id)


def find_people(
    database: Database, actor: Actor, text: str, start: int, limit: int
) -> tuple[list[Person], int]:
    """Accounts that contain a text, by name, and how many there are. Raises `NotPermitted`."""
    _require_admin(actor)
    with database.read() as unit:
        return unit.people.find_page(text, start, limit)


def invite_person(database: Database, actor: Actor, person_id: str, now: datetime) -> Invitation:
    """Make a link by which somebody chooses a password, also anew. Raises `NotPermitted`, `NotFound`."""
    _require_admin(actor)
    with database.write() as unit:
        person = _find(unit, person_id)
        if person.is_disabled:
            raise RequestRefused("The account is disabled: enable it first.")
        (link,) = invite(unit, actor.id, [person], now)
        unit.audit.note(now, actor.id, "people.invite", subject=person_id)
        unit.commit()
    return link


def set_disabled(database: Database, actor: Actor, person_id: str, now: datetime, *, disabled: bool) -> None:
    """Shut an account, ending its sessions and links, or open it again. Raises as the others do.

    The last admin who can sign in stays.
    """
    _require_admin(actor)
    with database.write() as unit:
        person = _find(unit, person_id)
        if disabled:
            keep_an_admin(unit, person)
            unit.sessions.end_all(person_id)
            unit.invitations.end_all([person_id])
        unit.people.change(person_id, disabled_at=now if disabled else None)
        action = "person.disable" if disabled else "person.enable"
        unit.audit.note(now, actor.id, action, subject=person_id)
        unit.commit()


def set_admin(database: Database, actor: Actor, person_id: str, now: datetime, *, admin: bool) -> None:
    """Make somebody an admin, or no longer one. The last who can sign in stays."""
    _require_admin(actor)
    with database.write() as unit:
        person = _find(unit, person_id)
        if admin:
            unit.invitations.end_all([person_id])  # an instructor may hold one
        else:
            keep_an_admin(unit, person)
        unit.people.change(person_id, is_admin=admin)
        action = "person.make_admin" if admin else "person.unmake_admin"
        unit.audit.note(now, actor.id, action, subject=person_id)
        unit.commit()


def list_courses(database: Database, actor: Actor) -> list[tuple[str, str, int]]:
    """Id, title and number of people of every course. Raises `NotPermitted`."""
    _require_admin(actor)
    with database.read() as unit:
        sizes = unit.people.course_sizes()
        return [(course, title, sizes.get(course, 0)) for course, title in unit.people.courses().items()]


def put_course(database: Database, actor: Actor, course: str, title: str, now: datetime) -> bool:
    """Make a course, or give it this title; True where it is new. An actor who manages its id may.

    Raises `NotPermitted`, and `RequestRefused` for an id or title that cannot be one.
    """
    if not actor.manages(course):
        raise NotPermitted("Only admins make courses.")
    if not is_id(course):
        raise RequestRefused(f"the course id {course[:80]!r} is none: {ID_RULE}.")
    title = clean(title)
    if not title or len(title) > _MOST:
        raise RequestRefused(f"a course needs a title of 1 to {_MOST} characters.")
    with database.write() as unit:
        is_new = not unit.people.change_course(course, title)
        if is_new:
            unit.people.add_course(course, title, now)
        action = "course.add" if is_new else "course.change"
        unit.audit.note(now, actor.id, action, course=course, subject=course)
        unit.commit()
    return is_new


def add_course(database: Database, actor: Actor, course: str, title: str, now: datetime) -> None:
    """Make a course. Raises `RequestRefused` where it is there, and as `put_course` does."""
    _require_admin(actor)
    there = f"The course {course!r} is there already."
    with database.read() as unit:
        if unit.people.courses([course]):
            raise RequestRefused(there)
    try:
        put_course(database, actor, course, title, now)
    except Clash:
        raise RequestRefused(there) from None


def change_course(database: Database, actor: Actor, course: str, title: str, now: datetime) -> None:
    """Change a course's title. Raises `NotFound`, and as `put_course` does."""
    _require_admin(actor)
    with database.read() as unit:
        if not unit.people.courses([course]):
            raise NotFound("There is no such course.")
    put_course(database, actor, course, title, now)


def clean(text: str) -> str:
    """One line of printable text, its spaces single."""
    return "".join(c for c in " ".join(text.split()) if c.isprintable())


def _require_admin(actor: Actor) -> None:
    if not actor.is_admin:
        raise NotPermitted("This is for admins.")


def _find(unit: UnitOfWork, person_id: str) -> Person:
    person = unit.people.find(person_id)
    if person is None:
        raise NotFound("There is no such account.")
    return person


def keep_an_admin(unit: UnitOfWork, person: Person) -> None:
    """Raise `RequestRefused` where nobody could let people in without this person."""
    if person.is_admin and not unit.people.other_admins(person.id):
        raise RequestRefused("This is the only admin who can sign in: make another one first.")
