"""One person's data goes out whole and goes for good, and nothing else goes with it."""

from __future__ import annotations

import io
import json
import re
import zipfile
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from fastapi import FastAPI

from grader.domain.people import Actor, Role
from grader.errors import NotFound, NotPermitted, RequestRefused
from grader.services.people.administration import has_admin
from grader.services.people.throttle import hide_login
from grader.services.privacy.erase import Eraser
from grader.services.privacy.person import SERVICE, erase_person, export_person, plan_erasure
from grader.services.privacy.retention import delete_overdue, list_overdue, set_retention
from grader.services.privacy.sweep import sweep_blobs
from grader.storage.drafts import Draft
from grader.storage.personal_data import NOT_ABOUT, OF_LOGIN, OF_PERSON, OF_SUBMISSION
from grader.storage.tables.figures import resemblance
from grader.storage.tables.schema import APPEND_ONLY, metadata
from tests.integration.graded import graded, hand_in
from tests.integration.page_requests import Browser, add_person, signed_in
from tests.integration.parts import Parts, make_notebook
from tests.integration.privacy_parts import BOOK, LONG_AGO, SENT, blobs, rows, set_up_course
from tests.integration.web_requests import PATH, bearer


@pytest.fixture
def eraser(parts: Parts) -> Eraser:
    return Eraser(parts.database, parts.blobs, parts.jobs)


@pytest.fixture
def ina(parts: Parts, app: FastAPI) -> Browser:
    return set_up_course(parts, app)


def test_an_erased_person_leaves_an_id_in_the_audit_log_and_nothing_else(
    parts: Parts, ina: Browser, eraser: Eraser
) -> None:
    ids = [one for one, in parts.engine.connect().exec_driver_sql(
        "SELECT id FROM submission WHERE user_id = 'zelda-7'")]  # fmt: skip
    before, login = blobs(parts), hide_login("zelda-7")
    assert {table for table, row in rows(parts) if "zelda-7" in row or login in row} >= {
        "submission", "standing", "person", "member", "member_section", "session", "accommodation",
        "login_failure", "override",
    }  # fmt: skip
    erase_person(parts.database, eraser, SERVICE, "zelda-7", "asked for it", datetime.now(UTC))
    named = "|".join(["[Zz]elda", login, *ids])
    assert {table for table, row in rows(parts) if re.search(named, row)} <= {"audit", "erasure"}
    assert not any("Zelda" in row for _, row in rows(parts))
    left = blobs(parts)
    assert not any(re.search(named.encode(), data) for data in left.values())
    gone = {data for path, data in before.items() if path not in left}
    assert b"the same weights for everybody" not in gone
    assert {data for data in gone if b"executed" in data}
    with parts.database.read() as unit:
        (ben,) = unit.personal_data.submissions(user="ben")
        assert parts.blobs.get(ben.notebook_sha256)
        assert unit.standings.find(ben.id) is not None
        (entry,) = unit.audit.page(action="person.erase")
    assert (entry.subject, entry.details["submissions"]) == ("zelda-7", 2)


def test_work_in_flight_is_ended_first_and_its_job_forgotten(parts: Parts, eraser: Eraser) -> None:
    submission_id = hand_in(parts, "ada", SENT)
    assert any(submission_id in row for table, row in rows(parts) if table == "workflow_status")
    erase_person(parts.database, eraser, SERVICE, "ada", "asked for it", datetime.now(UTC))
    assert {table for table, row in rows(parts) if submission_id in row} == {"audit", "erasure"}
    assert blobs(parts) == {}


def test_stored_answers_of_the_api_go_too(parts: Parts, app: FastAPI, eraser: Eraser) -> None:
    from fastapi.testclient import TestClient

    from tests.integration.web_requests import FILE

    with TestClient(app) as client:
        headers = {"Authorization": bearer(parts), "Idempotency-Key": "once"}
        assert client.post(PATH, files=FILE, data={"userId": "zelda-7"}, headers=headers).status_code == 202
    assert parts.count("idempotency") == 1
    erase_person(parts.database, eraser, SERVICE, "zelda-7", "asked for it", datetime.now(UTC))
    assert parts.count("idempotency") == 0


def test_the_plan_is_what_the_erasure_does(parts: Parts, ina: Browser, eraser: Eraser) -> None:
    plan = plan_erasure(parts.database, eraser, SERVICE, "zelda-7")
    before = sum(1 for _ in rows(parts))
    assert sum(1 for _ in rows(parts)) == before
    removed = erase_person(parts.database, eraser, SERVICE, "zelda-7", "asked for it", datetime.now(UTC))
    assert removed.rows == plan.removed.rows
    assert removed.blobs == plan.removed.blobs > 0
    with pytest.raises(NotFound):
        plan_erasure(parts.database, eraser, SERVICE, "zelda-7")


def test_a_blob_that_somebody_puts_meanwhile_stays(parts: Parts, eraser: Eraser) -> None:
    graded(parts, "ada", sent=SENT, code="print('same')")
    sha256 = parts.blobs.put(make_notebook("print('same')"))  # by someone whose row is not written yet
    erase_person(parts.database, eraser, SERVICE, "ada", "asked for it", datetime.now(UTC))
    assert parts.blobs.get(sha256)


def test_erasing_is_for_admins_with_a_reason_and_not_for_oneself(
    parts: Parts, ina: Browser, eraser: Eraser
) -> None:
    now = datetime.now(UTC)
    instructor = Actor("ina", "Ina", {})
    with pytest.raises(NotPermitted):
        erase_person(parts.database, eraser, instructor, "ben", "why not", now)
    with pytest.raises(RequestRefused, match="why"):
        erase_person(parts.database, eraser, SERVICE, "ben", " ", now)
    with pytest.raises(RequestRefused, match="own"):
        erase_person(parts.database, eraser, Actor("ben", "Ben", is_admin=True), "ben", "tired", now)
    assert plan_erasure(parts.database, eraser, SERVICE, "ben").submissions


def test_two_admins_who_erase_each_other_leave_one(parts: Parts, ina: Browser, eraser: Eraser) -> None:
    for admin in ("root", "boss"):
        add_person(parts, admin, is_admin=True)
    root, boss = (Actor(one, one, is_admin=True) for one in ("root", "boss"))  # as both requests read them
    erase_person(parts.database, eraser, root, "boss", "a quarrel", datetime.now(UTC))
    with pytest.raises(RequestRefused, match="only admin"):
        erase_person(parts.database, eraser, boss, "root", "a quarrel", datetime.now(UTC))
    assert has_admin(parts.database)


@pytest.mark.parametrize("table", APPEND_ONLY)
def test_append_only_tables_still_refuse_everything_else(
    parts: Parts, ina: Browser, eraser: Eraser, table: str
) -> None:
    erase_person(parts.database, eraser, SERVICE, "zelda-7", "asked for it", datetime.now(UTC))
    ina.post(f"{BOOK}/students/ben/items/ex1.runs", {"points": "7", "reason": "because", "follows": "0"})
    if table == "rubric_version":
        with parts.engine.begin() as connection:
            connection.exec_driver_sql(
                "INSERT INTO rubric_version (assignment, sha256, text, file_sha256, note, actor, made_at) "
                "VALUES ('hw', '', '', '', '', '', '2026-01-01 00:00:00')"
            )
    assert parts.count(table) > 0
    column = {"submission": "filename", "erasure": "reason"}.get(table, "id")
    for statement in (
        f'DELETE FROM "{table}"',
        f'UPDATE "{table}" SET {column} = {column}',
        f'INSERT OR REPLACE INTO "{table}" SELECT * FROM "{table}"',
    ):
        with parts.database.read() as unit, pytest.raises(sa.exc.IntegrityError, match="append-only"):
            unit.connection.exec_driver_sql(statement)


@pytest.mark.parametrize(
    ("table", "changed"),
    [
        ("submission", {"id": "'new'", "notebook_sha256": "'new'"}),
        ("grade", {"id": "id + 99", "given": "8"}),
        ("override", {"id": "id + 99", "points": "8"}),
    ],
)
def test_no_row_takes_the_place_of_one_with_the_same_key(
    parts: Parts, ina: Browser, table: str, changed: dict[str, str]
) -> None:
    columns = ", ".join(changed.get(column.name, column.name) for column in metadata.tables[table].columns)
    statement = f'INSERT OR REPLACE INTO "{table}" SELECT {columns} FROM "{table}" LIMIT 1'
    with parts.database.read() as unit, pytest.raises(sa.exc.IntegrityError, match="append-only"):
        unit.connection.exec_driver_sql(statement)


def test_every_table_is_known_to_hold_something_about_people_or_not() -> None:
    known = {column.table.name for column in (OF_SUBMISSION | OF_PERSON | OF_LOGIN).values()}
    assert known | NOT_ABOUT == set(metadata.tables)
    assert not known & NOT_ABOUT


def _export(parts: Parts, actor: Actor, person: str, course: str | None = None) -> zipfile.ZipFile:
    file = io.BytesIO()
    export_person(parts.database, parts.blobs, actor, person, file, datetime.now(UTC), course)
    return zipfile.ZipFile(file)


def test_an_export_has_everything_but_secrets_and_the_key(parts: Parts, ina: Browser) -> None:
    graded(parts, "zelda-7", sent=SENT, code="print(3)", proposed=4.0)
    archive = _export(parts, SERVICE, "zelda-7")
    tables = json.loads(archive.read("person.json"))
    assert set(tables) >= {
        "person", "member", "member_section", "session", "login_failure", "accommodation", "audit",
        "submission", "work", "evidence", "grade", "standing", "mark", "override",
    }  # fmt: skip
    assert b"by zelda-7" in archive.read("submissions/cs101/hw/attempt-1-hw.ipynb")
    files = [archive.read(name) for name in archive.namelist() if name.startswith("files/")]
    assert b"the same weights for everybody" in files
    text = archive.read("person.json").decode()
    assert '"proposal"' not in text
    for secret in ("password", "token_sha256", "csrf", "argon2"):
        assert secret not in text
    assert {row["user_id"] for row in tables["submission"]} == {"zelda-7"}
    assert {row["points"] for row in tables["override"]} == {7.0}


def test_instructors_export_within_their_course_alone(parts: Parts, ina: Browser, app: FastAPI) -> None:
    add_person(parts, "zelda-7", Role.STUDENT, course="other")
    answer = ina.post("/courses/cs101/data/export", {"person": "zelda-7"})
    tables = json.loads(zipfile.ZipFile(io.BytesIO(answer.content)).read("person.json"))
    assert {row["course"] for row in tables["member"]} == {"cs101"}
    assert "session" not in tables
    assert "Nothing is stored" in ina.post("/courses/cs101/data/export", {"person": "nobody"}).text
    assert ina.post("/courses/other/data/export", {"person": "zelda-7"}).status_code == 404
    for who in ("zelda-7", "ben"):
        browser = signed_in(app, who)
        assert browser.get("/courses/cs101/data").status_code == 403
        assert browser.post("/courses/cs101/data/export", {"person": "ben"}).status_code == 403
    assert ina.get("/admin/data").status_code == 403
    assert ina.post("/admin/data/person", {"person": "ben", "act": "show"}).status_code == 403
    assert ina.post("/admin/data/retention", {"course": "cs101"}).status_code == 403


def test_an_admin_looks_before_erasing_and_types_the_id_again(
    parts: Parts, ina: Browser, app: FastAPI
) -> None:
    add_person(parts, "root", is_admin=True)
    root = signed_in(app, "root")
    page = root.post("/admin/data/person", {"person": "zelda-7", "act": "show"}).text
    assert "2 submissions" in page
    data = {"person": "zelda-7", "act": "erase", "reason": "asked for it"}
    assert root.post("/admin/data/person", {**data, "again": "zelda"}).status_code == 422
    assert parts.count("erasure") == 0
    assert "Erased" in root.post("/admin/data/person", {**data, "again": "zelda-7"}).text
    assert parts.count("erasure") == 2
    assert "erased everything" in root.get("/admin/audit").text


def test_the_dry_run_of_retention_is_what_the_run_deletes(parts: Parts, ina: Browser, eraser: Eraser) -> None:
    now = datetime.now(UTC)
    assert ina.post("/courses/cs101/data/retention", {"days": "365"}).status_code == 303
    assert list_overdue(parts.database, eraser, SERVICE, now) == []
    later = now + LONG_AGO
    (planned,) = list_overdue(parts.database, eraser, SERVICE, later)
    assert planned.people == ("Ben", "Zelda-7")
    assert parts.count("submission") == 3
    (done,) = delete_overdue(parts.database, eraser, SERVICE, later)
    assert done == planned
    assert done.removed.rows["accommodation"] == 1
    for table in {column.table.name for column in OF_SUBMISSION.values()} | {"accommodation"}:
        assert parts.count(f'"{table}"') == 0
    assert blobs(parts) == {}
    assert parts.count("member") == 3
    assert list_overdue(parts.database, eraser, SERVICE, later) == []


def test_retention_leaves_other_courses_and_is_never_silent(
    parts: Parts, ina: Browser, eraser: Eraser
) -> None:
    later = datetime.now(UTC) + LONG_AGO
    assert delete_overdue(parts.database, eraser, SERVICE, later) == []
    instructor = Actor("ina", "Ina", {})
    with pytest.raises(NotPermitted):
        set_retention(parts.database, instructor, "cs101", 1, later)
    for days in ("0", "-3", "1.5", "many"):
        assert ina.post("/courses/cs101/data/retention", {"days": days}).status_code == 422
    ina.post("/courses/cs101/data/retention", {"days": "30"})
    assert "Nothing." in ina.get("/courses/cs101/data").text
    with pytest.raises(NotPermitted):
        delete_overdue(parts.database, eraser, instructor, later)
    assert parts.count("submission") == 3


def test_drafts_go_with_their_person_unless_somebody_else_has_the_same(parts: Parts, eraser: Eraser) -> None:
    add_person(parts, "ada", Role.STUDENT)
    now = datetime.now(UTC)
    own, shared = parts.blobs.put(b"a draft of ada's"), parts.blobs.put(b"a draft of both")
    with parts.database.write() as unit:
        for user, sha256 in (("ada", own), ("ada", shared), ("ben", shared)):
            unit.drafts.put("cs101", "hw", user, Draft(sha256, "hw.ipynb", now))
        unit.commit()
    archive = _export(parts, SERVICE, "ada")
    assert archive.read("drafts/1.ipynb") in (b"a draft of ada's", b"a draft of both")
    removed = erase_person(parts.database, eraser, SERVICE, "ada", "asked for it", now)
    assert (removed.rows["draft"], removed.blobs) == (2, 1)
    assert list(blobs(parts).values()) == [b"a draft of both"]
    assert parts.count("draft") == 1


def test_the_sweep_deletes_old_blobs_that_nothing_names(parts: Parts, ina: Browser) -> None:
    waiting = hand_in(parts, "ada", SENT)
    kept = len(blobs(parts))
    parts.blobs.put(b"of a run that broke off")
    now = datetime.now(UTC)

    def sweep(at: datetime, *, dry_run: bool = False) -> int:
        return sweep_blobs(parts.database, parts.blobs, parts.jobs, SERVICE, at, dry_run=dry_run)

    assert sweep(now) == 0
    # What stages of runs leave once there is evidence is named by nothing either: two kinds of it here.
    stages = 4
    assert sweep(now + timedelta(days=8), dry_run=True) == 1 + stages
    assert len(blobs(parts)) == kept + 1
    assert sweep(now + timedelta(days=8)) == 1 + stages
    assert b"of a run that broke off" not in blobs(parts).values()
    with parts.database.read() as unit:
        for submission in unit.personal_data.submissions():
            assert parts.blobs.get(submission.notebook_sha256)
            for evidence in unit.personal_data.evidence_documents([submission.id]):
                assert parts.blobs.get(json.loads(evidence)["data"]["run"]["executed_sha256"])
        assert waiting in {submission.id for submission in unit.personal_data.submissions()}


def test_what_says_that_two_are_alike_goes_with_either(parts: Parts, eraser: Eraser) -> None:
    ada, ben = (graded(parts, user, sent=SENT, code=f"x = {user!r}") for user in ("ada", "ben"))
    first, second = sorted((ada, ben))
    with parts.engine.begin() as connection:
        connection.execute(
            sa.insert(resemblance).values(
                submission_id=first, other_id=second, kind="code", course="cs101", assignment="hw",
                share=0.9, passages=3,
            )
        )  # fmt: skip
    told = [_export(parts, SERVICE, user).read("person.json").decode() for user in ("ada", "ben")]
    assert ben not in told[0]
    assert ada not in told[1]
    assert sum('"resemblance"' in one for one in told) == 1
    erase_person(parts.database, eraser, SERVICE, "ben", "asked for it", datetime.now(UTC))
    assert parts.count("resemblance") == 0
    assert plan_erasure(parts.database, eraser, SERVICE, "ada").submissions
