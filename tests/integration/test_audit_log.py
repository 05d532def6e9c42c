"""The audit log, to read and to take out."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest
from fastapi import FastAPI

from grader.domain.people import Role
from tests.integration.page_requests import add_person, signed_in
from tests.integration.parts import Parts


@pytest.fixture
def noted(parts: Parts) -> Parts:
    add_person(parts, "ina", Role.INSTRUCTOR)
    with parts.database.write() as unit:
        for number in range(250):
            at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=number)
            unit.audit.note(
                at, "ina", "thing.change", course="cs101", subject=f"thing-{number}", number=number
            )
        unit.audit.note(at, "key:abc", "roster.put", course="cs101", added=3, removed=None)
        unit.audit.note(at, "ina", "thing.change", course="other", subject="secret")
        unit.commit()
    return parts


def test_it_is_read_page_by_page_newest_first(noted: Parts, app: FastAPI) -> None:
    ina = signed_in(app, "ina")
    page = ina.get("/courses/cs101/audit").text
    assert "added: 3, removed: none" in page
    assert "thing-249" in page
    assert "thing-100" not in page
    assert "secret" not in page
    following = page.split('rel="next"')[0].rsplit('href="', 1)[1].split('"')[0].replace("&amp;", "&")
    assert "thing-100" in ina.get(following).text


@pytest.mark.parametrize(
    ("query", "found", "missing"),
    [
        ("actor=key:abc", "roster.put", "thing-249"),
        ("actor=INA", "thing-249", "key:abc"),
        ("action=roster.put", "key:abc", "thing-249"),
        ("action=thing", "thing-249", "key:abc"),
        ("subject=thing-7", "thing-7", "thing-249"),
        ("since=2026-01-02&until=2026-01-02", "thing-47", "thing-48"),
        ("since=2026-01-02&until=2026-01-02", "thing-24", "thing-23"),
    ],
)
def test_it_is_filtered(noted: Parts, app: FastAPI, query: str, found: str, missing: str) -> None:
    page = signed_in(app, "ina").get(f"/courses/cs101/audit?{query}").text
    table = page.split("<tbody>")[1]
    assert f"{found}<" in table
    assert f"{missing}<" not in table


def test_it_leaves_as_a_file_and_that_is_noted(noted: Parts, app: FastAPI) -> None:
    ina = signed_in(app, "ina")
    rows = list(csv.reader(io.StringIO(ina.get("/courses/cs101/audit.csv?action=thing").text, newline="")))
    assert len(rows) == 251
    assert rows[1][:6] == ["2026-01-11T09:00:00Z", "ina", "Ina", "cs101", "thing.change", "thing-249"]
    assert "took the audit log out: 250 entries" in ina.get("/courses/cs101/audit").text


def test_it_is_for_instructors_and_all_of_it_for_admins(noted: Parts, app: FastAPI) -> None:
    add_person(noted, "ada", Role.STUDENT)
    add_person(noted, "tom", Role.TA, ("red",))
    add_person(noted, "root", is_admin=True)
    for who in ("ada", "tom"):
        for path in ("/courses/cs101/audit", "/courses/cs101/audit.csv", "/admin/audit", "/admin/audit.csv"):
            assert signed_in(app, who).get(path).status_code == 403
    ina = signed_in(app, "ina")
    assert ina.get("/courses/other/audit").status_code == 404
    assert ina.get("/admin/audit.csv").status_code == 403
    root = signed_in(app, "root")
    assert "secret" in root.get("/admin/audit").text
    assert "secret" in root.get("/admin/audit.csv").text
