"""Changing a rubric in the page: previewed, published, gone back."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pytest
from fastapi import FastAPI

from grader.domain.people import Role
from grader.jobs import Jobs
from grader.storage import Blobs
from grader.web import Deps, create_app
from tests.integration.page_requests import Browser, add_person, signed_in
from tests.integration.regrade_parts import HOMEWORK, Class, make_class

RUBRIC = f"/courses/ml2/assignments/{HOMEWORK}/rubric"


@pytest.fixture
def graded(tmp_path: Path) -> Class:
    graded = make_class(tmp_path, count=4, alike=4)
    for user, role in (("ida", Role.INSTRUCTOR), ("tess", Role.TA), ("ada", Role.STUDENT)):
        add_person(graded, user, role, course="ml2")  # type: ignore[arg-type]
    add_person(graded, "ivo", Role.INSTRUCTOR, course="other")  # type: ignore[arg-type]
    return graded


@pytest.fixture
def app(graded: Class) -> FastAPI:
    blobs, jobs = Blobs(graded.folder / "blobs"), Jobs(graded.database.engine)
    return create_app(Deps(graded.database, blobs, jobs, graded.catalog))


def _shown(page: str, name: str) -> str:
    """What a hidden field or text of the page holds."""
    found = re.search(rf'<textarea[^>]*name="{name}"[^>]*>\n?(.*?)</textarea>', page, re.DOTALL) or re.search(
        rf'name="{re.escape(name)}" value="([^"]*)"', page
    )
    assert found, f"no field {name}"
    return html.unescape(found[1])


def _publish(browser: Browser, preview: str, note: str = "too strict") -> int:
    form = {"text": _shown(preview, "text"), "token": _shown(preview, "token"), "note": note}
    return browser.post(f"{RUBRIC}/publish", form).status_code


def test_a_threshold_is_changed_by_its_field_and_everybody_sees_who_moves(
    graded: Class, app: FastAPI
) -> None:
    browser = signed_in(app, "ida")
    page = browser.get(RUBRIC).text
    assert "ex1.latent_8" in page
    assert "a threshold that the rubric gives as a number holds as it stands" in page
    editor = browser.get(f"{RUBRIC}/edit").text
    text = _shown(editor, "text")
    form = {"act": "fields", "text": text, "ex1.latent_8:params.threshold": "0,99", "q1:points": "4.0"}
    browser.get(RUBRIC.replace("/rubric", "/review"))  # names are made when they are first asked for
    before = graded.dump()
    preview = browser.post(f"{RUBRIC}/preview", form).text
    assert "<h1>Who moves</h1>" in preview
    assert re.search(r"<dt>Fall</dt><dd>4</dd>", preview)
    assert [line for line in graded.dump() if line not in before] == [], "a preview writes nothing"
    changed = _shown(preview, "text")
    assert changed.replace("threshold: 0.99", "threshold: 0.50") == text, "all else stays, comments too"
    assert _publish(browser, preview) == 303
    page = browser.get(f"{RUBRIC}?published=1").text
    assert "The new version holds" in page
    assert "too strict" in page
    assert "+    params: {latent_dim: 8, threshold: 0.99" in page
    assert browser.get(f"{RUBRIC}.yaml").text == changed


def test_who_moves_is_called_as_reviewers_call_them_and_once(graded: Class, app: FastAPI) -> None:
    for user in ("u0", "u1"):
        add_person(graded, user, Role.STUDENT, course="ml2")  # type: ignore[arg-type]
    browser = signed_in(app, "ida")
    text = _shown(browser.get(f"{RUBRIC}/edit").text, "text")
    form = {"act": "fields", "text": text, "ex1.latent_8:params.threshold": "0.99"}
    line = r'<th scope="row">([^<]+)</th><td class="number">(\d)</td>'
    pages = {"hidden": browser.post(f"{RUBRIC}/preview", form).text}
    browser.post(RUBRIC.replace("/rubric", "/gradebook/publish"))
    pages["told"] = browser.post(f"{RUBRIC}/preview", form).text
    for kind, page in pages.items():
        counted, _, others = page.partition("<h2>Who</h2>")[2].partition(
            '<details class="after"><summary>2 attempts that do not count'
        )
        students = {"hidden": r"A-\w{6}", "told": "U[01]"}[kind]
        first, second = re.findall(line, counted), re.findall(line, others)
        assert sorted(name for name, _ in first) == sorted(name for name, _ in second)
        assert all(re.fullmatch(students, name) for name, _ in first)
        assert len(set(first + second)) == 4, "an attempt each"
    assert "u0" not in pages["hidden"].partition("<h2>Who</h2>")[2]


def test_an_older_version_is_previewed_and_holds_again(graded: Class, app: FastAPI) -> None:
    browser = signed_in(app, "ida")
    text = _shown(browser.get(f"{RUBRIC}/edit").text, "text")
    points = {row.submission_id: row.final for row in graded.standings().values()}
    form = {"act": "fields", "text": text, "ex1.latent_8:params.threshold": "0.99"}
    assert _publish(browser, browser.post(f"{RUBRIC}/preview", form).text) == 303
    assert {row.submission_id: row.final for row in graded.standings().values()} != points
    version = _shown(browser.get(RUBRIC).text, "version")
    preview = browser.post(f"{RUBRIC}/preview", {"act": "restore", "version": version}).text
    assert _publish(browser, preview, "back again") == 303
    assert {row.submission_id: row.final for row in graded.standings().values()} == points


def test_what_is_no_rubric_is_told_by_line_and_nothing_of_it_is_lost(app: FastAPI) -> None:
    browser = signed_in(app, "ida")
    text = _shown(browser.get(f"{RUBRIC}/edit").text, "text").replace("points: 8", "points: eight", 1)
    answer = browser.post(f"{RUBRIC}/preview", {"act": "text", "text": text.replace("\n", "\r\n")})
    assert answer.status_code == 422
    line = text.splitlines().index("    points: eight") + 1
    assert f"line {line}: " in answer.text
    assert "<code>    points: eight</code>" in answer.text
    assert "Leave it as it is" in answer.text
    assert _shown(answer.text, "text") == text
    wrong = browser.post(f"{RUBRIC}/preview", {"act": "fields", "text": text, "q1:points": "many"})
    assert "q1: Points must be a number" in wrong.text


def test_a_wrong_number_is_told_at_its_field_and_nothing_that_was_typed_is_lost(app: FastAPI) -> None:
    browser = signed_in(app, "ida")
    editor = browser.get(f"{RUBRIC}/edit").text
    concept = re.findall('name="(q1:[^":]+:points)"', editor)[0]
    typed = {"q1:points": "many", "ex1.latent_8:params.threshold": "1,5", concept: "0.5"}
    form = {"act": "fields", "text": _shown(editor, "text"), **typed}
    answer = browser.post(f"{RUBRIC}/preview", form)
    page = html.unescape(answer.text)
    assert answer.status_code == 422
    for name, fault in (
        ("q1:points", "q1: Points must be a number, not 'many'."),
        ("ex1.latent_8:params.threshold", "threshold must be at most 1"),
    ):
        assert re.search(rf'id="{name}"[^>]* aria-invalid="true" aria-describedby="{name}:wrong"', page)
        assert re.search(rf'<span class="fault" id="{name}:wrong">{re.escape(fault)}', page)
        assert f'<a href="#{name}">{name.split(":")[0]} · ' in page
    assert {name: _shown(page, name) for name in typed} == typed
    assert '<details class="after">' in page, "the whole text stays closed"
    assert "Leave it as it is" in page
    mended = {**{name: _shown(page, name) for name in typed}, "act": "fields", "text": _shown(page, "text")}
    mended |= {"q1:points": "4", "ex1.latent_8:params.threshold": "0.9", concept: _shown(editor, concept)}
    preview = browser.post(f"{RUBRIC}/preview", mended)
    assert "<h1>Who moves</h1>" in preview.text
    assert "threshold: 0.9" in _shown(preview.text, "text")


def test_points_that_do_not_add_up_are_told_at_the_item(app: FastAPI) -> None:
    browser = signed_in(app, "ida")
    text = _shown(browser.get(f"{RUBRIC}/edit").text, "text")
    page = browser.post(f"{RUBRIC}/preview", {"act": "fields", "text": text, "q1:points": "5"}).text
    assert re.search(r'id="q1:points:wrong">the concepts of q1 add up to 4 points, but q1 has 5', page)
    assert _shown(page, "q1:points") == "5"


def test_a_preview_that_is_out_of_date_is_not_published(graded: Class, app: FastAPI) -> None:
    browser = signed_in(app, "ida")
    text = _shown(browser.get(f"{RUBRIC}/edit").text, "text")
    form = {"act": "fields", "text": text, "ex1.latent_8:params.threshold": "0.99"}
    preview = browser.post(f"{RUBRIC}/preview", form).text
    assert _publish(browser, preview, note=" ") == 422
    assert _publish(browser, preview) == 303
    assert _publish(browser, preview) == 409, "a second click"


@pytest.mark.parametrize(("who", "status"), [("tess", 403), ("ada", 403), ("ivo", 404)])
def test_only_the_courses_instructors_see_and_change_it(
    graded: Class, app: FastAPI, who: str, status: int
) -> None:
    browser = signed_in(app, who)
    text = graded.rubric_file.read_text()
    for path in ("", "/edit"):
        assert browser.get(f"{RUBRIC}{path}").status_code == status
    assert browser.get(f"{RUBRIC}.yaml").status_code == status
    for path in ("/preview", "/publish"):
        form = {"act": "text", "text": text, "token": "x", "note": "mine"}
        assert browser.post(f"{RUBRIC}{path}", form).status_code == status
