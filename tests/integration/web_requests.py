"""Requests to the API as tests send them, and problems as they expect them."""

from __future__ import annotations

from datetime import UTC, datetime

import httpx
from fastapi.testclient import TestClient

from grader.services.people.keys import SCOPES, create_key
from grader.web.schemas import ProblemShape
from tests.integration.parts import Parts, make_notebook

PATH = "/api/v1/courses/cs101/assignments/hw/submissions"
FILE = {"file": ("hw.ipynb", make_notebook())}


def bearer(
    parts: Parts, scopes: tuple[str, ...] = SCOPES, courses: tuple[str, ...] | None = ("cs101",)
) -> str:
    _, secret = create_key(parts.database, "tests", scopes=scopes, courses=courses, now=datetime.now(UTC))
    return f"Bearer {secret}"


def post(client: TestClient, code: str = "print(1)", user: str = "ada", **headers: str) -> httpx.Response:
    files = {"file": ("hw.ipynb", make_notebook(code))}
    return client.post(PATH, files=files, data={"userId": user}, headers=headers)


def problem(answer: httpx.Response, status: int, slug: str) -> str:
    """Expect this problem and return its detail."""
    assert answer.headers["content-type"] == "application/problem+json"
    problem = ProblemShape.model_validate(answer.json())
    assert (answer.status_code, problem.status, problem.type) == (
        status,
        status,
        f"urn:grader:problem:{slug}",
    )
    return problem.detail
