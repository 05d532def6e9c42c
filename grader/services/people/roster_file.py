"""Read a roster as it comes: our own columns, or an export of Canvas or Moodle. Cells are data."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass

from grader.domain.people import Role

MOST_BYTES = 4 << 20
MOST_LINES = 20_000
_LONGEST_CELL = 100_000  # characters
# In order of trust. The first column in which every line says something tells people apart.
_ID_COLUMNS = (
    "user id",
    "userid",
    "sis user id",
    "id number",
    "student id",
    "id",
    "username",
    "sis login id",
)
_COLUMNS: dict[str, tuple[str, ...]] = {
    "login": ("login", "sis login id", "login id", "username"),
    "name": ("name", "full name", "student", "student name"),
    "first": ("first name", "given name"),
    "last": ("surname", "last name", "family name"),
    "email": ("email", "e mail", "email address", "e mail address"),
    "role": ("role", "roles"),
    "sections": ("sections", "section", "groups", "group"),
}
_ROLES = {
    "student": Role.STUDENT,
    "learner": Role.STUDENT,
    "ta": Role.TA,
    "assistant": Role.TA,
    "teaching assistant": Role.TA,
    "teachingassistant": Role.TA,
    "non-editing teacher": Role.TA,
    "instructor": Role.INSTRUCTOR,
    "teacher": Role.INSTRUCTOR,
}
_NOBODY = ("points possible", "student, test")  # lines of Canvas that are no people


@dataclass(frozen=True, slots=True)
class Entry:
    """One person as a roster has them. What it does not say stays as it is."""

    line: int
    user_id: str
    name: str = ""
    email: str = ""
    login: str = ""
    role: Role | None = None
    sections: frozenset[str] | None = None
    is_removed: bool = False


@dataclass(frozen=True, slots=True)
class LineError:
    """What is wrong with a line, and how to mend it. Line 0: the whole file."""

    line: int
    message: str


@dataclass(frozen=True, slots=True)
class RosterFile:
    """What a file says."""

    entries: tuple[Entry, ...]
    errors: tuple[LineError, ...]
    id_column: str = ""  # what people are told apart by, as the file calls it


def read_roster(data: bytes) -> RosterFile:
    """Read UTF-8, UTF-16 or Latin-1, separated by comma, semicolon or tab. Raises nothing."""
    if len(data) > MOST_BYTES:
        return _refuse(f"The file is larger than {MOST_BYTES >> 20} MiB.")
    text = _decode(data)
    try:
        rows = _read_rows(text)
    except csv.Error as error:
        return _refuse(f"The file is no CSV: {error}.")
    if len(rows) < 2:
        return _refuse("The file needs a line of column names, and a line for each person.")
    if len(rows) > MOST_LINES + 1:
        return _refuse(f"The file has more than {MOST_LINES} lines: split it.")
    names = [_normal(cell) for cell in rows[0][1]]
    table = _Table(names, rows[1:])
    id_column = table.find_ids()
    if id_column is None:
        return _refuse(
            "No column tells people apart. Name one user_id, or export with SIS User ID (Canvas) or "
            "ID number (Moodle)."
        )
    entries, errors = table.read(id_column)
    return RosterFile(tuple(entries), tuple(errors), rows[0][1][id_column].strip())


def read_role(text: str) -> Role | None:
    """The role that this word means; None for one that is unknown."""
    return _ROLES.get(" ".join(text.casefold().split()))


class _Table:
    def __init__(self, names: Sequence[str], rows: Sequence[tuple[int, list[str]]]) -> None:
        self._names = names
        self._rows = [(line, cells) for line, cells in rows if not self._is_nobody(cells)]

    def find_ids(self) -> int | None:
        found = [self._names.index(name) for name in _ID_COLUMNS if name in self._names]
        full = [column for column in found if all(_cell(cells, column) for _, cells in self._rows)]
        if found and self._names[found[0]] in _ID_COLUMNS[:2]:
            return found[0]  # said to be the id: where it is empty, that is an error
        return next(iter(full or found), None)

    def read(self, id_column: int) -> tuple[list[Entry], list[LineError]]:
        entries, errors = [], []
        for line, cells in self._rows:
            user_id = _cell(cells, id_column)
            role = self._get(cells, "role")
            if not user_id:
                errors.append(LineError(line, f"nothing stands in the column {self._names[id_column]!r}."))
            elif role and read_role(role) is None:
                errors.append(LineError(line, f"the role {role[:40]!r} is none: student, ta or instructor."))
            else:
                sections = self._get(cells, "sections") if self._column("sections") is not None else None
                entries.append(
                    Entry(
                        line,
                        user_id,
                        self._read_name(cells),
                        self._get(cells, "email"),
                        self._get(cells, "login"),
                        read_role(role),
                        None if sections is None else _split(sections),
                    )
                )
        return entries, errors

    def _read_name(self, cells: list[str]) -> str:
        name = self._get(cells, "name") or f"{self._get(cells, 'first')} {self._get(cells, 'last')}".strip()
        column = self._column("name")
        if column is not None and self._names[column] == "student" and name.count(",") == 1:
            last, first = name.split(",")  # as Canvas sorts them
            name = f"{first.strip()} {last.strip()}".strip()
        return name

    def _is_nobody(self, cells: list[str]) -> bool:
        column = self._column("name")
        return column is not None and _cell(cells, column).casefold() in _NOBODY

    def _column(self, what: str) -> int | None:
        return next((self._names.index(name) for name in _COLUMNS[what] if name in self._names), None)

    def _get(self, cells: list[str], what: str) -> str:
        column = self._column(what)
        return "" if column is None else _cell(cells, column)


def _cell(cells: list[str], column: int) -> str:
    return " ".join(cells[column].split()) if column < len(cells) else ""


def _split(sections: str) -> frozenset[str]:
    return frozenset(part.strip() for part in sections.split(";") if part.strip())


def _normal(cell: str) -> str:
    return " ".join(re.sub(r"[_\W]+", " ", cell).casefold().split())


def _read_rows(text: str) -> list[tuple[int, list[str]]]:
    """Lines that say something, with their numbers."""
    head = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=head.count)
    csv.field_size_limit(_LONGEST_CELL)  # of the whole process: others set their own
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    rows, line = [], 1
    for cells in reader:
        if any(cell.strip() for cell in cells):
            rows.append((line, cells))
        line = reader.line_num + 1
        if len(rows) > MOST_LINES + 1:
            break
    return rows


def _decode(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    if b"\0" in data[:200]:  # no text but UTF-16 has these
        return data.decode("utf-16-be" if data[:1] == b"\0" else "utf-16-le", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def _refuse(message: str) -> RosterFile:
    return RosterFile((), (LineError(0, message),))
