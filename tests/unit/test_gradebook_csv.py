"""Gradebook files, byte for byte: what Canvas, Moodle and spreadsheets read."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from grader.domain.gradebook import GradebookRow, ItemPoints, RowState
from grader.services.csv_file import guard
from grader.services.gradebook.csv_files import Format, Sheet, number, write_sheet

SENT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def _row(user: str, name: str, state: RowState = RowState.PUBLISHED, **more: object) -> GradebookRow:
    row = GradebookRow(
        user=user,
        name=name,
        login=f"{user}@example.org",
        email=f"{user}@example.org",
        state=state,
        newest_state="graded",
        submission_id="a" * 32,
        attempt=2,
        attempts=2,
        submitted_at=SENT,
        given=8.0,
        final=7.2,
        maximum=8.0,
        waiting=0,
        late_days=1,
        is_excused=False,
        extended_to=None,
        is_overridden=False,
        sections=("Monday", "Evening, late"),
        items={"q1": ItemPoints(3.5, 4.0, "auto"), "q2": ItemPoints(4.5, 5.0, "reviewed")},
    )
    return replace(row, **more)  # type: ignore[arg-type]


ROWS = [
    _row("ada", "Ada Lovelace"),
    _row("ben", '=HYPERLINK("http://x")', given=1200.0, final=1200.0, maximum=2000.0),
    _row("@cleo", "Müller, Cleo", sections=()),
    _row("dan", "Dan\nBrown", RowState.WAITING),
    _row("eva", "Eva", RowState.FINAL),
    _row(
        "finn", "", RowState.NOT_SUBMITTED, login="", email="", submission_id="", attempt=0, attempts=0,
        submitted_at=None, given=None, final=None, maximum=None, late_days=0, items={}, sections=(),
    ),
    _row("gül", "-Gül", is_excused=True, extended_to=SENT),
]  # fmt: skip


def _write(form: Format, *, provisional: bool = False) -> bytes:
    sheet = Sheet(form, 2000.0, "Homework 5 (4711)", ["q1", "q2"], provisional)
    return "".join(write_sheet(sheet, ROWS)).encode()


def test_canvas_gets_two_header_rows_excuses_and_no_grade_that_is_not_published() -> None:
    assert (
        _write(Format.CANVAS)
        == (
            "Student,ID,SIS User ID,SIS Login ID,Section,Homework 5 (4711)\r\n"
            "    Points Possible,,,,,2000\r\n"
            'Ada Lovelace,,ada,ada@example.org,"Monday, Evening, late",7.2\r\n'
            '"\'=HYPERLINK(""http://x"")",,ben,ben@example.org,"Monday, Evening, late",1200\r\n'
            "\"Müller, Cleo\",,'@cleo,'@cleo@example.org,,7.2\r\n"
            '\'-Gül,,gül,gül@example.org,"Monday, Evening, late",EX\r\n'
        ).encode()
    )


def test_moodle_gets_the_students_with_a_grade_alone_for_a_blank_cell_erases() -> None:
    assert (
        _write(Format.MOODLE)
        == (
            "ID number,Username,Email address,Full name,Homework 5 (4711)\r\n"
            "ada,ada@example.org,ada@example.org,Ada Lovelace,7.2\r\n"
            'ben,ben@example.org,ben@example.org,"\'=HYPERLINK(""http://x"")",1200\r\n'
            "'@cleo,'@cleo@example.org,'@cleo@example.org,\"Müller, Cleo\",7.2\r\n"
        ).encode()
    )


def test_the_generic_file_has_everybody_and_the_mark_of_utf_8() -> None:
    assert (
        _write(Format.GENERIC)
        == (
            "\ufeffuser_id,login,name,email,sections,state,attempt,submitted_at,late_days,excused,extension,"
            "given,final,maximum,q1,q2\r\n"
            'ada,ada@example.org,Ada Lovelace,ada@example.org,"Monday; Evening, late",published,2,'
            "2026-03-01T12:00:00Z,1,,,8,7.2,8,3.5,4.5\r\n"
            'ben,ben@example.org,"\'=HYPERLINK(""http://x"")",ben@example.org,"Monday; Evening, late",'
            "published,2,2026-03-01T12:00:00Z,1,,,1200,1200,2000,3.5,4.5\r\n"
            "'@cleo,'@cleo@example.org,\"Müller, Cleo\",'@cleo@example.org,,published,2,"
            "2026-03-01T12:00:00Z,1,,,8,7.2,8,3.5,4.5\r\n"
            'dan,dan@example.org,"Dan\nBrown",dan@example.org,"Monday; Evening, late",waiting,2,'
            "2026-03-01T12:00:00Z,1,,,,,,,\r\n"
            'eva,eva@example.org,Eva,eva@example.org,"Monday; Evening, late",final,2,'
            "2026-03-01T12:00:00Z,1,,,,,,,\r\n"
            "finn,,,,,not_submitted,,,,,,,,,,\r\n"
            'gül,gül@example.org,\'-Gül,gül@example.org,"Monday; Evening, late",published,2,'
            "2026-03-01T12:00:00Z,1,yes,2026-03-01T12:00:00Z,8,7.2,8,3.5,4.5\r\n"
        ).encode()
    )


@pytest.mark.parametrize(("form", "more"), [(Format.CANVAS, 2), (Format.MOODLE, 2), (Format.GENERIC, 0)])
def test_provisional_grades_come_when_they_are_asked_for(form: Format, more: int) -> None:
    plain, provisional = _parse(_write(form)), _parse(_write(form, provisional=True))
    assert len(provisional) == len(plain) + more
    assert "Dan\nBrown" in {cell for row in provisional for cell in row}
    assert sum("7.2" in row for row in provisional) == sum("7.2" in row for row in plain) + 2


def _parse(data: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "＝1"])
def test_no_cell_begins_as_a_formula(text: str) -> None:
    assert guard(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "Ada", "a=b", "    Points Possible"])
def test_other_cells_stay_as_they_are(text: str) -> None:
    assert guard(text) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, ""), (0.0, "0"), (-0.0, "0"), (7.5, "7.5"), (12345.678, "12345.68"), (100.0, "100")],
)
def test_numbers_have_a_point_and_nothing_between_thousands(value: float | None, text: str) -> None:
    assert number(value) == text
