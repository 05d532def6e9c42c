"""Gradebooks and results over REST."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from grader.domain.offering import Accommodation, Offering, Release
from grader.domain.people import Actor, Membership, Role
from grader.services.gradebook.overriding import override_item
from grader.services.people.keys import GRADEBOOK, READ, SUBMIT
from grader.services.review import Decision, Desk
from grader.storage.tables.people import member, person
from grader.web.schemas import ResultsShape
from tests.integration.graded import grade, graded, hand_in
from tests.integration.page_requests import add_person
from tests.integration.parts import NOW, Parts
from tests.integration.web_requests import bearer, problem

SENT = datetime.now(UTC) - timedelta(days=10)
FILE = "/api/v1/courses/cs101/gradebook.csv?assignment=hw"
RESULTS = "/api/v1/courses/cs101/assignments/hw/results"


def test_a_gradebook_leaves_as_a_file_and_that_is_noted(parts: Parts, client: TestClient) -> None:
    add_person(parts, "ada", Role.STUDENT, ("red",))
    graded(parts, "ada", 6.0, sent=SENT)
    answer = client.get(f"{FILE}&format=canvas&section=red")
    assert answer.content == (
        b"Student,ID,SIS User ID,SIS Login ID,Section,A homework\r\n"
        b"    Points Possible,,,,,8\r\n"
        b"Ada,,ada,ada,red,6\r\n"
    )
    assert (answer.headers["grader-students"], answer.headers["grader-left-out"]) == ("1", "0")
    assert client.get(f"{FILE}&section=blue").text.count("\r\n") == 1
    with parts.database.read() as unit:
        entry = unit.audit.page(action="gradebook.export")[1]
    assert entry.actor.startswith("key:")
    assert entry.details == {
        "format": "canvas", "students": 1, "left_out": 0, "provisional": False, "section": "red",
    }  # fmt: skip


def test_gradebooks_need_a_scope_and_the_course(parts: Parts, client: TestClient) -> None:
    for scopes, courses in (((READ, SUBMIT), ("cs101",)), ((GRADEBOOK,), ("other",))):
        client.headers["Authorization"] = bearer(parts, scopes, courses)
        problem(client.get(FILE), 403, "not-permitted")
        problem(client.get(RESULTS), 403, "not-permitted") if courses == ("other",) else None
    client.headers["Authorization"] = bearer(parts)
    problem(client.get("/api/v1/courses/cs101/gradebook.csv?assignment=none"), 404, "not-found")
    problem(client.get(f"{FILE}&format=excel"), 422, "request-invalid")


def test_ten_thousand_students_leave_as_one_file(parts: Parts, client: TestClient) -> None:
    add_person(parts, "ada", Role.STUDENT)
    ids = [f"student-{number:05d}" for number in range(10_000)]
    with parts.engine.begin() as connection:
        connection.execute(
            sa.insert(person),
            [
                {"id": one, "login": one, "name": one, "email": "", "is_admin": False, "created_at": NOW}
                for one in ids
            ],
        )
        connection.execute(
            sa.insert(member),
            [{"course": "cs101", "person_id": one, "role": "student", "joined_at": NOW} for one in ids],
        )
    lines = client.get(FILE).text.split("\r\n")
    assert len(lines) == 1 + 10_001 + 1
    assert lines[1].startswith("ada,")
    assert [line.split(",")[0] for line in lines[2:-1]] == ids


def test_results_come_page_by_page_oldest_change_first(parts: Parts, client: TestClient) -> None:
    ids = [
        graded(parts, user, float(points), sent=SENT) for points, user in enumerate(("ada", "ben", "cleo"))
    ]
    hand_in(parts, "dan", SENT)
    seen, where = [], f"{RESULTS}?limit=1"
    for _ in range(3):
        answer = client.get(where)
        page = ResultsShape.model_validate(answer.json())
        seen += [one.id for one in page.results]
        link = answer.headers.get("link", "")
        where = link.split(">")[0].lstrip("<")
    assert seen == ids
    assert link == ""
    (ben,) = client.get(f"{RESULTS}?userId=ben").json()["results"]
    assert (ben["scoreGiven"], ben["gradingProgress"], ben["excused"]) == (1.0, "FullyGraded", False)


def test_since_leaves_what_has_changed_after(parts: Parts, client: TestClient) -> None:
    graded(parts, "ada", sent=SENT)
    last = client.get(RESULTS).json()["results"][0]["timestamp"]
    later = (datetime.fromisoformat(last) + timedelta(milliseconds=1)).isoformat().replace("+00:00", "Z")
    assert client.get(RESULTS, params={"since": later}).json() == {"results": []}
    ben = graded(parts, "ben", sent=SENT)
    assert [one["id"] for one in client.get(RESULTS, params={"since": later}).json()["results"]] == [ben]
    problem(client.get(RESULTS, params={"since": "2026-03-01T12:00:00"}), 422, "request-invalid")


def test_since_leaves_an_attempt_that_counts_since_another_one_is_worth_less(
    parts: Parts, client: TestClient
) -> None:
    add_person(parts, "ina", Role.INSTRUCTOR)
    ina = Actor("ina", "Ina", {"cs101": Membership("cs101", Role.INSTRUCTOR)})
    graded(parts, "ben", sent=SENT)
    first = graded(parts, "ada", 6.0, sent=SENT, code="print(1)")
    second = graded(parts, "ada", 8.0, sent=SENT, code="print(2)")
    polled = datetime.now(UTC)
    assert [one["id"] for one in client.get(RESULTS).json()["results"]][1:] == [second]
    decision = Decision(1.0, reason="copied")
    override_item(Desk(parts.database, parts.assignments), ina, second, "ex1.runs", decision, 0)
    changed = client.get(RESULTS, params={"since": polled.isoformat()}).json()["results"]
    assert [(one["id"], one["scoreGiven"]) for one in changed] == [(first, 6.0)]
    polled = datetime.now(UTC)
    grade(parts, second, 0.0)
    changed = client.get(RESULTS, params={"since": polled.isoformat(), "userId": "ada"}).json()["results"]
    assert [one["id"] for one in changed] == [first]
    assert datetime.fromisoformat(changed[0]["timestamp"]) > polled - timedelta(milliseconds=1)


@pytest.mark.parametrize("cursor", ["x", "!!!", "W10", "WyIyMDI2LTAxLTAxIiwgIngiXQ"])
def test_a_cursor_that_is_none_is_refused(client: TestClient, cursor: str) -> None:
    problem(client.get(RESULTS, params={"cursor": cursor}), 422, "request-invalid")


def test_one_submission_comes_in_gradescopes_shape(parts: Parts, client: TestClient) -> None:
    waiting = hand_in(parts, "ada", SENT)
    problem(client.get(f"/api/v1/submissions/{waiting}/results.json"), 404, "not-found")
    done = graded(parts, "ben", 6.0, sent=SENT)
    document = client.get(f"/api/v1/submissions/{done}/results.json").json()
    assert (document["score"], document["max_score"]) == (6.0, 8.0)
    (test,) = document["tests"]
    assert (test["name"], test["score"], test["max_score"], test["status"]) == (
        "The code runs", 6.0, 8.0, "failed",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("said", "visibility"),
    [
        ({}, "visible"),
        ({"release": Release.WHEN_PUBLISHED}, "after_published"),
        ({"release": Release.WHEN_PUBLISHED, "published_at": SENT}, "visible"),
        ({"release": Release.AFTER_DUE, "due_at": datetime.now(UTC) + timedelta(days=1)}, "hidden"),
        ({"release": Release.AFTER_DUE, "due_at": SENT}, "visible"),
    ],
)
def test_the_api_says_whether_the_student_sees_a_result(
    parts: Parts, client: TestClient, said: dict[str, Any], visibility: str
) -> None:
    done = graded(parts, "ada", 6.0, sent=SENT)
    with parts.database.write() as unit:
        unit.offerings.put("cs101", "hw", Offering(**said), NOW)
        unit.commit()
    document = client.get(f"/api/v1/submissions/{done}/results.json").json()
    assert (document["visibility"], document["tests"][0]["visibility"]) == (visibility, visibility)
    whole = client.get(f"/api/v1/submissions/{done}").json()
    (listed,) = client.get(RESULTS).json()["results"]
    is_released = visibility == "visible"
    assert [one["released"] for one in (whole, whole["items"][0], listed)] == [is_released] * 3


def test_one_students_own_due_date_holds_back_their_result_alone(parts: Parts, client: TestClient) -> None:
    for user in ("ada", "ben"):
        graded(parts, user, sent=SENT)
    later = datetime.now(UTC) + timedelta(days=1)
    with parts.database.write() as unit:
        unit.offerings.put("cs101", "hw", Offering(due_at=SENT, release=Release.AFTER_DUE), NOW)
        unit.offerings.accommodate("cs101", "hw", "ada", Accommodation(later), "ines", NOW)
        unit.commit()
    results = client.get(RESULTS).json()["results"]
    assert {one["userId"]: one["released"] for one in results} == {"ada": False, "ben": True}
