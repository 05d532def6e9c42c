"""Browsers as tests use them: people who signed in, and the token that their forms bring back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import httpx
from fastapi import FastAPI
from fastapi.testclient import TestClient

from grader.domain.people import Membership, Person, Role
from grader.services.people.accounts import set_password
from tests.integration.parts import NOW, Parts

PASSWORD = "correct horse battery"


def add_person(
    parts: Parts,
    person_id: str,
    role: Role | None = None,
    sections: tuple[str, ...] = (),
    *,
    course: str = "cs101",
    is_admin: bool = False,
) -> None:
    """An account with a password, in the course where a role is given."""
    person = Person(person_id, person_id, person_id.title(), f"{person_id}@example.org", is_admin)
    with parts.database.write() as unit:
        if unit.people.find(person_id) is None:
            unit.people.add(person, NOW)
            set_password(unit, person, PASSWORD)
        if course not in unit.people.courses():
            unit.people.add_course(course, f"Course {course}", NOW)
        if role is not None:
            unit.people.enrol(person_id, Membership(course, role, frozenset(sections)), NOW)
        unit.commit()


class Browser:
    """One browser with its cookies; forms posted by it bring the session's token back."""

    def __init__(self, app: FastAPI) -> None:
        self.client = TestClient(app, raise_server_exceptions=False, follow_redirects=False)
        self.client.headers["Accept"] = "text/html"

    def sign_in(self, login: str, password: str = PASSWORD) -> httpx.Response:
        """Sign in; later posts carry this session's token."""
        return self.client.post("/login", data={"login": login, "password": password})

    def get(self, path: str, **headers: str) -> httpx.Response:
        """Open a page."""
        return self.client.get(path, headers=headers)

    def post(self, path: str, data: Mapping[str, Any] | None = None, **more: Any) -> httpx.Response:
        """Post a form of the page."""
        return self.client.post(path, data={"csrf": self.csrf(), **(data or {})}, **more)

    def csrf(self) -> str:
        """The token that this session's pages carry."""
        found = re.search(r'name="csrf" value="([^"]+)"', self.get("/").text)
        return found[1] if found else ""


def signed_in(app: FastAPI, login: str) -> Browser:
    """A browser of someone who signed in."""
    browser = Browser(app)
    assert browser.sign_in(login).status_code == 303
    return browser
