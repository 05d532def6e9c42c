"""The results of the attacks as a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from tests.attacks.runner import Result


def print_table(results: Sequence[Result]) -> None:
    """Print one line per case, what did not hold in full, and a line of sums."""
    console = Console() if Console().is_terminal else Console(width=150)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("family", "case", "verdict", "holds"):
        table.add_column(name, overflow="fold")
    for name in ("seconds", "parent MB"):
        table.add_column(name, justify="right", no_wrap=True)
    for result in results:
        seconds, memory = (f"{result.seconds:.1f}", f"{result.parent_mb:.0f}") if result.verdict else ("", "")
        table.add_row(result.family, result.name, result.verdict, _holds(result), seconds, memory)
    console.print(table)
    for result in results:
        for problem in result.problems:
            console.print(Text(f"{result.family}: {result.name}: {problem}", style="red"))
    tried = [result for result in results if result.verdict]
    broken = sum(bool(result.problems) for result in results)
    console.print(
        f"{len(results)} cases, {len(tried)} tried, {broken} did not hold, "
        f"{sum(result.seconds for result in tried):.0f} s, "
        f"parent at most {max((result.parent_mb for result in tried), default=0):.0f} MB"
    )


def _holds(result: Result) -> Text:
    if result.problems:
        return Text("NO", style="bold red")
    if not result.verdict:
        return Text(f"not tried ({result.note})", style="yellow")
    return Text("yes, testimony" if result.note == "testimony" else "yes", style="green")
