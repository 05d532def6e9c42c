"""The way in and out, and what pages say when something is wrong."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from fastapi import FastAPI

from grader.domain.people import Role
from grader.web import Deps, create_app
from tests.integration.page_requests import PASSWORD, Browser, add_person, signed_in
from tests.integration.parts import Parts, make_parts


@pytest.fixture
def parts(tmp_path: Path) -> Parts:
    parts = make_parts(tmp_path)
    add_person(parts, "ada", Role.STUDENT)
    return parts


def test_without_a_session_every_page_leads_to_the_sign_in(app: FastAPI) -> None:
    answer = Browser(app).get("/")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/login?next=/")


def test_who_signs_in_sees_their_courses(app: FastAPI) -> None:
    browser = signed_in(app, "ADA ")
    page = browser.get("/")
    assert page.status_code == 200
    assert "Course cs101" in page.text
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(app: FastAPI) -> None:
    cookie = Browser(app).sign_in("ada").headers["Set-Cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie


@pytest.mark.parametrize(("login", "password"), [("ada", "wrong"), ("nobody", "wrong"), ("ada", "")])
def test_a_wrong_password_and_an_unknown_name_are_told_alike(app: FastAPI, login: str, password: str) -> None:
    answer = Browser(app).sign_in(login, password or "x")
    assert answer.status_code == 401
    assert "do not belong together" in answer.text
    assert "set-cookie" not in answer.headers


def test_signing_out_ends_the_session_itself(app: FastAPI) -> None:
    browser = signed_in(app, "ada")
    kept = dict(browser.client.cookies)
    assert browser.post("/logout").status_code == 303
    browser.client.cookies.update(kept)
    assert browser.get("/").status_code == 303


def test_a_form_without_the_sessions_token_changes_nothing(app: FastAPI) -> None:
    browser = signed_in(app, "ada")
    for token in ("", "x", "ä"):
        answer = browser.client.post("/logout", data={"csrf": token})
        assert answer.status_code == 403
        assert "reload it" in answer.text
    assert browser.get("/").status_code == 200


@pytest.mark.parametrize(
    "where", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:x"]
)
def test_no_link_leads_elsewhere_after_signing_in(app: FastAPI, where: str) -> None:
    answer = Browser(app).client.post(
        "/login", data={"login": "ada", "password": "correct horse battery", "next": where}
    )
    assert answer.headers["Location"] == "/"


def test_a_session_ends_by_time_and_with_the_account(app: FastAPI, parts: Parts) -> None:
    browser = signed_in(app, "ada")
    later = app.state.deps.clock() + timedelta(days=15)
    late = create_app(Deps(parts.database, parts.blobs, parts.jobs, parts.assignments, clock=lambda: later))
    late_browser = Browser(late)
    late_browser.client.cookies.update(dict(browser.client.cookies))
    assert late_browser.get("/").status_code == 303
    assert browser.get("/").status_code == 200
    with parts.database.write() as unit:
        unit.people.change("ada", disabled_at=later)
        unit.commit()
    assert browser.get("/").status_code == 303


def test_what_is_not_there_is_told_on_a_page_and_to_programs_as_before(app: FastAPI) -> None:
    page = signed_in(app, "ada").get("/nowhere")
    assert page.status_code == 404
    assert "<h1>Nothing is here</h1>" in page.text
    assert Browser(app).get("/api/v1/nowhere").headers["content-type"] == "application/problem+json"


PAGE = "/courses/cs101/assignments/hw"
SIGNED_OUT = {
    f"{PAGE}/drafts": "nothing was handed in. Sign in and choose the file again.",
    "/account/password": "what you sent was not taken. Sign in and send it again.",
}


@pytest.mark.parametrize("form", SIGNED_OUT)
def test_who_was_signed_out_is_told_that_the_form_was_lost_and_comes_back_to_its_page(
    app: FastAPI, form: str
) -> None:
    browser = Browser(app)
    lost = browser.client.post(
        form, files={"file": ("a", b"x")}, headers={"Referer": f"http://testserver{PAGE}"}
    )
    assert lost.status_code == 303
    page = browser.get(lost.headers["Location"]).text
    assert f"You were signed out; {SIGNED_OUT[form]}" in page
    assert f'name="next" value="{PAGE}"' in page
    assert "signed out" not in browser.get("/login?next=/&lost=<b>").text


@pytest.mark.parametrize(
    "sender", ["", "http://evil.example/courses", "http://testserver//evil.example", "http://[", "nonsense"]
)
def test_a_lost_form_of_who_knows_whence_leads_to_the_courses(app: FastAPI, sender: str) -> None:
    lost = Browser(app).client.post("/account/password", headers={"Referer": sender})
    assert lost.headers["Location"].startswith("/login?next=/&lost=")


def test_who_went_wrong_stays_signed_in_to_the_eye_and_finds_the_way_back(app: FastAPI) -> None:
    ada = signed_in(app, "ada")
    for path, back in (
        ("/nowhere", "/"),
        ("/courses/cs101/roster", "/courses/cs101"),
        ("/courses/x/roster", "/"),
    ):
        page = ada.get(path).text
        assert "<summary>Ada</summary>" in page
        assert f'<p><a href="{back}">' in page
    from_page = {"Referer": f"http://testserver{PAGE}"}
    page = ada.client.post("/account/password", data={"csrf": "x"}, headers=from_page).text
    assert "open for too long" in page
    assert f'<p><a href="{PAGE}">' in page
    elsewhere = {"Referer": "http://evil.example/x"}
    page = ada.client.post("/account/password", data={"csrf": "x"}, headers=elsewhere).text
    assert '<p><a href="/">' in page
    assert "<summary>" not in Browser(app).get("/nowhere").text


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 303),  # a program
        ({"Origin": "http://testserver"}, 303),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "http://testserver.evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://["}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://testserver"}, 403),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "https://named.by.a.proxy"}, 303),
    ],
)
def test_no_other_site_signs_anybody_in(app: FastAPI, headers: dict[str, str], status: int) -> None:
    form = {"login": "ada", "password": PASSWORD}
    assert Browser(app).client.post("/login", data=form, headers=headers).status_code == status
