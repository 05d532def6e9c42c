"""`grader user` and `grader course`: the first admin, links, accounts, courses."""

from __future__ import annotations

from datetime import UTC, datetime

from rich.table import Table

from grader.cli import render
from grader.cli.compose import open_database
from grader.cli.settings import Settings
from grader.domain.people import Person
from grader.errors import NotFound
from grader.services.people import administration
from grader.services.people.administration import OPERATOR
from grader.services.people.invitations import Invitation
from grader.storage import Database

_MOST_LISTED = 1_000


def add_admin(settings: Settings, login: str, name: str, email: str) -> None:
    """Make an admin, and print the link by which they choose their password."""
    _print_link(
        settings, administration.add_admin(open_database(settings), login, name, email, datetime.now(UTC))
    )


def tell_first_admin(database: Database) -> str:
    """What is to be done before anybody can sign in as an admin; "" where somebody can."""
    if administration.has_admin(database):
        return ""
    if invited := administration.invited_admins(database, datetime.now(UTC)):
        return (
            f"nobody is an admin yet: the link of {invited[0]} waits to be used; "
            f"`grader user invite {invited[0]}` prints a new one"
        )
    return "nobody is an admin yet: type `grader user add-admin LOGIN` to make the first"


def invite(settings: Settings, login: str) -> None:
    """Print a new link for an account; older ones end."""
    database = open_database(settings)
    person = _find(database, login)
    _print_link(settings, administration.invite_person(database, OPERATOR, person.id, datetime.now(UTC)))


def list_people(settings: Settings, text: str) -> None:
    """Print the accounts that contain a text."""
    people, count = administration.find_people(open_database(settings), OPERATOR, text, 0, _MOST_LISTED)
    table = Table("login", "user id", "name", "e-mail", "", box=None)
    for person in people:
        marks = ", ".join(
            mark for mark, holds in (("admin", person.is_admin), ("disabled", person.is_disabled)) if holds
        )
        table.add_row(*map(render.printable, (person.login, person.id, person.name, person.email)), marks)
    render.console().print(table)
    if count > len(people):
        print(f"and {count - len(people)} more: say a part of the name with --search.")


def set_disabled(settings: Settings, login: str, *, disabled: bool) -> None:
    """Shut an account, or open it again."""
    database = open_database(settings)
    person = _find(database, login)
    administration.set_disabled(database, OPERATOR, person.id, datetime.now(UTC), disabled=disabled)
    print(f"{person.login} is {'disabled: sessions and links have ended' if disabled else 'enabled'}.")


def add_course(settings: Settings, course: str, title: str) -> None:
    """Make a course."""
    administration.add_course(open_database(settings), OPERATOR, course, title or course, datetime.now(UTC))
    print(f"The course {course} is made.")


def list_courses(settings: Settings) -> None:
    """Print every course with the number of its people."""
    table = Table("id", "title", "people", box=None)
    for course, title, size in administration.list_courses(open_database(settings), OPERATOR):
        table.add_row(course, render.printable(title), str(size))
    render.console().print(table)


def _find(database: Database, login: str) -> Person:
    with database.read() as unit:
        person = unit.people.find_login(login)
    if person is None:
        raise NotFound(f"There is no account {login!r}; `grader user list` shows them.")
    return person


def _print_link(settings: Settings, link: Invitation) -> None:
    print(f"http://{settings.host}:{settings.port}{link.path}")
    print(
        f"By this link {link.person.login} chooses a password: once, within seven days. It is shown once. "
        "Where people reach the service by another address, put that before /invite."
    )
