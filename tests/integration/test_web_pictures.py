"""Pictures over the API: which there are, who sees them, and how they come."""

from __future__ import annotations

from dataclasses import replace

from fastapi.testclient import TestClient

from grader.domain.submission import SubmissionState
from grader.services.grades.standing import settle
from grader.services.people.keys import SUBMIT
from grader.web.schemas import PicturesShape
from tests.integration.parts import NOW, Parts, make_evidence, make_grade
from tests.integration.web_requests import bearer, post, problem

PNG = b"\x89PNG\r\n\x1a\nnot a real one"


def grade(client: TestClient, parts: Parts, user: str = "ada", mse: float = 0.05, code: str = "1") -> str:
    """Hand in and grade; return where the submission is."""
    address = post(client, code, user).headers["Location"]
    submission_id = address.rsplit("/", 1)[1]
    evidence = make_evidence()
    (model,) = evidence.models.measurements
    explained = 1 - mse / evidence.models.mean_image_mse
    picture = parts.blobs.put(PNG)
    model = replace(model, mse=mse, explained_variance=explained, picture_sha256=picture)
    evidence = replace(evidence, models=replace(evidence.models, measurements=(model,)))
    with parts.database.write() as unit:
        unit.work.take_up(submission_id, 0, "run", first=True, now=NOW)
        unit.work.finish(submission_id, 0, SubmissionState.GRADED, NOW)
        stored = unit.evidence.add(submission_id, evidence, {}, NOW)
        unit.grades.add(submission_id, stored, make_grade(), NOW, follows=None)
        settle(unit, submission_id)
        unit.commit()
    return address


def test_the_list_names_every_picture_and_each_is_where_it_says(client: TestClient, parts: Parts) -> None:
    listed = PicturesShape.model_validate(client.get(f"{grade(client, parts)}/pictures").json())
    assert [(one.name, one.kind, one.latentDim, one.mediaType) for one in listed.pictures] == [
        ("latent_2.png", "reconstructions", 2, "image/png"),
        ("error_curve.svg", "error_curve", None, "image/svg+xml"),
    ]
    grid, curve = (client.get(one.href) for one in listed.pictures)
    assert (grid.status_code, grid.content, grid.headers["Content-Type"]) == (200, PNG, "image/png")
    assert (curve.status_code, curve.headers["Content-Type"]) == (200, "image/svg+xml")
    assert "this submission 0.0500" in curve.text
    for answer in (grid, curve):
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
        again = client.get(answer.url, headers={"If-None-Match": answer.headers["ETag"]})
        assert (again.status_code, again.content) == (304, b"")


def test_before_there_is_a_grade_there_is_no_picture(client: TestClient) -> None:
    address = post(client).headers["Location"]
    assert client.get(f"{address}/pictures").json() == {"pictures": []}
    problem(client.get(f"{address}/pictures/error_curve.svg"), 404, "not-found")


def test_a_model_without_a_picture_still_has_its_point_in_the_curve(client: TestClient, parts: Parts) -> None:
    address = post(client).headers["Location"]
    with parts.database.write() as unit:
        submission_id = address.rsplit("/", 1)[1]
        unit.work.take_up(submission_id, 0, "run", first=True, now=NOW)
        unit.work.finish(submission_id, 0, SubmissionState.GRADED, NOW)
        unit.evidence.add(submission_id, make_evidence(), {}, NOW)
        unit.commit()
    names = [one["name"] for one in client.get(f"{address}/pictures").json()["pictures"]]
    assert names == ["error_curve.svg"]


def test_the_class_is_in_the_curve_once_five_students_are_graded(client: TestClient, parts: Parts) -> None:
    curve = f"{grade(client, parts)}/pictures/error_curve.svg"
    grade(client, parts, "ada", 0.06, code="2")  # again the same student: one of hers counts
    for number in range(3):
        grade(client, parts, f"user{number}", 0.03)
    assert "class" not in client.get(curve).text
    grade(client, parts, "fifth", 0.04)
    assert "class 0.0300 (0.0300 to 0.0400)" in client.get(curve).text


def test_who_may_not_read_results_sees_no_picture(client: TestClient, parts: Parts) -> None:
    address = f"{grade(client, parts)}/pictures"
    problem(client.get(f"{address}/latent_3.png"), 404, "not-found")
    problem(client.get("/api/v1/submissions/nothing/pictures"), 404, "not-found")
    for path in (address, f"{address}/latent_2.png"):
        writing = client.get(path, headers={"Authorization": bearer(parts, scopes=(SUBMIT,))})
        problem(writing, 403, "not-permitted")
        elsewhere = client.get(path, headers={"Authorization": bearer(parts, courses=("other",))})
        problem(elsewhere, 404, "not-found")
