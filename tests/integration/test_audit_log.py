"""The audit log, to read and to take out."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest
from fastapi import FastAPI

from grader.domain.people import Actor, Membership, Role
from grader.services.audit_log import tell
from grader.services.intervene import cancel_submission, retry_failed
from grader.services.people.keys import create_key, revoke_key
from grader.services.people.roster import apply_roster
from grader.services.people.roster_file import Entry
from tests.integration.page_requests import add_person, signed_in
from tests.integration.parts import NOW, Parts


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


def test_what_leaves_is_as_much_as_is_said_to_leave(noted: Parts, app: FastAPI) -> None:
    ina = signed_in(app, "ina")
    for _ in range(2):
        rows = list(csv.reader(io.StringIO(ina.get("/courses/cs101/audit.csv").text, newline="")))
        assert f"took the audit log out: {len(rows) - 1} entries" in ina.get("/courses/cs101/audit").text


def _acts(parts: Parts, action: str) -> list[tuple[str, str, str, str]]:
    with parts.database.read() as unit:
        return [(act.actor, act.course, act.subject, tell(act)) for act in unit.audit.page(action=action)]


def test_a_roster_is_noted_person_by_person_with_what_they_were(parts: Parts) -> None:
    tess = Actor("tess", "Tess", {"cs101": Membership("cs101", Role.INSTRUCTOR)})
    for user in ("ada", "ben", "eva"):
        add_person(parts, user, Role.STUDENT, ("red",))
    roster = [
        Entry(2, "ada", role=Role.INSTRUCTOR, sections=frozenset({"blue"})),
        Entry(3, "ben", is_removed=True),
        Entry(4, "eva"),
        Entry(5, "new"),
    ]
    assert apply_roster(parts.database, tess, "cs101", roster, NOW)[1]
    assert sorted(_acts(parts, "people")) == [
        (
            "tess",
            "cs101",
            "ada",
            "instructor, sections: blue, before: role student, sections red, account: as before",
        ),
        ("tess", "cs101", "ben", "no longer takes part, before: role student, sections red"),
        ("tess", "cs101", "new", "student, sections: none, before: none, account: new"),
    ]


def test_keys_that_are_made_and_ended_are_noted(parts: Parts) -> None:
    key, secret = create_key(parts.database, "the LMS", scopes=["roster:write"], courses=None, now=NOW)
    revoke_key(parts.database, key.id, NOW)
    assert _acts(parts, "key") == [
        ("grader", "", key.id, "ended this API key"),
        (
            "grader",
            "",
            key.id,
            "made the API key the LMS with roster:write, for every course, until it is ended",
        ),
    ]
    assert secret not in repr(_acts(parts, "key"))


def test_work_that_is_ended_or_begun_anew_is_noted(parts: Parts) -> None:
    submission_id = str(parts.submit()["id"])
    cancel_submission(parts.database, parts.jobs, submission_id, "wrong file", NOW)
    retry_failed(parts.database, parts.jobs, NOW)
    assert _acts(parts, "submission")[:2] == [
        ("grader", "cs101", submission_id, "queued it again"),
        ("grader", "cs101", submission_id, "ended the work on it: wrong file"),
    ]
