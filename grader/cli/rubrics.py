"""`grader regrade` and `grader rubric export`: what holds, also where it was changed in the service."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

from rich import box
from rich.console import Console
from rich.table import Table

from grader.assignments import Assignment
from grader.cli import render
from grader.cli.compose import make_catalog, open_database
from grader.cli.settings import Settings
from grader.errors import NotFound
from grader.services.regrade import Preview, preview, regrade
from grader.services.rubrics import Rubrics
from grader.storage import Database

_ACTOR = "command line"


def regrade_assignment(settings: Settings, assignment_id: str) -> int:
    """Judge every stored submission again; return the exit status, 3 where some could not be."""
    database, assignment = _open(settings, assignment_id)
    done = regrade(database, assignment, datetime.now(UTC), actor=_ACTOR)
    print(
        f"{len(done.changed)} grades changed, {len(done.confirmed)} confirmed, "
        f"{len(done.untouched)} untouched, {len(done.failed)} failed"
    )
    for submission, reason in done.failed:
        print(f"{submission}: {reason}", file=sys.stderr)
    return 3 if done.failed else 0


def preview_regrade(settings: Settings, assignment_id: str) -> int:
    """Print what that would do; nothing is written. The same exit status."""
    database, assignment = _open(settings, assignment_id)
    shown = preview(database, assignment)
    show_preview(shown, render.console())
    for submission, reason in shown.failed:
        print(f"{submission}: {reason}", file=sys.stderr)
    return 3 if shown.failed else 0


def print_rubric(settings: Settings, assignment_id: str) -> None:
    """Print the text of the rubric that holds. Raises `NotFound`."""
    database = open_database(settings)
    sys.stdout.write(Rubrics(database, make_catalog(settings, database)).export(assignment_id))


def show_preview(shown: Preview, console: Console) -> None:
    """Who gains and loses what, item by item and submission by submission."""
    all_of_them = shown.differences
    console.print(
        f"{shown.judged} submissions would be judged again, {shown.untouched} stay as they are: "
        f"{all_of_them.rises} rise, {all_of_them.falls} fall, {all_of_them.same} keep their points "
        f"(together {all_of_them.total:+g}, from {all_of_them.least:+g} to {all_of_them.most:+g}). "
        f"{shown.decided} marks of humans stand."
    )
    items = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("item", "rise", "fall", "together", "now wait", "wait no longer", "humans' marks"):
        items.add_column(name, justify="left" if name == "item" else "right")
    for item in shown.items:
        found = item.differences
        if found.rises or found.falls or item.waits_newly or item.waits_no_longer:
            counts = (item.waits_newly, item.waits_no_longer, item.decided)
            items.add_row(
                item.key, str(found.rises), str(found.falls), f"{found.total:+g}", *map(str, counts)
            )
    who = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("submission", "user", "course", "before", "after", "difference"):
        who.add_column(name, justify="right" if name in ("before", "after", "difference") else "left")
    for change in shown.changes:
        points = (change.before, change.maximum_before), (change.after, change.maximum_after)
        told = [f"{given:g} / {most:g}" for given, most in points]
        named = [render.printable(text) for text in (change.submission_id, change.user, change.course)]
        who.add_row(*named, *told, f"{change.difference:+g}")
    console.print(items)
    console.print(who)
    if shown.changed > len(shown.changes):
        console.print(f"and {shown.changed - len(shown.changes)} more")


def _open(settings: Settings, assignment_id: str) -> tuple[Database, Assignment]:
    database = open_database(settings)
    catalog = make_catalog(settings, database)
    if assignment_id not in catalog:
        raise NotFound(f"There is no assignment {assignment_id!r}. There are: {', '.join(catalog)}.")
    return database, catalog[assignment_id]
