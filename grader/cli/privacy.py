"""`grader person` and `grader retention`: what is stored about people, and its end."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import typer

from grader.cli import render
from grader.cli.compose import make_blobs, make_database
from grader.cli.settings import Settings
from grader.errors import RequestRefused
from grader.jobs import Jobs
from grader.services.migrate import migrate
from grader.services.privacy.erase import Eraser, Removed
from grader.services.privacy.person import SERVICE, erase_person, export_person, plan_erasure
from grader.services.privacy.retention import delete_overdue, list_overdue
from grader.services.privacy.sweep import sweep_blobs
from grader.storage import Database


def export_to_file(settings: Settings, person: str, target: Path) -> None:
    """Write everything that is stored about a person as a ZIP that others cannot read."""
    database, eraser = _parts(settings)
    del eraser
    unfinished = target.with_name(target.name + ".part")
    unfinished.unlink(missing_ok=True)
    unfinished.touch(mode=0o600)
    try:
        with unfinished.open("wb") as file:
            count = export_person(database, make_blobs(settings), SERVICE, person, file, datetime.now(UTC))
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)
    print(f"{target} has everything that is stored about {person}: {count} submissions.")


def erase(settings: Settings, person: str, reason: str, *, yes: bool) -> None:
    """Show what would go and ask, unless ``yes``; then delete it. Raises `NotFound`."""
    database, eraser = _parts(settings)
    plan = plan_erasure(database, eraser, SERVICE, person)
    print(f"{render.printable(plan.name)}: {len(plan.submissions)} submissions, {_told(plan.removed)}")
    if not yes and not typer.confirm("Delete all of this for good?"):
        raise RequestRefused("nothing was deleted.")
    removed = erase_person(database, eraser, SERVICE, person, reason, datetime.now(UTC))
    print(f"deleted: {_told(removed)}")


def apply_retention(settings: Settings, *, dry_run: bool) -> None:
    """Delete what courses keep no longer, or say what that would be."""
    database, eraser = _parts(settings)
    now = datetime.now(UTC)
    work = list_overdue if dry_run else delete_overdue
    overdue = work(database, eraser, SERVICE, now)
    for one in overdue:
        said = "would be deleted" if dry_run else "deleted"
        print(
            f"{one.course}: {len(one.submissions)} submissions of {len(one.people)} people {said}; "
            f"used last on {one.ended_at:%Y-%m-%d}, kept for {one.days} days; {_told(one.removed)}"
        )
        if dry_run:
            print("  " + ", ".join(map(render.printable, one.people)))
    if not overdue:
        print("No course has work that is older than it keeps it.")
    blobs, jobs = make_blobs(settings), Jobs(database.engine)
    swept = sweep_blobs(database, blobs, jobs, SERVICE, now, dry_run=dry_run)
    if swept:
        print(f"{swept} files that nothing names any more {'would be ' if dry_run else ''}deleted")


def _parts(settings: Settings) -> tuple[Database, Eraser]:
    engine, database = make_database(settings)
    migrate(engine)
    return database, Eraser(database, make_blobs(settings), Jobs(engine))


def _told(removed: Removed) -> str:
    rows = ", ".join(f"{count} {table}" for table, count in sorted(removed.rows.items()))
    return f"{removed.blobs} files, rows: {rows or 'none'}"
