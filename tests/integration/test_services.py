"""Keys, reports, regrading and what an admin may do."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from grader.assignments.calibration_file import Calibration
from grader.checks.registry import CHECKS
from grader.domain.calibration import ReferenceFigures
from grader.domain.grade import CheckResult, ItemState
from grader.domain.rubric import Item
from grader.domain.run import CellRun, CellState
from grader.domain.submission import SubmissionState
from grader.errors import NotAuthenticated, NotFound, NotPermitted, RequestRefused, StorageUnavailable
from grader.jobs import workflow_id
from grader.services.grades.report import grade_document, read_report, submission_document, ungraded_document
from grader.services.intervene import cancel_submission, retry_failed
from grader.services.people.keys import READ, SUBMIT, authenticate, create_key, list_keys, permit, revoke_key
from grader.services.regrade import regrade
from tests.integration.parts import NOW, RUBRIC, Parts, make_assignment, make_evidence, make_grade, make_parts


@pytest.fixture
def parts(tmp_path: Path) -> Parts:
    return make_parts(tmp_path)


def _key(parts: Parts, **more: Any) -> str:
    return create_key(
        parts.database, "moodle", **({"scopes": [SUBMIT], "courses": ["cs101"], "now": NOW} | more)
    )[1]


def test_a_secret_opens_and_is_not_kept(parts: Parts) -> None:
    secret = _key(parts)
    key = authenticate(parts.database, secret, NOW)
    assert (key.name, key.scopes, key.courses) == ("moodle", {SUBMIT}, {"cs101"})
    with parts.engine.connect() as connection:
        stored = str(connection.exec_driver_sql("SELECT * FROM api_key").one())
    assert secret not in stored
    assert secret.rsplit("_", 1)[1] not in stored
    assert key.id in secret


def test_its_last_use_is_remembered(parts: Parts) -> None:
    secret = _key(parts)
    authenticate(parts.database, secret, NOW + timedelta(hours=1))
    authenticate(parts.database, secret, NOW + timedelta(hours=1, seconds=5))
    assert [key.last_used_at for key in list_keys(parts.database)] == [NOW + timedelta(hours=1)]


@pytest.mark.parametrize("secret", ["", "x", "grader_00000000_" + "A" * 43, "grader_\x00", "é" * 60])
def test_an_unknown_secret_opens_nothing(parts: Parts, secret: str) -> None:
    _key(parts)
    with pytest.raises(NotAuthenticated):
        authenticate(parts.database, secret, NOW)


def test_an_expired_key_opens_nothing(parts: Parts) -> None:
    secret = _key(parts, expires_at=NOW + timedelta(days=1))
    authenticate(parts.database, secret, NOW)
    with pytest.raises(NotAuthenticated, match="expired"):
        authenticate(parts.database, secret, NOW + timedelta(days=1))


def test_a_revoked_key_opens_nothing(parts: Parts) -> None:
    secret = _key(parts)
    (key,) = list_keys(parts.database)
    revoke_key(parts.database, key.id, NOW)
    with pytest.raises(NotAuthenticated, match="revoked"):
        authenticate(parts.database, secret, NOW)
    with pytest.raises(NotFound):
        revoke_key(parts.database, key.id, NOW)


def test_a_use_that_cannot_be_noted_keeps_nobody_out(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = _key(parts)

    def full(*_: object) -> None:
        raise StorageUnavailable("database or disk is full")

    monkeypatch.setattr("grader.storage.people.keys.ApiKeys.note_use", full)
    assert authenticate(parts.database, secret, NOW).name == "moodle"


@pytest.mark.parametrize(
    "more",
    [{"scopes": []}, {"scopes": ["everything"]}, {"expires_at": NOW}, {"courses": [""]}],
)
def test_a_key_that_would_be_no_use_is_not_made(parts: Parts, more: dict[str, Any]) -> None:
    with pytest.raises(RequestRefused):
        _key(parts, **more)
    assert list_keys(parts.database) == []


@pytest.mark.parametrize(
    ("courses", "scope", "course", "allowed"),
    [
        (["cs101"], SUBMIT, "cs101", True),
        (["cs101"], SUBMIT, "cs102", False),
        (["cs101"], READ, "cs101", False),
        (None, SUBMIT, "cs102", True),
        ([], SUBMIT, "cs101", False),
    ],
)
def test_a_key_is_good_for_its_scopes_and_courses(
    parts: Parts, courses: list[str] | None, scope: str, course: str, allowed: bool
) -> None:
    key = authenticate(parts.database, _key(parts, courses=courses), NOW)
    if allowed:
        permit(key, scope, course)
    else:
        with pytest.raises(NotPermitted):
            permit(key, scope, course)


def _graded(parts: Parts, user: str = "ada", state: ItemState = ItemState.AUTO) -> str:
    submission_id = str(parts.submit(user=user)["id"])
    with parts.database.write() as unit:
        unit.work.take_up(submission_id, 0, "run", first=True, now=NOW)
        unit.work.finish(submission_id, 0, SubmissionState.GRADED, NOW)
        stored = unit.evidence.add(submission_id, make_evidence(), {"total": 2.5}, NOW)
        unit.grades.add(submission_id, stored, make_grade(6.0, state), NOW, follows=None)
        unit.commit()
    return submission_id


def _document(parts: Parts, submission_id: str) -> dict[str, Any]:
    return submission_document(read_report(parts.database, submission_id), RUBRIC, NOW)


def test_a_graded_submission_says_so(parts: Parts) -> None:
    document = _document(parts, _graded(parts))
    assert (document["activityProgress"], document["gradingProgress"]) == ("Completed", "FullyGraded")
    assert (document["scoreGiven"], document["scoreMaximum"]) == (6.0, 8.0)
    assert document["items"][0]["maxPoints"] == 8.0
    assert document["cells"] == [{"index": 0, "state": "ok", "seconds": 1.5, "outputBytes": 20}]
    assert document["seconds"] == {"total": 2.5}


def test_a_grade_that_waits_for_a_person_says_for_what(parts: Parts) -> None:
    document = _document(parts, _graded(parts, state=ItemState.NEEDS_REVIEW))
    assert (document["activityProgress"], document["gradingProgress"]) == ("Submitted", "PendingManual")
    assert "ex1.runs" in document["comment"]


def test_a_running_submission_shows_its_cells(parts: Parts) -> None:
    submission_id = parts.submit()["id"]
    with parts.database.write() as unit:
        unit.work.take_up(submission_id, 0, "run", first=True, now=NOW)
        unit.progress.note(submission_id, [CellRun(0, CellState.ERROR, 0.1, 5, "ValueError: x")])
        unit.commit()
    document = _document(parts, submission_id)
    assert (document["status"], document["gradingProgress"], document["tries"]) == ("running", "Pending", 1)
    assert document["cells"] == [
        {"index": 0, "state": "error", "seconds": 0.1, "outputBytes": 5, "error": "ValueError: x"}
    ]


def test_our_failure_is_no_zero(parts: Parts) -> None:
    submission_id = parts.submit()["id"]
    with parts.database.write() as unit:
        unit.work.finish(submission_id, 0, SubmissionState.FAILED, NOW, "no jail could be started")
        unit.commit()
    document = _document(parts, submission_id)
    assert (document["activityProgress"], document["gradingProgress"]) == ("Submitted", "Failed")
    assert document["scoreGiven"] is None
    assert document["failure"] == "no jail could be started"


def test_an_unknown_submission_has_no_report(parts: Parts) -> None:
    with pytest.raises(NotFound):
        read_report(parts.database, "0" * 32)


@pytest.mark.parametrize(
    ("state", "status"), [(ItemState.AUTO, "graded"), (ItemState.NEEDS_REVIEW, "needs_review")]
)
def test_the_command_line_prints_what_the_design_says(state: ItemState, status: str) -> None:
    document = grade_document(make_grade(6.0, state), [CellRun(4, CellState.OK, 12.3, 812)], {"total": 41.9})
    assert document == {
        "status": status,
        "score": {"given": 6.0, "maximum": 8.0},
        "items": [
            {
                "key": "ex1.runs",
                "title": "The code runs",
                "points": 6.0,
                "max_points": 8.0,
                "state": state.value,
                "confidence": 1.0,
                "feedback": "All cells ran.",
                "evidence": {"share": 1.0},
            }
        ],
        "cells": [{"index": 4, "state": "ok", "seconds": 12.3, "output_bytes": 812}],
        "seconds": {"total": 41.9},
    }


def test_what_was_not_graded_has_no_score() -> None:
    assert ungraded_document("refused", "This file is empty.")["score"] is None


def test_a_document_holds_nothing_that_json_cannot() -> None:
    grade = make_grade()
    evidence = {"mse": float("nan"), "sizes": (1, float("inf")), 8: "a\ud800"}
    item = replace(grade.items[0], evidence=evidence)
    document = grade_document(replace(grade, items=(item,)), [], {"total": float("inf")})
    json.dumps(document, allow_nan=False, ensure_ascii=False).encode()
    assert document["items"][0]["evidence"] == {"mse": None, "sizes": [1, None], "8": "a?"}


@pytest.fixture
def check_share(monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """What the only check of the rubric says; tests may change it, as a changed rubric would."""
    shares = {"share": 1.0}
    monkeypatch.setitem(CHECKS, "runs", lambda *_: CheckResult(shares["share"], "so many"))
    return shares


def test_a_regrade_appends_once_per_rubric(parts: Parts, check_share: dict[str, float]) -> None:
    submission_id = _graded(parts)
    assert regrade(parts.database, make_assignment(), NOW).untouched == (submission_id,)
    changed = make_assignment(sha256="b" * 64)
    assert regrade(parts.database, changed, NOW).changed == (submission_id,)
    assert regrade(parts.database, changed, NOW).untouched == (submission_id,)
    assert parts.count("grade") == 2
    assert parts.count("evidence") == 1
    assert _document(parts, submission_id)["scoreGiven"] == 8.0


def test_a_rubric_that_is_taken_back_judges_as_before(parts: Parts, check_share: dict[str, float]) -> None:
    submission_id = _graded(parts)
    check_share["share"] = 0.75
    regrade(parts.database, make_assignment(sha256="b" * 64), NOW)
    check_share["share"] = 0.5
    assert regrade(parts.database, make_assignment(), NOW).changed == (submission_id,)
    assert _document(parts, submission_id)["scoreGiven"] == 4.0


def test_a_regrade_that_changes_no_points_confirms(parts: Parts, check_share: dict[str, float]) -> None:
    submission_id = _graded(parts)
    check_share["share"] = 0.75
    assert regrade(parts.database, make_assignment(sha256="b" * 64), NOW).confirmed == (submission_id,)


def test_a_regrade_holds_stored_models_against_the_calibration_of_today(parts: Parts) -> None:
    params = {"latent_dim": 2, "threshold": "calibrated"}
    asked = Item("ex1.latent_2", "ex1", "Width 2", 8.0, "reconstruction", params)
    submission_id = _graded(parts)
    before = make_assignment(sha256="b" * 64, items=(asked,))
    regrade(parts.database, before, NOW)
    assert _document(parts, submission_id)["gradingProgress"] == "PendingManual"
    figures = {2: ReferenceFigures(seeds=3, mean=0.28, spread=0.01, threshold=0.22, band=0.02)}
    known = {"d" * 64: Calibration("mnist", "s", figures)}
    after = replace(make_assignment(sha256="c" * 64, items=(asked,)), calibration=known)
    assert regrade(parts.database, after, NOW).changed == (submission_id,)
    document = _document(parts, submission_id)
    assert (document["scoreGiven"], document["gradingProgress"]) == (8.0, "FullyGraded")


def test_a_submission_that_a_check_fails_on_does_not_stop_the_others_regrade(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = _graded(parts, "ada"), _graded(parts, "bob")
    answers = iter([KeyError("x"), CheckResult(1.0, "fine")])

    def check(*_: object) -> CheckResult:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setitem(CHECKS, "runs", check)
    done = regrade(parts.database, make_assignment(sha256="b" * 64), NOW)
    assert {entry[0] for entry in done.failed} | set(done.changed) == {first, second}
    assert [reason for _, reason in done.failed] == ["an error in the grader itself (KeyError)"]


def test_what_has_no_evidence_yet_is_left_alone(parts: Parts) -> None:
    submission_id = parts.submit()["id"]
    assert regrade(parts.database, make_assignment(), NOW).untouched == (submission_id,)


def test_a_cancelled_submission_is_failed_and_has_no_job(parts: Parts) -> None:
    submission_id = parts.submit()["id"]
    cancel_submission(parts.database, parts.jobs, submission_id, "wrong file", NOW)
    assert parts.jobs.active([workflow_id(submission_id, 0)]) == frozenset()
    document = _document(parts, submission_id)
    assert (document["gradingProgress"], document["failure"]) == ("Failed", "Cancelled: wrong file")
    with pytest.raises(RequestRefused):
        cancel_submission(parts.database, parts.jobs, submission_id, "again", NOW)


def test_a_failed_submission_can_be_tried_again(parts: Parts) -> None:
    submission_id = parts.submit()["id"]
    cancel_submission(parts.database, parts.jobs, submission_id, "wrong file", NOW)
    assert retry_failed(parts.database, parts.jobs, NOW, "other") == []
    assert retry_failed(parts.database, parts.jobs, NOW, "hw") == [submission_id]
    assert retry_failed(parts.database, parts.jobs, NOW) == []
    name = workflow_id(submission_id, 1)
    assert parts.jobs.active([name]) == {name}
    document = _document(parts, submission_id)
    assert (document["status"], document["tries"], document["failure"]) == ("queued", 0, None)


def test_times_are_written_in_utc(parts: Parts) -> None:
    document = _document(parts, _graded(parts))
    assert datetime.fromisoformat(document["timestamp"]).utcoffset() == timedelta(0)
