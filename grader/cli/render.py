"""Reports for people at a terminal. What is printed comes from notebooks, so none of it is read as markup."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

_MARKS = {"auto": ("", ""), "needs_review": ("waits for review", "yellow")}


def render_report(
    title: str, status: str, score: Mapping[str, float] | None, items: Sequence[Mapping[str, Any]]
) -> Panel:
    """One graded notebook: a line per item with its points, and why."""
    table = Table(box=box.SIMPLE_HEAD, expand=True, pad_edge=False)
    table.add_column("item", no_wrap=True, style="bold")
    table.add_column("points", justify="right", no_wrap=True)
    table.add_column("why", ratio=1)
    for item in items:
        label, style = _MARKS.get(item["state"], (item["state"], "red"))
        why = Text(printable(item["feedback"]))
        if label:
            why = Text.assemble((f"[{label}] ", style), why)
        table.add_row(item["key"], _points(item, label), why)
    body: list[RenderableType] = [table]
    waiting = [item for item in items if item["state"] == "needs_review"]
    if score is not None:
        body.append(_totals(score, items, waiting))
    return Panel(Group(*body), title=Text(printable(title), "bold"), subtitle=status, border_style="blue")


def _points(item: Mapping[str, Any], label: str) -> Text:
    given, maximum = item["points"], item["max_points"]
    proposal = item.get("evidence", {}).get("proposal")
    if label and proposal:
        corrected = proposal.get("corrected")
        points = proposal["points"] if corrected is None else corrected
        return Text(f"{points:.3g}? / {maximum:g}", "yellow")  # proposed, not given
    if label and not given:
        return Text(f"– / {maximum:g}", "yellow")  # undecided is no zero
    style = "yellow" if label else "green" if given == maximum else "red" if given == 0 else "default"
    return Text(f"{given:g} / {maximum:g}", style)


def _totals(
    score: Mapping[str, float], items: Sequence[Mapping[str, Any]], waiting: Sequence[Mapping[str, Any]]
) -> Text:
    decided = [item for item in items if item["state"] == "auto"]
    given, possible = (sum(item[field] for item in decided) for field in ("points", "max_points"))
    share = f"{100 * given / possible:.0f} %" if possible else "none"
    text = Text.assemble(
        ("Decided automatically: ", "bold"),
        f"{given:g} of {possible:g} points ({share}). "
        f"So far {score['given']:g} of all {score['maximum']:g}.\n",
        ("Waits for review: ", "bold"),
    )
    open_points = sum(item["max_points"] for item in waiting)
    text.append(
        f"{open_points:g} points in {', '.join(item['key'] for item in waiting)}." if waiting else "nothing."
    )
    return text


def printable(text: str) -> str:
    """The text without control characters: a notebook's words must not steer a terminal."""
    return "".join(c if c.isprintable() or c == "\n" else "�" for c in text)


def console(*, to_stderr: bool = False) -> Console:
    """A console that stays wide when its output is no terminal, so that reports can be read in logs."""
    made = Console(stderr=to_stderr, highlight=False)
    return (
        made if made.is_terminal else Console(stderr=to_stderr, highlight=False, width=max(made.width, 110))
    )


_HOLDS = {"yes": "green", "weaker": "yellow", "no": "red"}


def print_looks(looks: Sequence[Mapping[str, str]], verdict: str, console: Console) -> None:
    """What `grader doctor` saw, a line per thing; below it, fit to be copied, what to type."""
    table = Table(box=box.SIMPLE_HEAD, expand=True, pad_edge=False)
    table.add_column("looked at", no_wrap=True, style="bold")
    table.add_column("holds", no_wrap=True)
    table.add_column("found", ratio=1)
    for look in looks:
        table.add_row(
            look["name"], Text(look["holds"], _HOLDS[look["holds"]]), Text(printable(look["found"]))
        )
    title = Text("what this machine can do", "bold")
    console.print(Panel(table, title=title, subtitle=verdict, border_style="blue"))
    for look in looks:
        if look["line"]:
            mend = Text.assemble((f"{look['name']}: type  ", "bold"), printable(look["line"]))
            console.print(mend, soft_wrap=True)
