"""Rosters as platforms and spreadsheets write them."""

from __future__ import annotations

import pytest

from grader.domain.people import Role
from grader.services.people.roster_file import MOST_BYTES, MOST_LINES, Entry, read_roster

OURS = "user_id,name,email,login,role,sections\nu1,Zoë Ä,z@example.org,zoe,ta,A; B\n"
ENTRY = Entry(2, "u1", "Zoë Ä", "z@example.org", "zoe", Role.TA, frozenset({"A", "B"}))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "latin-1"])
def test_encodings_are_told_apart(encoding: str) -> None:
    assert read_roster(OURS.encode(encoding)).entries == (ENTRY,)


@pytest.mark.parametrize("text", [OURS.replace(",", "\t"), OURS.replace("\n", "\r\n")])
def test_tabs_and_other_line_ends_are_read_too(text: str) -> None:
    assert read_roster(text.encode()).entries == (ENTRY,)


def test_semicolons_separate_columns_and_sections_where_the_cell_is_quoted() -> None:
    text = 'user_id;name;sections\nu1;"Doe; Jane";"A;B"\n'
    assert read_roster(text.encode()).entries == (
        Entry(2, "u1", "Doe; Jane", sections=frozenset({"A", "B"})),
    )


def test_canvas_gradebook_exports_are_read_without_their_lines_that_are_nobody() -> None:
    text = (
        "Student,ID,SIS User ID,SIS Login ID,Section,Homework 5 (4711)\n"
        "    Points Possible,,,,,100\n"
        '"Lovelace, Ada",17,s17,ada1,Group 1,\n'
        '"Student, Test",99,,,Group 1,\n'
    )
    file = read_roster(text.encode())
    assert file.id_column == "SIS User ID"
    assert file.entries == (Entry(3, "s17", "Ada Lovelace", login="ada1", sections=frozenset({"Group 1"})),)


def test_where_canvas_knows_no_sis_id_of_somebody_its_own_id_tells_people_apart() -> None:
    text = "Student,ID,SIS User ID,SIS Login ID,Section\nA B,17,,ada1,X\nC D,18,s18,ben1,X\n"
    file = read_roster(text.encode())
    assert (file.id_column, [entry.user_id for entry in file.entries]) == ("ID", ["17", "18"])


def test_moodle_exports_are_read() -> None:
    text = "Username,ID number,First name,Surname,Email address\nada1,,Ada,Lovelace,a@example.org\n"
    assert read_roster(text.encode()).entries == (Entry(2, "ada1", "Ada Lovelace", "a@example.org", "ada1"),)


def test_a_file_without_sections_says_nothing_about_them_and_an_empty_cell_says_none() -> None:
    assert read_roster(b"user_id\nu1\n").entries[0].sections is None
    assert read_roster(b"user_id,sections\nu1,\n").entries[0].sections == frozenset()


def test_what_looks_like_a_formula_is_a_name() -> None:
    assert read_roster(b'user_id,name\nu1,"=HYPERLINK(""x"")"\n').entries[0].name == '=HYPERLINK("x")'


def test_each_error_names_its_line_also_after_a_cell_of_several_lines() -> None:
    text = 'user_id,name,role\nu1,"two\nlines",student\n\nu2,x,king\n,y,ta\n'
    file = read_roster(text.encode())
    assert [entry.name for entry in file.entries] == ["two lines"]
    assert [(error.line, error.message.split(" ")[1]) for error in file.errors] == [
        (5, "role"),
        (6, "stands"),
    ]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0",
        b"\xff\xfe",
        b"user_id\n",
        b"name,email\nx,y\n",
        b"user_id\n" + b"u\n" * (MOST_LINES + 1),
        b"x" * (MOST_BYTES + 1),
        b'user_id\n"' + b"x" * 200_000,
    ],
)
def test_what_is_no_roster_is_refused_in_words(data: bytes) -> None:
    file = read_roster(data)
    assert file.entries == ()
    assert len(file.errors) == 1
    assert file.errors[0].line == 0
