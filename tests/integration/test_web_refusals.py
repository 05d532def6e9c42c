"""The API refuses: what is wrong, too much, not allowed, or cannot be kept now."""

from __future__ import annotations

import asyncio
import sqlite3
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from starlette.types import Message

from grader.jobs import Jobs
from grader.services.people.keys import READ, SCOPES, SUBMIT, create_key, revoke_key
from grader.services.submitting import submit as submit_module
from grader.storage import Blobs, Database, make_engine
from grader.web import Deps, create_app
from grader.web.schemas import ProblemShape
from tests.integration.parts import NOW, Parts, make_notebook
from tests.integration.web_requests import FILE, PATH, bearer, post, problem


@pytest.mark.parametrize(
    ("data", "slug", "told"),
    [
        (b"", "not-a-notebook", "empty"),
        (b"\x89PNG\r\n", "not-a-notebook", ""),
        (b"{}", "not-a-notebook", ""),
        (make_notebook("x" * 200_001), "notebook-too-large", ""),
    ],
    ids=["empty", "image", "json", "large"],
)
def test_a_refused_notebook_is_a_422_with_the_reason(
    client: TestClient, parts: Parts, data: bytes, slug: str, told: str
) -> None:
    answer = client.post(PATH, files={"file": ("hw.ipynb", data)}, data={"userId": "ada"})
    assert told in problem(answer, 422, slug)
    assert parts.count("submission") == parts.count("workflow_status") == 0


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        ({}, "file"),
        ({"data": {"userId": "ada"}}, "file"),
        ({"data": {"userId": "ada", "file": "text"}}, "file"),
        ({"files": FILE}, "userId"),
        ({"files": FILE, "data": {"userId": "  "}}, "userId"),
        ({"json": {"file": "x", "userId": "ada"}}, "file"),
        *(
            ({"files": FILE, "data": {"userId": "ada", "submittedAt": t}}, "submittedAt")
            for t in ("yesterday", "2026-01-01T00:00:00", "0001-01-01T00:00:00+23:00", "2026-13-01T00:00:00Z")
        ),
    ],
)  # fmt: skip
def test_a_missing_or_malformed_field_is_named(
    client: TestClient, request_: dict[str, Any], field: str
) -> None:
    answer = client.post(PATH, **request_)
    problem(answer, 422, "request-invalid")
    assert field in [entry["field"] for entry in answer.json()["errors"]]


@pytest.mark.parametrize("user", ["a b", "\x00", "x" * 300, "ü", "../x"])
def test_a_user_id_that_is_none_is_refused(client: TestClient, user: str) -> None:
    assert "user id" in problem(post(client, user=user), 422, "request-invalid")


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=b", b"no boundary here"),
        ("multipart/form-data; boundary=b", b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n"),
        ("multipart/form-data; boundary=b", b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n\xff'),
        ("application/x-www-form-urlencoded", b"%%%=%ff&userId=%00"),
        ("\xe9\xff", b"x"),
        ("", b""),
    ],
)  # fmt: skip
def test_a_malformed_body_is_the_callers_error(client: TestClient, content_type: str, body: bytes) -> None:
    answer = client.post(PATH, content=body, headers={"Content-Type": content_type.encode("latin-1")})  # type: ignore[dict-item]
    assert answer.status_code in (400, 422)
    ProblemShape.model_validate(answer.json())


def test_a_body_that_promises_to_be_too_large_is_refused(client: TestClient, parts: Parts) -> None:
    answer = client.post(PATH, files={"file": ("a", b"x" * 1_000_000)}, data={"userId": "ada"})
    assert "MB" in problem(answer, 413, "body-too-large")
    assert parts.count("submission") == 0


def test_a_body_of_unknown_length_is_cut_off_while_it_comes(
    app: FastAPI, client: TestClient, parts: Parts
) -> None:
    received = 0
    sent: list[Message] = []

    async def receive() -> Message:
        nonlocal received
        received += 1
        head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
        return {"type": "http.request", "body": head if received == 1 else b"x" * 65536, "more_body": True}

    async def send(message: Message) -> None:
        sent.append(message)

    headers = {"Content-Type": "multipart/form-data; boundary=b", **client.headers}
    scope = {
        "type": "http",
        "method": "POST",
        "path": PATH,
        "query_string": b"",
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
    }
    asyncio.run(app(scope, receive, send))
    assert sent[0]["status"] == 413
    assert received < 10


def test_without_a_key_nothing_is_read(client: TestClient) -> None:
    del client.headers["Authorization"]
    for answer in (post(client), client.get("/api/v1/submissions/" + "0" * 32)):
        problem(answer, 401, "not-authenticated")
        assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer x", "Basic YTpi", "", "Bearer grader_00000000_" + "A" * 43]
)
def test_a_wrong_key_is_no_key(client: TestClient, header: str) -> None:
    problem(post(client, Authorization=header), 401, "not-authenticated")


def test_a_revoked_key_is_no_key(client: TestClient, parts: Parts) -> None:
    key, secret = create_key(parts.database, "x", scopes=SCOPES, courses=None, now=NOW)
    revoke_key(parts.database, key.id, NOW)
    problem(post(client, Authorization=f"Bearer {secret}"), 401, "not-authenticated")


def test_a_key_opens_only_its_scopes_and_courses(client: TestClient, parts: Parts) -> None:
    address = post(client).headers["Location"]
    reader = {"Authorization": bearer(parts, (READ,))}
    writer = {"Authorization": bearer(parts, (SUBMIT,))}
    stranger = {"Authorization": bearer(parts, courses=("cs102",))}
    anyone = {"Authorization": bearer(parts, courses=None)}
    problem(post(client, **reader), 403, "not-permitted")
    problem(client.get(address, headers=writer), 403, "not-permitted")
    problem(post(client, **stranger), 403, "not-permitted")
    problem(client.get(address, headers=stranger), 404, "not-found")
    assert client.get(address, headers=reader).status_code == 200
    assert client.get(address, headers=anyone).status_code == 200
    assert post(client, "2", **anyone).status_code == 202


@pytest.mark.parametrize(
    ("method", "path", "status", "slug"),
    [
        ("GET", "/api/v1/submissions/" + "0" * 32, 404, "not-found"),
        ("GET", "/api/v1/submissions/x", 404, "not-found"),
        ("GET", "/api/v1/submissions/%00%ff%ed%a0%80", 404, "not-found"),
        ("GET", "/nowhere", 404, "not-found"),
        ("PUT", PATH, 405, "method-not-allowed"),
        ("DELETE", "/healthz", 405, "method-not-allowed"),
    ],
)
def test_what_is_not_there_is_a_problem_too(
    client: TestClient, method: str, path: str, status: int, slug: str
) -> None:
    problem(client.request(method, path), status, slug)


def test_an_unknown_assignment_is_not_found(client: TestClient) -> None:
    files = {"file": ("hw.ipynb", make_notebook())}
    answer = client.post(PATH.replace("/hw/", "/hw9/"), files=files, data={"userId": "ada"})
    assert "hw9" in problem(answer, 404, "not-found")


def test_a_locked_database_is_a_503_and_nothing_is_kept(
    client: TestClient, parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    impatient = Database(make_engine(f"sqlite:///{parts.home / 'grader.db'}"))
    with impatient.engine.connect() as connection:  # the pool keeps it, with its short patience
        connection.exec_driver_sql("PRAGMA busy_timeout = 50")
    deps = Deps(impatient, parts.blobs, Jobs(impatient.engine), parts.assignments)
    post(client)
    blocker = sqlite3.connect(parts.home / "grader.db", isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    with TestClient(create_app(deps), headers=client.headers, raise_server_exceptions=False) as patient:
        answer = post(patient, "2")
        problem(answer, 503, "storage-unavailable")
        assert int(answer.headers["Retry-After"]) > 0
        blocker.execute("ROLLBACK")
        assert post(patient, "2").status_code == 202
    blocker.close()
    assert parts.count("submission") == 2


def test_a_full_disk_is_a_503_and_nothing_is_kept(
    client: TestClient, parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(Blobs, "_write", full)
        detail = problem(post(client, **{"Idempotency-Key": "k"}), 503, "storage-unavailable")
    assert str(parts.home) not in detail
    assert parts.count("submission") == parts.count("idempotency") == 0
    assert post(client, **{"Idempotency-Key": "k"}).status_code == 202


def test_our_own_error_tells_nothing_of_the_inside(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("secret: /etc/grader")

    monkeypatch.setattr(submit_module, "read_notebook", fail)
    assert "secret" not in problem(post(client), 500, "our-failure")
