"""Whatever stands in an address, a form or a body: it is answered, and never with a failure of ours."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from tests.integration.page_requests import add_person, signed_in
from tests.integration.parts import FixedCatalog, Parts
from tests.integration.student_parts import fill_in, grade, hand_in, set_up_class
from tests.integration.web_requests import problem

HUGE = str(10**30)
ODD = (HUGE, "x", "9999-12-31", "0001-01-01T00:00:00+05:00")
FIELDS = (
    *("act", "again", "as", "at", "after", "audited_percent", "closes_at", "comment", "days", "due_at"),
    *("email", "fingerprint", "follows", "grace_minutes", "id", "items", "keep", "late_percent_per_day"),
    *("lms_column", "login", "name", "names", "neighbour", "new", "note", "old", "opens_at", "person"),
    *("points", "reason", "remove", "reply", "role", "roster", "search", "section", "sections", "session"),
    *("submission", "text", "title", "to", "token", "user_id", "version", "words", "counts", "release"),
)


@pytest.fixture
def places(parts: Parts, app: FastAPI) -> Mapping[str, str]:
    set_up_class(parts)
    app.state.deps = replace(app.state.deps, assignments=FixedCatalog(parts.assignments))
    add_person(parts, "root", is_admin=True)
    page = hand_in(signed_in(app, "ada"), fill_in(answer="B"))
    grade(parts, page)
    return {
        "course": "cs101",
        "assignment": "hw",
        "submission_id": page.rsplit("/", 1)[1],
        "item": "q1.choice",
        "person": "ada",
        "user": "ada",
    }


def _routes(routes: Any) -> Iterator[Any]:
    for route in routes:
        if inner := getattr(route, "original_router", None):
            yield from _routes(inner.routes)
        elif getattr(route, "dependant", None):
            yield route


def _query(dependant: Any) -> Iterator[str]:
    yield from (field.alias for field in dependant.query_params)
    for inner in dependant.dependencies:
        yield from _query(inner)


def _addresses(app: FastAPI, places: Mapping[str, str]) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Method, address and the names of its query, with one odd thing in the path at a time."""
    for route in _routes(app.routes):
        names = list(route.param_convertors)
        usual = {name: places.get(name, "1") for name in names}
        query = tuple(_query(route.dependant))
        for method in route.methods - {"HEAD"}:
            yield method, route.path.format(**usual), query
            for name in names:
                for odd in (HUGE, "a%F0%9Fb"):
                    yield method, route.path.format(**{**usual, name: odd}), ()


def test_no_address_and_no_query_is_our_failure(
    app: FastAPI, client: TestClient, places: Mapping[str, str]
) -> None:
    browser = signed_in(app, "root").client
    failed = []
    for method, address, query in _addresses(app, places):
        asks = [{}, *({name: odd} for name in query for odd in ODD)]
        for ask in asks if method == "GET" else asks[:1]:
            door = client if address.startswith("/api/") else browser
            if door.request(method, address, params=ask).status_code == 500:
                failed.append((method, address, ask))
    assert not failed


def test_no_form_is_our_failure(app: FastAPI, places: Mapping[str, str]) -> None:
    browser = signed_in(app, "root")
    csrf, failed = browser.csrf(), []
    for method, address, _ in _addresses(app, places):
        if method == "POST" and address.startswith("/courses/"):
            for odd in ODD:
                form = {"csrf": csrf, **dict.fromkeys(FIELDS, odd)}
                if browser.client.post(address, data=form).status_code == 500:
                    failed.append((address, odd))
    assert not failed


@pytest.mark.parametrize("field", ["login", "email", "name", "user_id"])
def test_half_a_character_in_a_roster_is_refused(
    client: TestClient, places: Mapping[str, str], field: str
) -> None:
    member = {"user_id": "new", field: "x\ud800"}
    answer = client.put("/api/v1/courses/cs101/members", content=json.dumps({"members": [member]}))
    problem(answer, 422, "request-invalid")


@pytest.mark.parametrize(
    ("method", "address", "body"),
    [
        ("GET", "/courses/cs101/assignments/hw/results?since=0001-01-01T00:00:00%2B05:00", None),
        ("DELETE", f"/courses/cs101/assignments/hw/comments/{HUGE}", None),
        ("POST", "/submissions/{submission_id}/items/q1.choice/accept", {"follows": 10**30}),
        (
            "POST",
            "/submissions/{submission_id}/items/q1.choice/decision",
            {"points": 1, "follows": 10**30},
        ),
    ],
)
def test_numbers_and_times_beyond_all_bounds_are_refused(
    client: TestClient, places: Mapping[str, str], method: str, address: str, body: Any
) -> None:
    answer = client.request(method, f"/api/v1{address.format(**places)}", json=body)
    problem(answer, 422, "request-invalid")


@pytest.mark.parametrize("query", [f"before={HUGE}", "until=9999-12-31", "since=0001-01-01"])
def test_an_audit_log_is_asked_for_anything(app: FastAPI, places: Mapping[str, str], query: str) -> None:
    answer = signed_in(app, "ines").get(f"/courses/cs101/audit?{query}")
    assert answer.status_code == (422 if "before" in query else 200)
