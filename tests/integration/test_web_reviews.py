"""The review's API from outside."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import httpx
import pytest
from fastapi.testclient import TestClient

from grader.domain.people import Role
from grader.services.people.keys import READ, REVIEW, SUBMIT
from grader.web import Deps, create_app
from grader.web.review_shapes import AnswerShape, ListedShape, QueueShape
from tests.integration.review_parts import GOOD, Class
from tests.integration.web_requests import bearer, problem

COURSE = "/api/v1/courses/cs101/assignments/hw"
QUEUE = f"{COURSE}/review-queue"


@pytest.fixture
def client(room: Class) -> Iterator[TestClient]:
    parts = room.parts
    deps = Deps(parts.database, parts.blobs, parts.jobs, parts.assignments, clock=lambda: room.now)
    with TestClient(create_app(deps), raise_server_exceptions=False) as client:
        client.headers["Authorization"] = bearer(parts)
        yield client


def _answer(submission_id: str, item: str = "q1") -> str:
    return f"/api/v1/submissions/{submission_id}/items/{item}"


def _as_another(room: Class) -> dict[str, str]:
    return {"Authorization": bearer(room.parts)}


def test_the_queue_comes_in_pages_that_name_the_next(room: Class, client: TestClient) -> None:
    for number in range(5):
        room.grade(f"u{number}", q1=f"{GOOD} {number}")
    for order in ("doubt", "item"):
        seen: list[str] = []
        address: str | None = f"{QUEUE}?order={order}&limit=2"
        while address:
            answer = client.get(address)
            seen += [entry.submission_id for entry in QueueShape.model_validate(answer.json()).entries]
            address = answer.links.get("next", {}).get("url")
        assert len(seen) == len(set(seen)) == 5
    assert client.get(f"{QUEUE}/counts").json() == {"q1": 5}
    assert client.get(f"{QUEUE}?item=q2").json() == {"entries": []}
    problem(client.get(f"{QUEUE}?cursor=x"), 422, "request-invalid")


def test_from_the_queue_to_a_decision_in_the_submission(room: Class, client: TestClient) -> None:
    only = room.grade("ada")
    taken = ListedShape.model_validate(client.post(f"{QUEUE}/next").json())
    assert (taken.submission_id, taken.held) == (only, "you")
    assert client.post(f"{QUEUE}/next", headers=_as_another(room)).status_code == 204
    view = AnswerShape.model_validate(client.get(f"{_answer(only)}/review").json())
    assert (view.text, view.follows, view.held) == (GOOD, 0, "you")
    assert (view.suggested, view.corrected, view.confidence, view.taught_by) == (view.proposed, None, None, 0)
    assert "uncalibrated" in view.holds
    form = {"concepts": {"features": 2.5}, "comment": "Nearly.", "follows": view.follows}
    decided = client.post(f"{_answer(only)}/decision", json=form)
    assert (decided.status_code, decided.json()["points"], decided.json()["state"]) == (200, 2.5, "reviewed")
    item = next(
        one for one in client.get(f"/api/v1/submissions/{only}").json()["items"] if one["key"] == "q1"
    )
    assert (item["state"], item["points"], item["feedback"]) == ("reviewed", 2.5, "Nearly.")
    assert client.get(f"{_answer(only)}/review").json()["history"][0]["actor"].startswith("key:")
    assert client.post(f"{_answer(only)}/undo").json()["state"] == "needs_review"
    follows = client.get(f"{_answer(only)}/review").json()["follows"]
    accepted = client.post(f"{_answer(only)}/accept", json={"follows": follows})
    assert accepted.json()["points"] == view.proposed


@pytest.mark.parametrize("points", ["NaN", "Infinity", "-1", "4.5", "1.005", '"3"', "true", "1e400"])
def test_points_that_cannot_be_are_refused(room: Class, client: TestClient, points: str) -> None:
    only = room.grade("ada")
    client.post(f"{_answer(only)}/claim")
    answer = client.post(
        f"{_answer(only)}/decision",
        content=f'{{"points": {points}, "follows": 0}}',
        headers={"Content-Type": "application/json"},
    )
    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"
    assert room.parts.count("override") == 0


@pytest.mark.parametrize("text", ["half a character: \\ud800", "none: \\u0000"])
def test_texts_that_cannot_be_kept_are_refused(room: Class, client: TestClient, text: str) -> None:
    only = room.grade("ada")
    client.post(f"{_answer(only)}/claim")
    for address, form in (
        (f"{_answer(only)}/decision", f'{{"points": 1, "comment": "{text}"}}'),
        (f"{_answer(only)}/regrade-request", f'{{"userId": "ada", "text": "{text}"}}'),
        (f"{COURSE}/items/q1/comments", f'{{"text": "{text}"}}'),
    ):
        answer = client.post(address, content=form, headers={"Content-Type": "application/json"})
        problem(answer, 422, "request-invalid")


def test_who_comes_second_is_told_so(room: Class, client: TestClient) -> None:
    only, another = room.grade("ada"), _as_another(room)
    assert client.post(f"{_answer(only)}/claim").status_code == 200
    problem(client.post(f"{_answer(only)}/claim", headers=another), 409, "overtaken")
    form = {"points": 2.0, "follows": 0, "reason": "late"}
    problem(client.post(f"{_answer(only)}/decision", json=form, headers=another), 409, "overtaken")
    assert client.post(f"{_answer(only)}/decision", json=form).status_code == 200
    detail = problem(client.post(f"{_answer(only)}/decision", json=form, headers=another), 409, "overtaken")
    assert "Reload" in detail
    assert client.delete(f"{_answer(only)}/claim").status_code == 204


def test_two_clicks_and_two_reviewers_at_once_make_one_decision(room: Class, client: TestClient) -> None:
    only, another = room.grade("ada"), _as_another(room)
    start, answers = threading.Barrier(4), list[httpx.Response]()

    def click(headers: dict[str, str]) -> None:
        form = {"points": 2.0, "follows": 0, "reason": "late"}
        start.wait()
        answers.append(client.post(f"{_answer(only)}/decision", json=form, headers=headers))

    threads = [threading.Thread(target=click, args=(headers,)) for headers in ({}, {}, another, another)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answer.status_code for answer in answers) == [200, 200, 409, 409]
    assert room.parts.count("override") == 1


def test_neighbours_get_the_decision_that_was_made(room: Class, client: TestClient) -> None:
    base, same = room.grade("ada"), room.grade("ben")
    client.post(f"{_answer(base)}/claim")
    neighbours = client.get(f"{_answer(base)}/review").json()["neighbours"]
    assert [one["submissionId"] for one in neighbours] == [same]
    client.post(f"{_answer(base)}/decision", json={"points": 3.0, "follows": 0})
    answer = client.post(f"{_answer(base)}/decision/group", json={"submissions": [same, "x"]})
    assert answer.json() == [
        {"submissionId": same, "outcome": "decided"},
        {"submissionId": "x", "outcome": "not_found"},
    ]


def test_nothing_in_the_queue_says_who_wrote_it(room: Class, client: TestClient) -> None:
    room.enrol("zora", Role.STUDENT, "A", name="Zora Neale")
    room.enrol("yuri", Role.STUDENT, "A", name="Yuri Nikulin")
    only, other = room.grade("zora"), room.grade("yuri")
    client.post(f"{_answer(other)}/claim", headers=_as_another(room))
    shown = [
        client.get(QUEUE),
        client.get(f"{QUEUE}?order=item"),
        client.get(f"{_answer(only)}/review"),
        client.post(f"{QUEUE}/next"),
        client.post(f"{_answer(only)}/accept", json={"follows": 0}),
        client.get(f"{_answer(only)}/review"),
        client.post(f"{_answer(only)}/decision/group", json={"submissions": [other]}),
        client.post(f"{_answer(only)}/undo"),
    ]
    for answer in shown:
        assert answer.status_code == 200, answer.text
        said = (answer.text + str(answer.headers)).casefold()
        assert not any(word in said for word in ("zora", "yuri", "neale", "nikulin", "students.example"))
    told = client.post(f"{_answer(only)}/reveal").json()
    assert told == {"userId": "zora", "name": "Zora Neale", "email": "zora@students.example.edu"}
    assert "review.reveal" in {action for _, action in room.audited()}


def test_comments_over_the_api(room: Class, client: TestClient) -> None:
    address = f"{COURSE}/items/q1/comments"
    made = client.post(address, json={"text": "Name the bottleneck."})
    assert made.status_code == 201
    assert [one["text"] for one in client.get(address).json()] == ["Name the bottleneck."]
    assert client.delete(f"{COURSE}/comments/{made.json()['id']}").status_code == 204
    assert client.get(address).json() == []
    problem(client.delete(f"{COURSE}/comments/{made.json()['id']}"), 404, "not-found")


def test_a_platform_asks_in_a_students_name_and_a_reviewer_answers(room: Class, client: TestClient) -> None:
    only = room.grade("ada")
    address = f"{_answer(only)}/regrade-request"
    problem(client.post(address, json={"userId": "ben", "text": "why?"}), 404, "not-found")
    problem(client.post(address, json={"userId": "ada", "text": "x" * 2001}), 422, "request-invalid")
    assert client.post(address, json={"userId": "ada", "text": "why?"}).status_code == 201
    assert [one["why"] for one in client.get(f"{QUEUE}?asked=true").json()["entries"]] == [
        ["review", "request"]
    ]
    form = {"answer": "Looked at again.", "decision": {"points": 4.0, "follows": 0, "reason": "asked"}}
    assert client.post(f"{address}/answer", json=form).json()["points"] == 4.0
    asked = client.get(f"{_answer(only)}/review").json()["requests"]
    assert [(one["text"], one["answer"]) for one in asked] == [("why?", "Looked at again.")]


@pytest.mark.parametrize("scopes", [(READ,), (SUBMIT,), (SUBMIT, READ)])
def test_a_key_without_the_scope_reviews_nothing(
    room: Class, client: TestClient, scopes: tuple[str, ...]
) -> None:
    only = room.grade("ada")
    client.headers["Authorization"] = bearer(room.parts, scopes=scopes)
    for answer in _try_everything(client, only):
        problem(answer, 403, "not-permitted")
    assert room.parts.count("override") == room.parts.count("claim") == 0


def test_a_key_of_another_course_reviews_nothing(room: Class, client: TestClient) -> None:
    only = room.grade("ada")
    client.headers["Authorization"] = bearer(room.parts, scopes=(REVIEW,), courses=("cs102",))
    assert {answer.status_code for answer in _try_everything(client, only)} == {403, 404}
    elsewhere = QUEUE.replace("cs101", "cs102")
    assert client.get(elsewhere).json() == {"entries": []}
    assert room.parts.count("override") == room.parts.count("claim") == 0


def _try_everything(client: TestClient, only: str) -> list[httpx.Response]:
    one = _answer(only)
    return [
        client.get(QUEUE),
        client.get(f"{QUEUE}/counts"),
        client.post(f"{QUEUE}/next"),
        client.get(f"{one}/review"),
        client.post(f"{one}/claim"),
        client.delete(f"{one}/claim"),
        client.post(f"{one}/decision", json={"points": 4.0, "reason": "x"}),
        client.post(f"{one}/accept", json={"reason": "x"}),
        client.post(f"{one}/undo"),
        client.post(f"{one}/decision/group", json={"submissions": [only]}),
        client.post(f"{one}/reveal"),
        client.post(f"{one}/regrade-request/answer", json={"answer": "no"}),
        client.get(f"{COURSE}/items/q1/comments"),
        client.post(f"{COURSE}/items/q1/comments", json={"text": "x"}),
        client.delete(f"{COURSE}/comments/1"),
    ]
