"""`grader user`: API keys for systems that post work and read results."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from rich.table import Table

from grader.cli import render
from grader.cli.compose import open_database
from grader.cli.settings import Settings
from grader.errors import RequestRefused
from grader.services.people.keys import USUAL_SCOPES, create_key, list_keys, revoke_key


def make_key(
    settings: Settings,
    name: str,
    courses: Sequence[str] | None,
    *,
    every_course: bool,
    scopes: Sequence[str] | None,
    days: int | None,
    quiet: bool,
) -> None:
    """Make a key and print it, once. Raises `RequestRefused` where it is not said which courses it opens."""
    if every_course == bool(courses):
        raise RequestRefused(
            "say which courses the key opens: --course ml2 (may be repeated) or --every-course."
        )
    now = datetime.now(UTC)
    key, secret = create_key(
        open_database(settings),
        name,
        scopes=scopes or USUAL_SCOPES,
        courses=None if every_course else courses,
        now=now,
        expires_at=now + timedelta(days=days) if days else None,
    )
    print(secret)
    if not quiet:
        print(
            f"This is shown once: keep it. It opens {', '.join(courses or ['every course'])} as {key.name}."
        )


def show_keys(settings: Settings) -> None:
    """Print every key, never its secret."""
    table = Table("id", "name", "courses", "scopes", "expires", "last used", "revoked", box=None)
    for key in list_keys(open_database(settings)):
        courses = "every course" if key.courses is None else ", ".join(sorted(key.courses))
        table.add_row(
            key.id,
            render.printable(key.name),
            courses,
            ", ".join(sorted(key.scopes)),
            *(_day(moment) for moment in (key.expires_at, key.last_used_at, key.revoked_at)),
        )
    render.console().print(table)


def end_key(settings: Settings, key_id: str) -> None:
    """Revoke a key."""
    revoke_key(open_database(settings), key_id, datetime.now(UTC))
    print(f"The key {key_id} is revoked.")


def _day(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d}" if moment else ""
