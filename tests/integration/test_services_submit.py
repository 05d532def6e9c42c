"""Handing in: validated, stored, filed with its job in one transaction, and once."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from grader.domain.offering import Counts, Offering
from grader.errors import (
    AttemptsUsedUp,
    Conflict,
    NotFound,
    RequestRefused,
    StillRunning,
    StorageUnavailable,
    UploadRefused,
)
from grader.jobs import Jobs, workflow_id
from grader.services.submitting.idempotency import Claim, claim_answer
from grader.services.submitting.submit import Submitter, Upload, clean_filename
from tests.integration.parts import NOW, Parts, make_notebook, make_parts

UPLOAD = Upload("cs101", "hw", "ada", "hw.ipynb", make_notebook())


@pytest.fixture
def parts(tmp_path: Path) -> Parts:
    return make_parts(tmp_path)


def _nothing_is_filed(parts: Parts) -> bool:
    return parts.count("submission") == parts.count("workflow_status") == parts.count("idempotency") == 0


def test_an_upload_is_filed_with_its_job_and_its_bytes(parts: Parts) -> None:
    document = parts.submitter.submit(UPLOAD)
    assert (document["courseId"], document["userId"], document["attempt"]) == ("cs101", "ada", 1)
    assert (document["activityProgress"], document["gradingProgress"]) == ("Submitted", "Pending")
    assert (document["scoreGiven"], document["scoreMaximum"]) == (None, 8.0)
    assert parts.blobs.get(document["sha256"]) == UPLOAD.data
    name = workflow_id(document["id"], 0)
    assert parts.jobs.active([name, "grade:other:0"]) == {name}


def test_the_same_file_again_is_the_same_submission(parts: Parts) -> None:
    first, second = parts.submitter.submit(UPLOAD), parts.submitter.submit(UPLOAD)
    assert first["id"] == second["id"]
    assert parts.count("submission") == parts.count("workflow_status") == 1


def test_a_retry_is_the_same_submission_after_a_later_attempt_too(parts: Parts) -> None:
    with parts.database.write() as unit:
        unit.offerings.put("cs101", "hw", Offering(counts=Counts.LAST), NOW)
        unit.commit()
    first, second = parts.submitter.submit(UPLOAD), parts.submit("2", "ada")
    assert parts.submitter.submit(UPLOAD)["id"] == first["id"]
    third = parts.submitter.submit(replace(UPLOAD, again_after=2))
    assert (third["attempt"], third["sha256"]) == (3, first["sha256"])
    assert parts.submitter.submit(replace(UPLOAD, again_after=2))["id"] == third["id"]
    assert len({first["id"], second["id"], third["id"]}) == parts.count("submission") == 3


def test_two_clicks_at_once_make_an_earlier_file_one_new_attempt(parts: Parts) -> None:
    with parts.database.write() as unit:
        unit.offerings.put("cs101", "hw", Offering(counts=Counts.LAST), NOW)
        unit.commit()
    parts.submitter.submit(UPLOAD)
    parts.submit("2", "ada")
    got: list[str] = []
    again = replace(UPLOAD, again_after=2)
    threads = [
        threading.Thread(target=lambda: got.append(parts.submitter.submit(again)["id"])) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 8
    assert len(set(got)) == 1
    assert parts.count("submission") == 3


@pytest.mark.parametrize("change", [{"user": "bob"}, {"course": "cs102"}, {"data": make_notebook("2")}])
def test_another_file_course_or_user_is_another_submission(parts: Parts, change: dict[str, Any]) -> None:
    parts.submitter.submit(UPLOAD)
    parts.submitter.submit(replace(UPLOAD, **change))
    assert parts.count("submission") == 2


def test_attempts_are_counted_per_user(parts: Parts) -> None:
    attempts = [
        parts.submit(code, user)["attempt"] for code, user in [("1", "ada"), ("2", "ada"), ("1", "bob")]
    ]
    assert attempts == [1, 2, 1]


def test_an_attempt_beyond_the_last_is_refused_and_the_earlier_ones_stand(parts: Parts) -> None:
    allowed = parts.assignments["hw"].rubric.policy.attempts
    first = parts.submit("0", "ada")
    for number in range(1, allowed):
        parts.submit(str(number), "ada")
    with pytest.raises(AttemptsUsedUp, match="All 20 attempts"):
        parts.submit("one too many", "ada")
    assert parts.submit("0", "ada")["id"] == first["id"]


def test_first_attempts_run_before_later_ones(parts: Parts) -> None:
    for code, user in [("1", "ada"), ("2", "ada"), ("1", "bob")]:
        parts.submit(code, user)
    with parts.engine.connect() as connection:
        ada_1, ada_2, bob_1 = connection.exec_driver_sql(
            "SELECT priority FROM workflow_status ORDER BY rowid"
        ).scalars()
    assert 1 <= ada_1 == bob_1 < ada_2


@pytest.mark.parametrize(
    "data", [b"", b"not json", b"{}", b"\xff\xfe", make_notebook("x" * 300_000)], ids=range(5)
)
def test_what_is_no_notebook_is_refused_and_nothing_is_kept(parts: Parts, data: bytes) -> None:
    with pytest.raises(UploadRefused):
        parts.submitter.submit(replace(UPLOAD, data=data, idempotency_key="k"))
    assert _nothing_is_filed(parts)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"user": ""}, "user id"),
        ({"user": "a b"}, "user id"),
        ({"user": "x" * 256}, "user id"),
        ({"user": "ada\n"}, "user id"),
        ({"user": "ada\x00"}, "user id"),
        ({"course": "../etc"}, "course id"),
        ({"assignment": "hw/1"}, "assignment id"),
        ({"submitted_at": NOW + timedelta(days=40_000)}, "submittedAt"),
        ({"idempotency_key": ""}, "Idempotency-Key"),
        ({"idempotency_key": "k" * 256}, "Idempotency-Key"),
        ({"idempotency_key": "schlüssel"}, "Idempotency-Key"),
    ],
)
def test_a_malformed_request_is_refused_by_name(parts: Parts, change: dict[str, Any], named: str) -> None:
    with pytest.raises(RequestRefused, match=named):
        parts.submitter.submit(replace(UPLOAD, **change))
    assert _nothing_is_filed(parts)


def test_an_unknown_assignment_is_named_with_those_there_are(parts: Parts) -> None:
    with pytest.raises(NotFound, match=r"'hw9'.*there are: hw"):
        parts.submitter.submit(replace(UPLOAD, assignment="hw9"))


def test_outside_ids_are_taken(parts: Parts) -> None:
    assert parts.submit(user="sis:ada.lovelace@example.edu|7")["userId"] == "sis:ada.lovelace@example.edu|7"


def test_a_job_that_cannot_be_written_takes_the_submission_back(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise StorageUnavailable("disk full")

    monkeypatch.setattr(Jobs, "enqueue", fail)
    with pytest.raises(StorageUnavailable):
        parts.submitter.submit(replace(UPLOAD, idempotency_key="k"))
    assert _nothing_is_filed(parts)


def test_an_idempotency_key_gives_the_same_answer_again(parts: Parts) -> None:
    upload = replace(UPLOAD, idempotency_key="k", caller="key1")
    first = parts.submitter.submit(upload)
    with parts.database.write() as unit:
        unit.work.take_up(first["id"], 0, "run", first=True, now=NOW)
        unit.commit()
    assert parts.submitter.submit(upload) == first


@pytest.mark.parametrize("change", [{"data": make_notebook("2")}, {"user": "bob"}, {"submitted_at": NOW}])
def test_an_idempotency_key_is_good_for_one_request(parts: Parts, change: dict[str, Any]) -> None:
    upload = replace(UPLOAD, idempotency_key="k")
    parts.submitter.submit(upload)
    with pytest.raises(Conflict, match="new key"):
        parts.submitter.submit(replace(upload, **change))
    assert parts.count("submission") == 1


def test_keys_of_two_callers_never_meet(parts: Parts) -> None:
    parts.submitter.submit(replace(UPLOAD, idempotency_key="k", caller="one"))
    parts.submitter.submit(replace(UPLOAD, idempotency_key="k", caller="two", user="bob"))
    assert parts.count("submission") == 2


def test_a_refused_upload_leaves_its_idempotency_key_free(parts: Parts) -> None:
    with pytest.raises(UploadRefused):
        parts.submitter.submit(replace(UPLOAD, data=b"", idempotency_key="k"))
    assert parts.submitter.submit(replace(UPLOAD, idempotency_key="k"))["attempt"] == 1


def _claim(parts: Parts, after_seconds: float = 0.0) -> Claim | str:
    now = NOW + timedelta(seconds=after_seconds)
    return claim_answer(parts.database, holder="h", key="k", fingerprint="f", now=now)


def test_a_request_that_still_runs_is_not_answered_twice(parts: Parts) -> None:
    _claim(parts)
    with pytest.raises(StillRunning):
        _claim(parts, after_seconds=1)


def test_a_request_whose_process_died_is_taken_over_and_fenced(parts: Parts) -> None:
    dead, living = _claim(parts), _claim(parts, after_seconds=60)
    assert isinstance(dead, Claim)
    assert isinstance(living, Claim)
    with pytest.raises(StillRunning), parts.database.write() as unit:
        dead.keep(unit, "{}")
    dead.release(parts.database)
    with parts.database.write() as unit:
        living.keep(unit, '{"a": 1}')
        unit.commit()
    assert _claim(parts, after_seconds=61) == '{"a": 1}'


@pytest.mark.parametrize("key", [None, "k"])
def test_many_at_once_are_one_submission(parts: Parts, key: str | None) -> None:
    answers: list[str] = []
    begin = threading.Barrier(8)

    def send() -> None:
        begin.wait()
        try:
            answers.append(parts.submitter.submit(replace(UPLOAD, idempotency_key=key))["id"])
        except StillRunning:
            answers.append("409")

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 8
    assert len(set(answers) - {"409"}) == 1
    assert parts.count("submission") == parts.count("workflow_status") == 1


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("hw.ipynb", "hw.ipynb"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\ada\\hw.ipynb", "hw.ipynb"),
        ("a\x00b\n\u202ec.ipynb", "abc.ipynb"),
        ("\ud800.ipynb", "ipynb"),
        ("", "notebook.ipynb"),
        ("..", "notebook.ipynb"),
        ("ü" * 500 + ".ipynb", "ü" * 194 + ".ipynb"),
    ],
)
def test_file_names_are_cleaned(given: str, kept: str) -> None:
    assert clean_filename(given) == kept


def test_a_submitter_reads_the_time_itself(parts: Parts) -> None:
    submitter = Submitter(parts.database, parts.blobs, parts.jobs, parts.assignments, clock=lambda: NOW)
    assert submitter.submit(UPLOAD)["submittedAt"] == "2026-03-01T12:00:00.000Z"
