"""`grader user` and `grader course`: who gets in, people and systems, and to what."""

from __future__ import annotations

from typing import Annotated

import typer

from grader.cli.settings import read_settings

user_app = typer.Typer(help="Let people and systems in.", no_args_is_help=True)
course_app = typer.Typer(help="Look after the courses.", no_args_is_help=True)

_Login = Annotated[str, typer.Argument(help="What they sign in as.")]


@user_app.command("create-key")
def create_key(
    name: Annotated[str, typer.Argument(help="Whom the key is for.")],
    course: Annotated[list[str] | None, typer.Option(help="A course it opens; may be repeated.")] = None,
    every_course: Annotated[bool, typer.Option("--every-course", help="It opens all courses.")] = False,
    scope: Annotated[
        list[str] | None, typer.Option(help="A scope; may be repeated. Default: submit and read.")
    ] = None,
    days: Annotated[int | None, typer.Option(min=1, max=36_500, help="Days until it expires.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print the key alone.")] = False,
) -> None:
    """Make an API key. It is shown once."""
    from grader.cli.keys import make_key

    make_key(read_settings(), name, course, every_course=every_course, scopes=scope, days=days, quiet=quiet)


@user_app.command("keys")
def list_keys() -> None:
    """List all API keys."""
    from grader.cli.keys import show_keys

    show_keys(read_settings())


@user_app.command("revoke-key")
def revoke_key(
    key: Annotated[str, typer.Argument(help="The key's id, as `grader user keys` shows it.")],
) -> None:
    """End an API key at once."""
    from grader.cli.keys import end_key

    end_key(read_settings(), key)


@user_app.command("add-admin")
def add_admin(
    login: _Login,
    name: Annotated[str, typer.Option(help="What they are called; default: the login.")] = "",
    email: Annotated[str, typer.Option(help="Their e-mail address.")] = "",
) -> None:
    """Make an admin, and print a link by which they choose their password. It is shown once."""
    from grader.cli import people

    people.add_admin(read_settings(), login, name, email)


@user_app.command("invite")
def invite(login: _Login) -> None:
    """Print a link by which somebody chooses their password, also anew. Older links end."""
    from grader.cli import people

    people.invite(read_settings(), login)


@user_app.command("list")
def list_people(
    search: Annotated[str, typer.Option(help="A part of login, user id, name or e-mail.")] = "",
) -> None:
    """List people's accounts."""
    from grader.cli import people

    people.list_people(read_settings(), search)


@user_app.command("disable")
def disable(login: _Login) -> None:
    """Shut an account: its sessions and links end at once. What they handed in stays."""
    from grader.cli import people

    people.set_disabled(read_settings(), login, disabled=True)


@user_app.command("enable")
def enable(login: _Login) -> None:
    """Open an account again that was shut."""
    from grader.cli import people

    people.set_disabled(read_settings(), login, disabled=False)


@course_app.command("add")
def add_course(
    course: Annotated[str, typer.Argument(help="The course's id, as the learning platform calls it.")],
    title: Annotated[str, typer.Option(help="What people read; default: the id.")] = "",
) -> None:
    """Make a course."""
    from grader.cli import people

    people.add_course(read_settings(), course, title)


@course_app.command("list")
def list_courses() -> None:
    """List all courses."""
    from grader.cli import people

    people.list_courses(read_settings())
