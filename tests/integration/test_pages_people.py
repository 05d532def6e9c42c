"""A course's people: found, added, changed, removed; and rosters, looked at before they are applied."""

from __future__ import annotations

import base64
import re
import zlib
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from grader.domain.people import Role
from tests.integration.page_requests import Browser, add_person, signed_in
from tests.integration.parts import Parts, make_parts

PEOPLE, ROSTER = "/courses/cs101/people", "/courses/cs101/roster"


@pytest.fixture
def parts(tmp_path: Path) -> Parts:
    parts = make_parts(tmp_path)
    add_person(parts, "ines", Role.INSTRUCTOR)
    return parts


@pytest.fixture
def browser(app: FastAPI) -> Browser:
    return signed_in(app, "ines")


def _look(browser: Browser, text: str) -> httpx.Response:
    return browser.post(ROSTER, files={"file": ("roster.csv", text.encode())})


def _apply(browser: Browser, preview: httpx.Response, **more: str) -> httpx.Response:
    fields = dict(re.findall(r'name="(roster|fingerprint)" value="([^"]*)"', preview.text))
    return browser.post(f"{ROSTER}/apply", {**fields, **more})


def _import(browser: Browser, text: str, **more: str) -> None:
    assert _apply(browser, _look(browser, text), **more).status_code == 303


def _counts(preview: httpx.Response) -> list[int]:
    """New, changed, unchanged, missing."""
    return [int(number) for number in re.findall(r"<dd>(\d+)</dd>", preview.text)]


def _names(page: httpx.Response) -> list[str]:
    return re.findall(r'<th scope="row"><a [^>]*>([^<]*)</a>', page.text)


def test_a_roster_is_looked_at_before_anything_changes(browser: Browser, parts: Parts) -> None:
    preview = _look(browser, "user_id,name,sections\nada,Ada,A;B\nben,=1+1,B\n")
    assert _counts(preview) == [2, 0, 0, 0]
    assert parts.count("member") == 1
    assert _apply(browser, preview).headers["Location"] == f"{PEOPLE}?done=imported"
    assert _names(browser.get(PEOPLE)) == ["=1+1", "Ada", "Ines"]


def test_the_same_roster_again_changes_nothing(browser: Browser) -> None:
    text = "user_id,name,email,sections\nada,Ada,a@example.org,A\n"
    _import(browser, text)
    preview = _look(browser, text)
    assert _counts(preview) == [0, 0, 1, 0]
    assert "nothing to apply" in preview.text


def test_a_form_that_is_sent_twice_applies_once(browser: Browser, parts: Parts) -> None:
    preview = _look(browser, "user_id\nada\n")
    assert _apply(browser, preview).status_code == 303
    again = _apply(browser, preview)
    assert (again.status_code, _counts(again)) == (409, [0, 0, 1, 0])


def test_what_changed_meanwhile_is_shown_and_not_overwritten(browser: Browser) -> None:
    preview = _look(browser, "user_id,name,role\nada,Ada,student\n")
    browser.post(PEOPLE, {"user_id": "ada", "name": "Ada L.", "role": "ta"})
    again = _apply(browser, preview)
    assert (again.status_code, _counts(again)) == (409, [0, 1, 0, 0])
    assert _apply(browser, again).status_code == 303


def test_nobody_is_removed_unless_it_is_ticked_and_staff_never(browser: Browser, parts: Parts) -> None:
    _import(browser, "user_id,role\nada,student\nben,student\ntom,ta\n")
    parts.submit(user="ada")
    preview = _look(browser, "user_id\nben\n")
    assert _counts(preview) == [0, 0, 1, 1]
    _import(browser, "user_id\nben\ncem\n")
    assert len(_names(browser.get(PEOPLE))) == 5
    _import(browser, "user_id\nben\ncem\n", remove="yes")
    assert set(_names(browser.get(PEOPLE))) == {"Ines", "ben", "cem", "tom"}
    assert parts.count("submission") == 1
    _import(browser, "user_id,name\nada,Ada\n")
    assert "Ada" in _names(browser.get(PEOPLE))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("u 1,x,,", "user id"),
        (",x,,", "nothing stands"),
        ("u1,x,,king", "role"),
        ("u1,x,ines,", "another account"),
        ("u1,x,a login,", "no spaces"),
        (f"u1,{'x' * 256},,", "at most 255"),
        ("ok,something else,,", "same user as in line 2"),
        ("ines,Ines,,student", "that is you"),
    ],
)
def test_a_wrong_line_is_named_and_keeps_all_from_being_applied(
    browser: Browser, parts: Parts, line: str, said: str
) -> None:
    text = f"user_id,name,login,role\nok,Fine,,\n{line}\n"
    preview = _look(browser, text)
    assert re.search(rf'class="number">3</th><td>[^<]*{said}', preview.text)
    assert "Apply" not in preview.text
    packed = base64.b64encode(zlib.compress(text.encode())).decode()
    assert _apply(browser, preview, roster=packed).status_code in (409, 422)
    assert parts.count("member") == 1


def test_somebody_in_two_sections_may_stand_in_two_lines(browser: Browser) -> None:
    _import(browser, "user_id,name,section\nada,Ada,A\nada,Ada,B\n")
    assert "<td>A, B</td>" in browser.get(PEOPLE).text


def test_two_people_of_a_file_cannot_have_one_login(browser: Browser) -> None:
    preview = _look(browser, "user_id,email\nada,same@example.org\nben,Same@example.org\n")
    assert "another account" in preview.text


def test_accounts_that_are_not_of_this_course_alone_keep_name_and_login(
    browser: Browser, parts: Parts
) -> None:
    add_person(parts, "eva", Role.STUDENT, course="cs202")
    add_person(parts, "boss", is_admin=True)
    preview = _look(browser, "user_id,name,login\neva,Mallory,mallory\nboss,Mallory,mallory2\n")
    assert preview.text.count("there is such an account") == 2
    assert ">Eva<" not in preview.text, "a list of ids must not tell who they are"
    _apply(browser, preview)
    assert _names(browser.get(PEOPLE)) == ["Boss", "Eva", "Ines"]
    browser.post(f"{PEOPLE}/eva", {"role": "student", "name": "Mallory", "login": "mallory"})
    assert "Eva" in _names(browser.get(PEOPLE))


@pytest.mark.parametrize(
    "packed", ["", "x", "AAAA", base64.b64encode(zlib.compress(b"\0" * 9_000_000)).decode()]
)
def test_a_form_that_came_back_damaged_is_refused(browser: Browser, packed: str) -> None:
    assert browser.post(f"{ROSTER}/apply", {"roster": packed}).status_code == 422


def test_a_file_that_is_too_large_is_refused_and_one_that_is_none_named(browser: Browser) -> None:
    assert browser.post(ROSTER, files={"file": ("r.csv", b"x" * (5 << 20))}).status_code == 413
    assert browser.post(ROSTER, {"file": "no file"}).status_code == 422
    assert "is no CSV" in browser.post(ROSTER, files={"file": ("r.csv", b'a\n"' + b"x" * 200_000)}).text


def test_ten_thousand_people_come_in_and_are_found(browser: Browser, parts: Parts) -> None:
    lines = "\n".join(f"u{n},Person {n:05},p{n}@example.org,S{n % 40}" for n in range(10_000))
    _import(browser, f"user_id,name,email,section\n{lines}\n")
    page = browser.get(f"{PEOPLE}?page=200")
    assert "9951–10000 of 10001" in page.text
    assert _names(browser.get(f"{PEOPLE}?q=P4321@")) == ["Person 04321"]
    assert "1–50 of 250" in browser.get(f"{PEOPLE}?section=S7").text
    assert _names(browser.get(f"{PEOPLE}?sort=-name"))[0] == "Person 09999"
    links = browser.post("/courses/cs101/invitations", {"as": "csv"}).content
    assert links.count(b"/invite/") == 10_000


def test_people_are_searched_filtered_and_sorted_on_the_server(browser: Browser) -> None:
    _import(browser, "user_id,name,role,sections\nada,Zoe,ta,A\nben,Ben,student,A\ncem,Cem,student,B\n")
    assert _names(browser.get(f"{PEOPLE}?role=student&section=A")) == ["Ben"]
    assert _names(browser.get(f"{PEOPLE}?sort=-name")) == ["Zoe", "Ines", "Cem", "Ben"]
    assert _names(browser.get(f"{PEOPLE}?sort=login&role=nonsense"))[0] == "Zoe"
    assert _names(browser.get(f"{PEOPLE}?sort=nonsense")) == ["Ben", "Cem", "Ines", "Zoe"]
    assert "Nobody fits" in browser.get(f"{PEOPLE}?q=%25").text


def test_one_is_added_changed_and_removed(browser: Browser, parts: Parts) -> None:
    added = browser.post(
        PEOPLE,
        {"user_id": "ada", "name": "Ada", "role": "ta", "sections": "A, B;C", "email": "A@example.org"},
    )
    assert added.status_code == 303
    page = browser.get(f"{PEOPLE}/ada").text
    assert 'value="A; B; C"' in page
    assert 'value="a@example.org"' in page
    browser.post(f"{PEOPLE}/ada", {"name": "Ada L.", "role": "student", "sections": ""})
    assert _names(browser.get(f"{PEOPLE}?role=student")) == ["Ada L."]
    assert browser.post(f"{PEOPLE}/ada/remove").status_code == 303
    assert browser.post(f"{PEOPLE}/ada/remove").status_code == 404
    assert browser.post(f"{PEOPLE}/ada", {"role": "instructor"}).status_code == 404
    assert _names(browser.get(PEOPLE)) == ["Ines"]
    with parts.database.read() as unit:
        acts = [entry.action for entry in unit.audit.page(course="cs101", subject="ada")]
    assert acts == ["people.remove", "people.enrol", "people.enrol"]


@pytest.mark.parametrize("form", [{"user_id": ""}, {"user_id": "a/b"}, {"user_id": "x", "role": "king"}])
def test_somebody_who_cannot_be_is_not_added(browser: Browser, parts: Parts, form: dict[str, str]) -> None:
    assert browser.post(PEOPLE, {"role": "student", **form}).status_code == 422
    assert parts.count("person") == 1


@pytest.mark.parametrize(("days", "told"), [("30", "for 30 days"), ("1", "for 1 day"), ("", "for good")])
def test_how_long_work_is_kept_is_said_once_it_is_saved(browser: Browser, days: str, told: str) -> None:
    assert "Saved" not in browser.get("/courses/cs101/data").text
    saved = browser.post("/courses/cs101/data/retention", {"days": days})
    assert f'role="status">Saved: work is kept {told}' in browser.get(saved.headers["Location"]).text


def test_a_name_is_text_wherever_it_is_shown(browser: Browser) -> None:
    browser.post(PEOPLE, {"user_id": "ada", "name": "<script>alert(1)</script>", "role": "student"})
    for path in (PEOPLE, f"{PEOPLE}/ada"):
        assert "<script>alert" not in browser.get(path).text


def test_work_for_a_course_that_nobody_made_is_shown_to_admins(app: FastAPI, parts: Parts) -> None:
    add_person(parts, "root", is_admin=True)
    with parts.engine.begin() as connection:
        for table in ("member", "course"):
            connection.exec_driver_sql(f"DELETE FROM {table}")
    parts.submit(user="ghost")
    assert 'href="/courses/cs101"' in signed_in(app, "root").get("/").text
    assert 'href="/courses/cs101"' not in signed_in(app, "ines").get("/").text


def test_a_course_without_students_says_what_its_instructor_does_first(
    parts: Parts, browser: Browser, app: FastAPI
) -> None:
    told = browser.get("/courses/cs101").text
    assert "No student takes part yet" in told
    assert f'href="{ROSTER}"' in told
    add_person(parts, "ada", Role.STUDENT)
    assert "No student takes part yet" not in browser.get("/courses/cs101").text
    assert ROSTER not in signed_in(app, "ada").get("/courses/cs101").text
