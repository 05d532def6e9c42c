"""One's own account, and what admins do with others'."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from fastapi import FastAPI

from grader.domain.people import Role
from grader.services.people.throttle import PASSWORD as LIMIT
from tests.integration.page_requests import PASSWORD, Browser, add_person, signed_in
from tests.integration.parts import Parts, make_parts

NEW = "a better password"


@pytest.fixture
def parts(tmp_path: Path) -> Parts:
    parts = make_parts(tmp_path)
    add_person(parts, "ada", Role.STUDENT)
    add_person(parts, "root", is_admin=True)
    return parts


def _change(browser: Browser, old: str, new: str) -> int:
    return browser.post("/account/password", {"old": old, "new": new}).status_code


def test_a_password_is_changed_by_who_knows_the_old_one_and_other_browsers_are_out(app: FastAPI) -> None:
    here, there = signed_in(app, "ada"), signed_in(app, "ada")
    before = here.client.cookies["grader_session"]
    assert _change(here, PASSWORD, NEW) == 303
    assert here.client.cookies["grader_session"] != before
    assert (here.get("/account").status_code, there.get("/account").status_code) == (200, 303)
    assert Browser(app).sign_in("ada").status_code == 401
    assert Browser(app).sign_in("ada", NEW).status_code == 303


@pytest.mark.parametrize(("old", "new"), [("wrong", NEW), (PASSWORD, "short"), (PASSWORD, "x" * 201)])
def test_a_wrong_old_or_a_poor_new_password_changes_nothing(app: FastAPI, old: str, new: str) -> None:
    browser = signed_in(app, "ada")
    assert _change(browser, old, new) == 422
    assert Browser(app).sign_in("ada").status_code == 303


def test_the_old_password_cannot_be_guessed_from_a_foreign_browser(app: FastAPI) -> None:
    browser = signed_in(app, "ada")
    for _ in range(LIMIT.free):
        assert _change(browser, "wrong", NEW) == 422
    refused = browser.post("/account/password", {"old": PASSWORD, "new": NEW})
    assert (refused.status_code, "Retry-After" in refused.headers) == (429, True)


def test_one_sees_and_ends_ones_own_sessions(app: FastAPI) -> None:
    here, there, third = (signed_in(app, "ada") for _ in range(3))
    other = signed_in(app, "root")
    page = here.get("/account").text
    assert page.count("Sign out there") == 2
    assert page.count("This browser") == 1
    chosen = re.search(r'name="session" value="(\w+)"', page)
    assert chosen is not None
    here.post("/account/sessions", {"session": chosen[1]})
    assert sorted(b.get("/account").status_code for b in (here, there, third)) == [200, 200, 303]
    here.post("/account/sessions")
    assert [b.get("/account").status_code for b in (here, other)] == [200, 200]
    assert here.get("/account").text.count("Sign out there") == 0


def test_nobody_ends_anothers_session(app: FastAPI, parts: Parts) -> None:
    mine, theirs = signed_in(app, "ada"), signed_in(app, "root")
    with parts.database.read() as unit:
        (session,) = unit.sessions.list_of("root")
    mine.post("/account/sessions", {"session": session.token_sha256[:16]})
    assert theirs.get("/account").status_code == 200


def test_an_admin_makes_courses_and_renames_them(app: FastAPI) -> None:
    admin = signed_in(app, "root")
    assert admin.post("/admin/courses", {"id": "ml2", "title": " Machine  Learning "}).status_code == 303
    assert admin.post("/admin/courses", {"id": "ml2", "title": "Again"}).status_code == 422
    refused = admin.post("/admin/courses", {"id": "My Course!", "title": "Machine Learning"})
    assert refused.status_code == 422
    assert re.search(r'name="id" value="My Course!"[^>]* aria-describedby="course-wrong"', refused.text)
    assert 'name="title" value="Machine Learning"' in refused.text
    assert re.search(r'id="course-wrong" role="alert">the course id [^<]*My Course!', refused.text)
    untitled = admin.post("/admin/courses", {"id": "ml3", "title": " "}).text
    assert re.search(r'name="title" value=""[^>]* aria-describedby="course-wrong"', untitled)
    assert admin.post("/admin/courses", {"id": "no/path", "title": "x"}).status_code == 422
    assert 'value="Machine Learning"' in admin.get("/admin").text
    admin.post("/admin/courses/ml2", {"title": "Deep Learning"})
    assert "Deep Learning" in admin.get("/").text
    assert admin.post("/admin/courses/none", {"title": "x"}).status_code == 404


def test_an_admin_finds_people_by_any_part_and_nothing_is_a_pattern(app: FastAPI) -> None:
    admin = signed_in(app, "root")
    assert "/admin/people/ada" in admin.get("/admin?q=ADA@exa").text
    assert "/admin/people/root" not in admin.get("/admin?q=ADA@exa").text
    for pattern in ("%25", "_", "%27"):
        assert "Nobody fits" in admin.get(f"/admin?q={pattern}").text


def test_a_disabled_account_is_out_at_once_until_it_is_enabled(app: FastAPI) -> None:
    admin, student = signed_in(app, "root"), signed_in(app, "ada")
    link = admin.post("/admin/people/ada/invitation").text.split("http://testserver")[1].split('"')[0]
    admin.post("/admin/people/ada/disabled", {"to": "yes"})
    assert student.get("/").status_code == 303
    assert Browser(app).sign_in("ada").status_code == 401
    assert Browser(app).get(link).status_code == 404
    assert admin.post("/admin/people/ada/invitation").status_code == 422
    admin.post("/admin/people/ada/disabled", {"to": "no"})
    assert student.get("/").status_code == 303
    assert Browser(app).sign_in("ada").status_code == 303


def test_the_last_admin_stays_one(app: FastAPI, parts: Parts) -> None:
    admin = signed_in(app, "root")
    for way in ("admin", "disabled"):
        to = "no" if way == "admin" else "yes"
        assert "only admin" in admin.post(f"/admin/people/root/{way}", {"to": to}).text
    admin.post("/admin/people/ada/admin", {"to": "yes"})
    assert admin.post("/admin/people/root/admin", {"to": "no"}).status_code == 303
    assert admin.get("/admin").status_code == 403
    second = signed_in(app, "ada")
    assert second.post("/admin/people/ada/disabled", {"to": "yes"}).status_code == 422


def test_an_admin_who_cannot_sign_in_yet_is_none_to_rely_on(app: FastAPI, parts: Parts) -> None:
    admin = signed_in(app, "root")
    with parts.database.write() as unit:
        unit.people.change("ada", password=None, is_admin=True)
        unit.commit()
    assert admin.post("/admin/people/root/admin", {"to": "no"}).status_code == 422


def test_every_act_is_in_the_audit_log(app: FastAPI, parts: Parts) -> None:
    admin = signed_in(app, "root")
    admin.post("/admin/people/ada/admin", {"to": "yes"})
    admin.post("/admin/people/ada/invitation")
    with parts.database.read() as unit:
        acts = [(entry.actor, entry.action) for entry in unit.audit.page(subject="ada")]
    assert acts[:2] == [("root", "people.invite"), ("root", "person.make_admin")]
