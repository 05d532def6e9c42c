"""Courses and their members over REST."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient

from grader.domain.people import Role
from grader.services.people.keys import ROSTER
from tests.integration.page_requests import add_person
from tests.integration.parts import Parts
from tests.integration.web_requests import bearer, problem

COURSE = "/api/v1/courses/cs101"
LIS = "http://purl.imsglobal.org/vocab/lis/v2/membership"


def _put(client: TestClient, *members: dict[str, Any], **headers: str) -> httpx.Response:
    return client.put(f"{COURSE}/members", json={"members": members}, headers=headers)


def _roles(parts: Parts) -> dict[str, tuple[Role, tuple[str, ...], str]]:
    from grader.storage.people.roster import Wanted

    with parts.database.read() as unit:
        members, _ = unit.roster.page("cs101", Wanted())
    return {found.person.id: (found.role, found.sections, found.person.name) for found in members}


@pytest.fixture
def made(client: TestClient) -> TestClient:
    assert client.put(COURSE, json={"title": "Machine Learning"}).status_code == 201
    return client


def test_a_course_is_made_once_and_renamed_after(made: TestClient, parts: Parts) -> None:
    answer = made.put(COURSE, json={"title": "Deep Learning", "unknown": 1})
    assert (answer.status_code, answer.json()) == (200, {"id": "cs101", "title": "Deep Learning"})
    assert parts.count("course") == 1


def test_members_are_added_changed_and_ended_as_a_platform_names_them(made: TestClient, parts: Parts) -> None:
    answer = _put(
        made,
        {
            "user_id": "ada",
            "name": "Ada",
            "email": "a@example.org",
            "roles": [f"{LIS}#Learner"],
            "sections": ["A"],
        },
        {"user_id": "tom", "roles": [f"{LIS}#Instructor", f"{LIS}/Instructor#TeachingAssistant"]},
        {"user_id": "ines", "roles": ["Instructor"], "status": "Active"},
        {"user_id": "gone", "status": "Deleted"},
    )
    assert (answer.status_code, answer.json()) == (
        200,
        {"new": 3, "changed": 0, "unchanged": 0, "removed": 0},
    )
    assert _roles(parts) == {
        "ada": (Role.STUDENT, ("A",), "Ada"),
        "tom": (Role.TA, (), "tom"),
        "ines": (Role.INSTRUCTOR, (), "ines"),
    }
    again = _put(
        made,
        {"user_id": "ada"},
        {"user_id": "tom", "status": "Inactive"},
        {"user_id": "ines", "sections": ["B"]},
    )
    assert again.json() == {"new": 0, "changed": 1, "unchanged": 1, "removed": 1}
    assert _roles(parts) == {
        "ada": (Role.STUDENT, ("A",), "Ada"),
        "ines": (Role.INSTRUCTOR, ("B",), "ines"),
    }


def test_one_wrong_member_keeps_all_out_and_is_named(made: TestClient, parts: Parts) -> None:
    answer = _put(made, {"user_id": "ada"}, {"user_id": "no good"}, {"user_id": "ben"})
    assert "no good" in problem(answer, 422, "request-invalid")
    assert [error["field"] for error in answer.json()["errors"]] == ["members.1"]
    answer = _put(made, {"user_id": "ada", "roles": ["Mentor"]})
    assert answer.json()["errors"][0]["field"] == "members.0.roles"
    assert parts.count("member") == 0


@pytest.mark.parametrize(
    "body", [b"", b"[]", b'{"members": 3}', b'{"members": [{}]}', b"\xff", b"[" * 100_000]
)
def test_what_is_no_roster_is_the_callers_error(made: TestClient, body: bytes) -> None:
    problem(made.put(f"{COURSE}/members", content=body), 422, "request-invalid")


@pytest.mark.parametrize("body", [{}, {"title": ""}, {"title": "x" * 256}, {"title": "\u200b"}, []])
def test_a_course_needs_a_title(client: TestClient, body: Any) -> None:
    problem(client.put(COURSE, json=body), 422, "request-invalid")


def test_members_of_a_course_that_is_not_there_are_refused(client: TestClient) -> None:
    assert "make it first" in problem(_put(client, {"user_id": "ada"}), 404, "not-found")


def test_a_key_needs_the_scope_and_the_course(made: TestClient, parts: Parts) -> None:
    from grader.services.people.keys import READ, SUBMIT

    assert _put(made, Authorization=bearer(parts, (READ, SUBMIT))).status_code == 403
    assert _put(made, Authorization=bearer(parts, (ROSTER,), ("cs202",))).status_code == 403
    assert _put(made, Authorization=bearer(parts, (ROSTER,), None)).status_code == 200


def test_a_key_renames_nobody_who_is_elsewhere_too_and_no_admin(made: TestClient, parts: Parts) -> None:
    add_person(parts, "eva", Role.STUDENT, course="cs202")
    add_person(parts, "root", is_admin=True)
    every = bearer(parts, (ROSTER,), None)
    _put(made, {"user_id": "eva", "name": "Mallory"}, {"user_id": "root", "name": "Mallory"})
    assert {name for _, _, name in _roles(parts).values()} == {"Eva", "Root"}
    _put(made, {"user_id": "eva", "name": "Eve"}, {"user_id": "root", "name": "Mallory"}, Authorization=every)
    assert {name for _, _, name in _roles(parts).values()} == {"Eve", "Root"}


def test_ten_thousand_members_come_in_at_once(made: TestClient) -> None:
    members = [{"user_id": f"u{n}", "name": f"Person {n}", "sections": [f"S{n % 9}"]} for n in range(10_000)]
    assert _put(made, *members).json()["new"] == 10_000


def test_the_key_is_what_the_audit_log_names(made: TestClient, parts: Parts) -> None:
    _put(made, {"user_id": "ada"})
    with parts.database.read() as unit:
        entry = unit.audit.page(course="cs101")[0]
    assert entry.actor.startswith("key:")
    assert (entry.action, entry.subject) == ("people.enrol", "ada")
