"""Rubrics over REST: preview, publish, one submission again; and who may not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from grader.jobs import Jobs
from grader.services.people.keys import RUBRIC, SCOPES, USUAL_SCOPES, create_key
from grader.storage import Blobs
from grader.web import Deps, create_app
from grader.web.schemas import ProblemShape
from tests.integration.parts import NOW
from tests.integration.regrade_parts import HOMEWORK, OTHER_POINTS, Class, make_class
from tests.integration.web_requests import problem

REGRADE = f"/api/v1/courses/ml2/assignments/{HOMEWORK}/regrade"


@pytest.fixture
def graded(tmp_path: Path) -> Class:
    return make_class(tmp_path, count=4, alike=4)


@pytest.fixture
def client(graded: Class) -> Iterator[TestClient]:
    blobs, jobs = Blobs(graded.folder / "blobs"), Jobs(graded.database.engine)
    app = create_app(Deps(graded.database, blobs, jobs, graded.catalog, least_free_bytes=1))
    with TestClient(app, raise_server_exceptions=False) as client:
        client.headers["Authorization"] = _bearer(graded)
        yield client


def _bearer(
    graded: Class, scopes: tuple[str, ...] = SCOPES, courses: tuple[str, ...] | None = ("ml2",)
) -> str:
    _, secret = create_key(graded.database, "tests", scopes=scopes, courses=courses, now=NOW)
    return f"Bearer {secret}"


def test_what_was_previewed_is_published_with_its_token(client: TestClient, graded: Class) -> None:
    text = graded.edited(*OTHER_POINTS)
    shown = client.post(f"{REGRADE}/preview", json={"rubric": text}, params={"limit": 1}).json()
    assert (shown["judged"], len(shown["changes"]), shown["changed"]) == (4, 1, 4)
    assert shown["changes"][0]["difference"] < 0
    body = {"rubric": text, "token": shown["token"], "note": "C is right"}
    answer = client.post(REGRADE, json=body)
    assert answer.status_code == 200
    assert answer.json() == {"changed": 4, "confirmed": 0, "untouched": 0, "failed": []}
    assert problem(client.post(REGRADE, json=body), 409, "overtaken")
    now = client.post(f"{REGRADE}/preview").json()
    assert (now["judged"], now["untouched"]) == (0, 4)
    assert client.post(REGRADE, json={"token": now["token"]}).json()["untouched"] == 4
    document = client.get(f"/api/v1/submissions/{graded.ids()[0]}").json()
    assert document["scoreMaximum"] == 102


def test_a_wrong_rubric_is_refused_line_by_line(client: TestClient, graded: Class) -> None:
    text = graded.rubric_file.read_text().replace("points: 8", "points: eight", 1)
    for path, more in ((f"{REGRADE}/preview", {}), (REGRADE, {"token": "x"})):
        answer = client.post(path, json={"rubric": text, **more})
        problem(answer, 422, "rubric-invalid")
        (wrong,) = ProblemShape.model_validate(answer.json()).errors or []
        assert text.splitlines()[(wrong.line or 0) - 1].strip() == "points: eight"
        assert "points must be a number" in wrong.message


def test_one_submission_is_judged_again(client: TestClient, graded: Class) -> None:
    one, *_ = graded.ids()
    path = f"/api/v1/submissions/{one}/regrade"
    answer = client.post(path)
    assert (answer.status_code, answer.json()["untouched"]) == (202, 1)
    graded.rubric_file.write_text(graded.edited(*OTHER_POINTS))
    answer = client.post(path)
    assert (answer.json()["changed"], graded.count("grade")) == (1, 5)
    assert client.get(answer.headers["Location"]).json()["id"] == one
    problem(client.post("/api/v1/submissions/" + "f" * 32 + "/regrade"), 404, "not-found")


def test_a_key_needs_scope_and_course(client: TestClient, graded: Class) -> None:
    one, *_ = graded.ids()
    for scopes, courses, expected in (
        (USUAL_SCOPES, ("ml2",), (403, 403)),
        ((RUBRIC,), ("ml3",), (403, 404)),
        ((RUBRIC,), None, (200, 202)),
    ):
        client.headers["Authorization"] = _bearer(graded, scopes, courses)
        paths = (f"{REGRADE}/preview", f"/api/v1/submissions/{one}/regrade")
        assert tuple(client.post(path).status_code for path in paths) == expected
