"""Lines of the gradebook as the files that Canvas, Moodle and people read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Protocol

from grader.domain.gradebook import GradebookRow, RowState, Tally
from grader.services.csv_file import guard, write_line

_PROVISIONAL = (RowState.WAITING, RowState.FINAL)
_CANVAS = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section")
_MOODLE = ("ID number", "Username", "Email address", "Full name")
_GENERIC = (
    "user_id",
    "login",
    "name",
    "email",
    "sections",
    "state",
    "attempt",
    "submitted_at",
    "late_days",
    "excused",
    "extension",
    "given",
    "final",
    "maximum",
)


class Format(StrEnum):
    """Whose file it is."""

    CANVAS = "canvas"
    MOODLE = "moodle"
    GENERIC = "generic"


@dataclass(frozen=True, slots=True)
class Sheet:
    """What all lines of one file have in common."""

    format: Format
    maximum: float  # that the rubric gives now
    column: str = ""  # the heading of the grades
    items: Sequence[str] = ()  # the rubric's, in its order
    provisional: bool = False  # with grades that wait for a human or are not published


class Placed(Protocol):
    """A line of the gradebook, or many alike: what it takes to know whether they are in a file."""

    @property
    def state(self) -> RowState:
        """Where the grade stands."""

    @property
    def is_excused(self) -> bool:
        """Whether the student need not do the assignment."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What a file tells, in students."""

    told: int  # whose points are in it, or `EX` for them
    left_out: int  # whose points are not published or wait for a human
    excused: int
    outdated: int  # whose points are in it, out of another maximum than the file's


def write_sheet(sheet: Sheet, rows: Iterable[GradebookRow]) -> Iterator[str]:
    """The file, a line at a time.

    Canvas and Moodle get the students with a grade alone: a blank cell would erase what stands there.
    The generic file has a line for everybody, and begins with the mark by which spreadsheets know UTF-8.
    """
    if sheet.format is Format.CANVAS:
        yield write_line([*_CANVAS, guard(sheet.column)])
        yield write_line(["    Points Possible", *[""] * (len(_CANVAS) - 1), number(sheet.maximum)])
        yield from (write_line(_canvas(row)) for row in rows if row.is_excused or tells_points(sheet, row))
    elif sheet.format is Format.MOODLE:
        yield write_line([*_MOODLE, guard(sheet.column)])
        yield from (write_line(_moodle(row)) for row in rows if tells_points(sheet, row))
    else:
        yield "\ufeff" + write_line([*_GENERIC, *map(guard, sheet.items)])
        yield from (write_line(_generic(row, sheet)) for row in rows)


def tells_points(sheet: Sheet, row: Placed) -> bool:
    """Whether the file says this student's points. An LMS gets none of those who are excused."""
    if row.is_excused and sheet.format is not Format.GENERIC:
        return False
    return row.state is RowState.PUBLISHED or (sheet.provisional and row.state in _PROVISIONAL)


def count_contents(sheet: Sheet, tallies: Iterable[Tally]) -> Contents:
    """What a file of these lines tells."""
    told = left_out = excused = outdated = 0
    for lines in tallies:
        excused += lines.students if lines.is_excused else 0
        if tells_points(sheet, lines):
            told += lines.students
            outdated += lines.students if number(lines.maximum) != number(sheet.maximum) else 0
        elif lines.state in _PROVISIONAL and tells_points(replace(sheet, provisional=True), lines):
            left_out += lines.students
        elif lines.is_excused and sheet.format is Format.CANVAS:
            told += lines.students
    return Contents(told, left_out, excused, outdated)


def number(value: float | None) -> str:
    """A number with a decimal point and nothing between thousands; "" for none."""
    if value is None:
        return ""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _canvas(row: GradebookRow) -> list[str]:
    points = "EX" if row.is_excused else number(row.final)
    # Canvas finds the student by the second id; its own is not ours to know.
    who = [row.name or row.user, "", row.user, row.login, ", ".join(row.sections)]
    return [*map(guard, who), points]


def _moodle(row: GradebookRow) -> list[str]:
    return [*map(guard, (row.user, row.login, row.email, row.name)), number(row.final)]


def _generic(row: GradebookRow, sheet: Sheet) -> list[str]:
    told = tells_points(sheet, row)
    items = [row.items.get(key) if told else None for key in sheet.items]
    return [
        *map(guard, (row.user, row.login, row.name, row.email, "; ".join(row.sections))),
        row.state.value,
        str(row.attempt or ""),
        _time(row.submitted_at),
        str(row.late_days) if row.attempt else "",
        "yes" if row.is_excused else "",
        _time(row.extended_to),
        *(number(value if told else None) for value in (row.given, row.final, row.maximum)),
        *(number(item.points if item else None) for item in items),
    ]


def _time(moment: datetime | None) -> str:
    return "" if moment is None else f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
