"""An assistant reviews by keyboard alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from grader.domain.people import Role
from grader.services.grades.report import read_report
from grader.services.review import ask_regrade
from grader.web import Deps, create_app
from tests.browser.look import Looker
from tests.browser.served import served
from tests.integration.page_requests import PASSWORD, add_person
from tests.integration.review_parts import GOOD, HALF, OTHER, Class, make_class, teach_low


@pytest.fixture
def klass(tmp_path: Path) -> Class:
    klass = make_class(tmp_path)
    add_person(klass.parts, "tess", Role.TA, ("A",))
    for user, text in (("ada", GOOD), ("ben", HALF), ("eve", HALF.upper()), ("kim", OTHER)):
        add_person(klass.parts, user, Role.STUDENT, ("A",))
        klass.grade(user, text)
    return klass


@pytest.fixture
def address(klass: Class) -> Iterator[str]:
    parts = klass.parts
    app = create_app(Deps(parts.database, parts.blobs, parts.jobs, parts.assignments))
    with served(app) as address:
        yield address


def _states(klass: Class) -> list[str]:
    with klass.parts.database.read() as unit:
        ids = [head.submission_id for head in unit.grades.heads("hw")]
    stored = [read_report(klass.parts.database, one).grade for one in ids]
    return [item.state.value for grade in stored if grade for item in grade.grade.items if item.key == "q1"]


def test_four_answers_are_reviewed_without_a_mouse(
    page: Page, look: Looker, klass: Class, address: str
) -> None:
    page.goto(f"{address}/login?next=/courses/cs101/assignments/hw/review%3Fonly=q1%26order=item")
    page.keyboard.type("tess")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Review")).to_be_visible()
    look.at(page)
    page.locator("select[name=only]").select_option("q1")
    expect(page.get_by_role("row")).to_have_count(5)
    page.keyboard.press("Escape")
    page.get_by_role("heading", name="Review").click()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="The student's words")).to_be_visible()
    look.at(page, "review")
    page.set_viewport_size({"width": 390, "height": 800})
    box = page.locator(".decide .scroll")
    assert box.evaluate("box => box.scrollWidth <= box.clientWidth"), "a telephone hides fields for points"
    page.set_viewport_size({"width": 1280, "height": 900})
    page.keyboard.press("c")
    page.keyboard.type("Say which features are kept, and why a small code cannot keep all.")
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.keyboard.press("2")
    expect(page.get_by_text("Saved")).to_be_visible()
    decided = _states(klass).count("reviewed")
    page.keyboard.press("u")
    expect(page.get_by_role("heading", name="What was decided before")).to_be_visible()
    assert _states(klass).count("reviewed") == decided - 1
    with page.expect_navigation():
        page.keyboard.press("3")
    while "needs_review" in _states(klass):
        with page.expect_navigation():
            page.keyboard.press("a")
    expect(page.get_by_text("Nothing is left in this part of the queue")).to_be_visible()
    assert _states(klass) == ["reviewed"] * 4
    look.at(page)


def test_one_letter_keys_can_be_turned_off_and_on(page: Page, klass: Class, address: str) -> None:
    page.goto(f"{address}/login?next=/courses/cs101/assignments/hw/review")
    page.get_by_label("E-mail or user name").fill("tess")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Start reviewing").click()
    menu = page.locator(".menu summary")
    menu.click()
    page.get_by_role("button", name="Turn one-letter keys off").click()
    menu.click()
    page.keyboard.press("4")
    page.keyboard.press("a")
    expect(page.get_by_role("heading", name="The student's words")).to_be_visible()
    assert "reviewed" not in _states(klass)
    menu.click()
    page.get_by_role("button", name="Turn one-letter keys on").click()
    menu.click()
    with page.expect_navigation():
        page.keyboard.press("4")
    assert _states(klass).count("reviewed") == 1


def test_a_question_of_a_student_is_seen_and_answered(
    page: Page, look: Looker, klass: Class, address: str
) -> None:
    with klass.parts.database.read() as unit:
        submission = unit.grades.heads("hw")[0].submission_id
        user = unit.submissions.find(submission).submission.user  # type: ignore[union-attr]
    ask_regrade(klass.desk, klass.enrol(user, Role.STUDENT, "A"), submission, "q1", "I meant the small code.")
    page.goto(f"{address}/login")
    page.get_by_label("E-mail or user name").fill("tess")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.goto(f"{address}/courses/cs101/assignments/hw/review/{submission}/q1")
    page.get_by_role("button", name="Take it").click()
    expect(page.get_by_text("I meant the small code.")).to_be_visible()
    look.at(page)
    page.get_by_label("Answer to the student's question").fill(
        "Then say so: the code is too small to store all."
    )
    page.get_by_role("button", name="Answer and leave the points").click()
    expect(page.get_by_role("heading", name="The student asks")).to_be_hidden()
    with klass.parts.database.read() as unit:
        assert [asked.answer is not None for asked in unit.regrade_requests.of(submission)] == [True]


def test_what_marks_have_taught_stands_beside_an_answer_and_on_a_page_of_its_own(
    page: Page, look: Looker, klass: Class, address: str
) -> None:
    teach_low(klass, klass.enrol("ida", Role.INSTRUCTOR), 12)
    page.goto(f"{address}/login?next=/courses/cs101/assignments/hw/review%3Fonly=q1")
    page.get_by_label("E-mail or user name").fill("tess")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Start reviewing").click()
    expect(page.get_by_text("12 marks of this question")).to_be_visible()
    look.at(page)
    page.goto(f"{address}/courses/cs101/assignments/hw/review/reliability")
    expect(page.get_by_role("heading", name="How far to trust proposals")).to_be_visible()
    look.at(page, "reliability")
