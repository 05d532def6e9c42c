"""Links by which people choose their password: once, for a week, and only from whoever may let them in."""

from __future__ import annotations

import re
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fastapi import FastAPI

from grader.domain.people import Membership, Person, Role
from grader.errors import NotFound
from grader.services.people.administration import OPERATOR, set_admin
from grader.services.people.invitations import LIFETIME, accept, invite
from grader.services.people.roster import enrol_one
from grader.services.people.roster_file import Entry
from grader.web import Deps, create_app
from tests.integration.page_requests import Browser, add_person, signed_in
from tests.integration.parts import NOW, Parts, make_parts

CHOSEN = "a password of my own"


@pytest.fixture
def parts(tmp_path: Path) -> Parts:
    parts = make_parts(tmp_path)
    add_person(parts, "ines", Role.INSTRUCTOR)
    add_person(parts, "root", is_admin=True)
    with parts.database.write() as unit:
        unit.people.add(Person("new", "new", "Newt"), NOW)
        unit.people.enrol("new", Membership("cs101", Role.STUDENT), NOW)
        unit.commit()
    return parts


def _link(parts: Parts, now: datetime | None = None) -> str:
    with parts.database.write() as unit:
        person = unit.people.find("new")
        assert person is not None
        (link,) = invite(unit, "root", [person], now or datetime.now(UTC))
        unit.commit()
    return link.path


def _choose(app: FastAPI, path: str, password: str = CHOSEN, **headers: str) -> int:
    return Browser(app).client.post(path, data={"password": password}, headers=headers).status_code


def test_a_link_lets_its_person_choose_a_password_and_in(app: FastAPI, parts: Parts) -> None:
    browser, path = Browser(app), _link(parts)
    page = browser.get(path)
    assert "Welcome, Newt" in page.text
    # The address is a secret. Without any referrer browsers would send this page's own form without origin.
    assert page.headers["Referrer-Policy"] == "same-origin"
    assert browser.client.post(path, data={"password": CHOSEN}).headers["Location"] == "/"
    assert "Course cs101" in browser.get("/").text
    assert Browser(app).sign_in("new", CHOSEN).status_code == 303


def test_looking_uses_nothing_up_and_a_poor_password_neither(app: FastAPI, parts: Parts) -> None:
    path = _link(parts)
    assert [Browser(app).get(path).status_code for _ in range(2)] == [200, 200]
    assert _choose(app, path, "short") == 422
    assert _choose(app, path, "") == 422
    assert _choose(app, path) == 303


def test_a_link_works_once(app: FastAPI, parts: Parts) -> None:
    path = _link(parts)
    assert _choose(app, path) == 303
    assert Browser(app).get(path).status_code == 404
    assert _choose(app, path, "another password") == 404
    assert Browser(app).sign_in("new", CHOSEN).status_code == 303


def test_of_two_clicks_at_once_one_counts(parts: Parts) -> None:
    token = _link(parts).removeprefix("/invite/")
    ended: list[str] = []

    def click(password: str) -> None:
        try:
            accept(parts.database, token, password, datetime.now(UTC))
            ended.append(password)
        except NotFound:
            ended.append("refused")

    threads = [threading.Thread(target=click, args=(f"password number {n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ended.count("refused") == 3
    assert parts.count("session") == 1


def test_a_new_link_ends_the_older(app: FastAPI, parts: Parts) -> None:
    older, newer = _link(parts), _link(parts)
    assert (_choose(app, older), _choose(app, newer)) == (404, 303)


def test_a_link_ends_after_a_week_and_with_the_account(app: FastAPI, parts: Parts) -> None:
    now = datetime.now(UTC)
    assert _choose(app, _link(parts, now - LIFETIME)) == 404
    path = _link(parts, now - LIFETIME + timedelta(minutes=5))
    with parts.database.write() as unit:
        unit.people.change("new", disabled_at=now)
        unit.commit()
    assert _choose(app, path) == 404


def test_a_chosen_password_signs_other_browsers_out_and_ends_other_links(app: FastAPI, parts: Parts) -> None:
    first = Browser(app)
    first.client.post(_link(parts), data={"password": CHOSEN})
    assert first.get("/").status_code == 200
    assert _choose(app, _link(parts), "yet another password") == 303
    assert first.get("/").status_code == 303


def test_the_table_holds_no_link(parts: Parts) -> None:
    token = _link(parts).removeprefix("/invite/")
    parts.engine.dispose()
    for file in parts.home.glob("grader.db*"):
        assert token.encode() not in file.read_bytes()


def test_no_other_site_can_use_a_form_of_the_way_in(app: FastAPI, parts: Parts) -> None:
    path = _link(parts)
    assert _choose(app, path, **{"Sec-Fetch-Site": "cross-site"}) == 403
    browser = Browser(app)
    data = {"login": "ines", "password": "correct horse battery"}
    refused = browser.client.post("/login", data=data, headers={"Sec-Fetch-Site": "same-site"})
    assert (refused.status_code, "set-cookie" in refused.headers) == (403, False)
    assert _choose(app, path, **{"Sec-Fetch-Site": "same-origin"}) == 303


def test_signing_in_ends_the_session_that_the_browser_brought(app: FastAPI) -> None:
    browser = signed_in(app, "ines")
    before = browser.client.cookies["grader_session"]
    browser.sign_in("ines")
    assert browser.client.cookies["grader_session"] != before
    stolen = Browser(app)
    stolen.client.cookies["grader_session"] = before
    assert stolen.get("/").status_code == 303


def test_over_tls_a_cookie_that_was_set_without_it_counts_for_nothing(parts: Parts) -> None:
    app = create_app(Deps(parts.database, parts.blobs, parts.jobs, parts.assignments))
    token = signed_in(app, "ines").client.cookies["grader_session"]
    secure = Browser(app)
    secure.client.base_url = "https://testserver"  # type: ignore[assignment]
    secure.client.cookies["grader_session"] = token
    assert secure.get("/").status_code == 303


def test_instructors_hand_links_out_for_their_newcomers_as_page_and_as_csv(
    app: FastAPI, parts: Parts
) -> None:
    with parts.database.write() as unit:
        unit.people.change("new", name="=cmd()")
        unit.commit()
    browser = signed_in(app, "ines")
    page = browser.post("/courses/cs101/invitations", {"as": "page"})
    assert page.text.count("http://testserver/invite/") == 2  # in the table and as CSV
    file = browser.post("/courses/cs101/invitations", {"as": "csv", "anew": "yes"})
    assert file.headers["Content-Disposition"] == 'attachment; filename="invitations.csv"'
    head, line, end = file.content.decode("utf-8-sig").split("\r\n")
    assert head == "user_id,name,email,login,link"
    assert line.startswith("new,'=cmd(),,new,http://testserver/invite/")
    assert end == ""
    assert _choose(app, line.rsplit("testserver", 1)[1]) == 303


def test_links_that_are_handed_out_already_end_only_where_that_is_asked_for(
    app: FastAPI, parts: Parts
) -> None:
    browser, path, people = signed_in(app, "ines"), _link(parts), "/courses/cs101/people"
    browser.post(people, {"user_id": "next", "role": "student"})
    page = browser.get(people).text
    assert "<strong>1</strong> person has neither a password nor a link" in page
    assert "<strong>1</strong> person has a link that was not used yet" in page
    made = browser.post("/courses/cs101/invitations", {"as": "csv"}).text
    assert [line.split(",")[0] for line in made.splitlines()[1:]] == ["next"]
    assert Browser(app).get(path).status_code == 200
    page = browser.get(people).text
    assert "Make and show links" not in page
    assert page.count('data-confirm="Make new links? Those of 2 people stop working') == 2
    made = browser.post("/courses/cs101/invitations", {"as": "csv", "anew": "yes"}).text
    assert {line.split(",")[0] for line in made.splitlines()[1:]} == {"new", "next"}
    assert Browser(app).get(path).status_code == 404


def test_whoever_is_added_can_be_given_a_link_at_once_and_nobody_else_is(app: FastAPI, parts: Parts) -> None:
    browser, others = signed_in(app, "ines"), _link(parts)
    added = browser.post("/courses/cs101/people", {"user_id": "ned", "name": "Ned", "role": "student"})
    page = browser.get(added.headers["Location"]).text
    assert "Ned takes part now." in page
    form = re.search(r'action="([^"]+)">\s*<input[^>]*>\s*<button>Make their link', page)
    assert form is not None
    links = browser.post(form[1]).text
    assert "Ned" in links
    assert "Newt" not in links
    assert Browser(app).get(others).status_code == 200
    add_person(parts, "eva", Role.STUDENT, course="cs202")
    added = browser.post("/courses/cs101/people", {"user_id": "eva", "role": "student"})
    page = browser.get(added.headers["Location"]).text
    assert "Eva takes part now. They have a password already." in page
    assert "Make their link" not in page


@pytest.mark.parametrize("elsewhere", [Role.STUDENT, Role.TA, Role.INSTRUCTOR])
def test_an_instructor_gets_no_link_to_an_account_that_is_something_elsewhere(
    app: FastAPI, parts: Parts, elsewhere: Role
) -> None:
    add_person(parts, "otto", Role.INSTRUCTOR, course="cs202")
    with parts.database.write() as unit:
        unit.people.enrol("new", Membership("cs202", elsewhere), NOW)
        unit.people.remove("cs202", "new", NOW)  # also what they were
        unit.commit()
    browser = signed_in(app, "ines")
    assert browser.post("/courses/cs101/people/new/invitation").status_code == 403
    assert "/invite/" not in browser.post("/courses/cs101/invitations").text
    assert signed_in(app, "root").post("/courses/cs101/people/new/invitation").status_code == 200


def test_work_that_a_platform_handed_in_elsewhere_keeps_its_user_from_others_links(
    app: FastAPI, parts: Parts
) -> None:
    with parts.database.write() as unit:
        unit.people.add_course("cs202", "Other", NOW)
        unit.commit()
    parts.submit(user="ghost")  # for cs101
    add_person(parts, "otto", Role.INSTRUCTOR, course="cs202")
    browser = signed_in(app, "otto")
    browser.post("/courses/cs202/people", {"user_id": "ghost", "role": "student"})
    assert browser.post("/courses/cs202/people/ghost/invitation").status_code == 403


def test_no_instructor_gets_a_link_to_an_admin_or_to_a_colleague_with_a_password(
    app: FastAPI, parts: Parts
) -> None:
    add_person(parts, "iris", Role.INSTRUCTOR)
    add_person(parts, "boss", Role.STUDENT, is_admin=True)
    browser = signed_in(app, "ines")
    for person in ("iris", "boss"):
        assert browser.post(f"/courses/cs101/people/{person}/invitation").status_code == 403


def test_a_link_that_an_instructor_holds_ends_when_its_person_becomes_more(
    app: FastAPI, parts: Parts
) -> None:
    path = _link(parts)
    enrol_one(parts.database, OPERATOR, "cs101", Entry(0, "new", role=Role.TA), NOW)
    assert _choose(app, path) == 404
    path = _link(parts)
    enrol_one(parts.database, OPERATOR, "cs101", Entry(0, "new", sections=frozenset({"A"})), NOW)
    set_admin(parts.database, OPERATOR, "new", NOW, admin=True)
    assert _choose(app, path) == 404
