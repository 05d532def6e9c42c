"""Fixtures of the tests that speak to the API, or look at pages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from grader.domain.people import Actor, Role
from grader.web import Deps, create_app
from tests.integration.page_requests import Browser, signed_in
from tests.integration.parts import Parts, make_parts
from tests.integration.review_parts import Class, make_class
from tests.integration.student_parts import set_up_class
from tests.integration.web_requests import bearer


@pytest.fixture
def parts(tmp_path: Path) -> Parts:
    return make_parts(tmp_path)


@pytest.fixture
def app(parts: Parts) -> FastAPI:
    return create_app(Deps(parts.database, parts.blobs, parts.jobs, parts.assignments, least_free_bytes=1))


@pytest.fixture
def client(app: FastAPI, parts: Parts) -> Iterator[TestClient]:
    with TestClient(app, raise_server_exceptions=False) as client:
        client.headers["Authorization"] = bearer(parts)
        yield client


@pytest.fixture
def small_class(parts: Parts) -> None:
    set_up_class(parts)


@pytest.fixture
def ada(small_class: None, app: FastAPI) -> Browser:
    """A student of the small class, signed in."""
    return signed_in(app, "ada")


@pytest.fixture
def room(tmp_path: Path) -> Class:
    return make_class(tmp_path)


@pytest.fixture
def teacher(room: Class) -> Actor:
    return room.enrol("tess", Role.INSTRUCTOR)


@pytest.fixture
def other(room: Class) -> Actor:
    return room.enrol("otto", Role.INSTRUCTOR)
