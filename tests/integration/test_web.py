"""The API from outside: requests in, documents and problems out."""

from __future__ import annotations

import shutil
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient

from grader.domain.run import CellRun, CellState
from grader.domain.submission import SubmissionState
from grader.services.people.keys import READ, SUBMIT
from grader.services.submitting import submit as submit_module
from grader.storage import Blobs, Database, make_engine
from grader.web import Deps, create_app
from grader.web.schemas import SubmissionShape
from tests.integration.parts import NOW, Parts, make_evidence, make_grade, make_notebook
from tests.integration.web_requests import PATH, bearer, post, problem


def test_a_notebook_is_accepted_and_found_where_the_answer_says(client: TestClient) -> None:
    answer = post(client)
    assert answer.status_code == 202
    assert int(answer.headers["Retry-After"]) > 0
    document = SubmissionShape.model_validate(answer.json())
    assert answer.headers["Location"] == f"/api/v1/submissions/{document.id}"
    assert client.get(answer.headers["Location"]).json() == answer.json()


def test_the_time_of_submission_may_be_told(client: TestClient) -> None:
    data = {"userId": "ada", "submittedAt": "2026-02-01T10:00:00+02:00"}
    answer = client.post(PATH, files={"file": ("hw.ipynb", make_notebook())}, data=data)
    assert answer.json()["submittedAt"] == "2026-02-01T08:00:00.000Z"


def test_progress_and_grade_are_shown_as_they_come(client: TestClient, parts: Parts) -> None:
    submission_id = post(client).json()["id"]
    address = f"/api/v1/submissions/{submission_id}"
    with parts.database.write() as unit:
        unit.work.take_up(submission_id, 0, "run", first=True, now=NOW)
        unit.progress.note(submission_id, [CellRun(0, CellState.OK, 1.0, 4)])
        unit.commit()
    running = SubmissionShape.model_validate(client.get(address).json())
    assert (running.status, running.gradingProgress, running.scoreGiven) == ("running", "Pending", None)
    assert [(cell.index, cell.state) for cell in running.cells] == [(0, "ok")]
    with parts.database.write() as unit:
        unit.work.finish(submission_id, 0, SubmissionState.GRADED, NOW)
        stored = unit.evidence.add(submission_id, make_evidence(), {"total": 2.0}, NOW)
        unit.grades.add(submission_id, stored, make_grade(), NOW, follows=None)
        unit.commit()
    graded = SubmissionShape.model_validate(client.get(address).json())
    assert (graded.activityProgress, graded.gradingProgress) == ("Completed", "FullyGraded")
    assert (graded.scoreGiven, graded.scoreMaximum, graded.items[0].maxPoints) == (8.0, 8.0, 8.0)


def test_what_an_answer_was_held_against_is_not_shown_to_others(client: TestClient, parts: Parts) -> None:
    submission_id = post(client).json()["id"]
    item = replace(make_grade().items[0], evidence={"words": 12, "proposal": {"statement": "the key"}})
    with parts.database.write() as unit:
        unit.work.take_up(submission_id, 0, "run", first=True, now=NOW)
        unit.work.finish(submission_id, 0, SubmissionState.GRADED, NOW)
        stored = unit.evidence.add(submission_id, make_evidence(), {"total": 2.0}, NOW)
        unit.grades.add(submission_id, stored, replace(make_grade(), items=(item,)), NOW, follows=None)
        unit.commit()
    answer = client.get(f"/api/v1/submissions/{submission_id}")
    assert answer.json()["items"][0]["evidence"] == {"words": 12}
    assert "the key" not in answer.text


def test_what_did_not_change_is_not_sent_again(client: TestClient, parts: Parts) -> None:
    address = post(client).headers["Location"]
    tag = client.get(address).headers["ETag"]
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        answer = client.get(address, headers={"If-None-Match": known})
        assert (answer.status_code, answer.content, answer.headers["ETag"]) == (304, b"", tag)
    with parts.database.write() as unit:
        unit.work.take_up(address.rsplit("/", 1)[1], 0, "run", first=True, now=NOW)
        unit.commit()
    assert client.get(address, headers={"If-None-Match": tag}).status_code == 200


def test_an_idempotency_key_gives_the_stored_answer(client: TestClient) -> None:
    first, second = (post(client, **{"Idempotency-Key": "k"}) for _ in range(2))
    assert (second.status_code, second.content) == (202, first.content)
    assert second.headers["Location"] == first.headers["Location"]
    problem(post(client, "other", **{"Idempotency-Key": "k"}), 422, "idempotency-key-reused")


def test_a_request_that_still_runs_is_a_conflict(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    reading, go_on = threading.Event(), threading.Event()
    real = submit_module.read_notebook

    def slow(*arguments: Any) -> Any:
        reading.set()
        go_on.wait(20)
        return real(*arguments)

    monkeypatch.setattr(submit_module, "read_notebook", slow)
    answers: list[httpx.Response] = []
    first = threading.Thread(target=lambda: answers.append(post(client, **{"Idempotency-Key": "k"})))
    first.start()
    assert reading.wait(20)
    detail = problem(post(client, **{"Idempotency-Key": "k"}), 409, "still-running")
    assert "moment" in detail
    go_on.set()
    first.join()
    assert answers[0].status_code == 202


def test_the_same_upload_many_times_at_once_is_one_submission(client: TestClient, parts: Parts) -> None:
    answers: list[httpx.Response] = []

    def send() -> None:
        answers.append(post(client, **{"Idempotency-Key": "k"}))

    threads = [threading.Thread(target=send) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status_code for answer in answers} <= {202, 409}
    assert len({a.headers["Location"] for a in answers if a.status_code == 202}) == 1
    assert parts.count("submission") == parts.count("workflow_status") == 1


def test_the_process_is_alive(client: TestClient) -> None:
    del client.headers["Authorization"]
    assert client.get("/healthz").json() == {"status": "ok"}


def test_the_process_is_alive_while_every_thread_waits_for_the_database(parts: Parts) -> None:
    deps = Deps(parts.database, parts.blobs, parts.jobs, parts.assignments, threads=1)
    with TestClient(create_app(deps)) as client:
        client.headers["Authorization"] = bearer(parts)
        answers: list[httpx.Response] = []
        waiting = threading.Thread(target=lambda: answers.append(post(client)))
        with parts.database.write():
            waiting.start()
            assert client.get("/healthz").status_code == 200
            assert answers == []
        waiting.join()
    assert [answer.status_code for answer in answers] == [202]


def test_the_service_is_ready_once_a_worker_lives(client: TestClient, parts: Parts) -> None:
    answer = client.get("/readyz")
    assert (answer.status_code, list(answer.json()["reasons"])) == (503, ["worker"])
    with parts.database.write() as unit:
        unit.workers.beat("w", "host", 1)
        unit.commit()
    assert client.get("/readyz").status_code == 200


def test_a_service_that_cannot_store_is_not_ready(parts: Parts, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    empty = Database(make_engine(f"sqlite:///{tmp_path / 'empty.db'}"))
    deps = Deps(empty, Blobs(tmp_path / "file"), parts.jobs, parts.assignments)
    with TestClient(create_app(deps)) as client:
        answer = client.get("/readyz")
    assert answer.status_code == 503
    assert set(answer.json()["reasons"]) == {"database", "blobs", "worker"}


def test_too_little_space_is_not_ready(parts: Parts) -> None:
    free = shutil.disk_usage(parts.home).total * 2
    deps = Deps(parts.database, parts.blobs, parts.jobs, parts.assignments, least_free_bytes=free)
    with TestClient(create_app(deps)) as client:
        assert "free" in client.get("/readyz").json()["reasons"]["blobs"]


def test_the_api_describes_itself(client: TestClient) -> None:
    described = client.get("/api/v1/openapi.json").json()
    assert described["openapi"].startswith("3.1")
    post = described["paths"]["/api/v1/courses/{course}/assignments/{assignment}/submissions"]["post"]
    form = post["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert form["required"] == ["file", "userId"]
    assert {"202", "401", "403", "409", "413", "422", "503"} <= set(post["responses"])
    assert post["security"]
    for path in described["paths"].values():
        for operation in path.values():
            for status, response in operation["responses"].items():
                promised = list(response.get("content", {}))
                assert status < "400" or promised == ["application/problem+json"]


def test_a_key_that_only_hands_in_is_told_how_far_it_is_and_not_what_it_got(
    client: TestClient, parts: Parts
) -> None:
    client.headers["Authorization"] = bearer(parts, (SUBMIT,))
    first = post(client, **{"Idempotency-Key": "k"})
    submission_id = first.json()["id"]
    with parts.database.write() as unit:
        unit.work.take_up(submission_id, 0, "run", first=True, now=NOW)
        unit.work.finish(submission_id, 0, SubmissionState.GRADED, NOW)
        stored = unit.evidence.add(submission_id, make_evidence(), {"total": 2.0}, NOW)
        unit.grades.add(submission_id, stored, make_grade(), NOW, follows=None)
        unit.commit()
    for headers in (
        {},
        {"Idempotency-Key": "k"},
        {"Idempotency-Key": "another"},
        {"Idempotency-Key": "another"},
    ):
        told = SubmissionShape.model_validate(post(client, **headers).json())
        assert told.id == submission_id
        assert (told.scoreGiven, told.items, told.cells, told.seconds) == (None, [], [], {})
    assert (told.status, told.gradingProgress) == ("graded", "FullyGraded")
    client.headers["Authorization"] = bearer(parts, (SUBMIT, READ))
    assert post(client).json()["scoreGiven"] == 8.0
