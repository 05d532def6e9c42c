"""The dashboard in a browser: a large class, sorted and searched without leaving the page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from grader.domain.run import Verdict
from grader.web import Deps, create_app
from tests.browser.look import Looker
from tests.browser.served import served
from tests.integration.page_requests import PASSWORD
from tests.integration.parts import make_parts
from tests.integration.small_class import (
    DASHBOARD,
    Work,
    add_students,
    fail,
    hand_in,
    hand_in_graded,
    make_class_parts,
)

STUDENTS = {f"student{number:02d}": "ab"[number % 2] for number in range(30)}


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    parts = make_class_parts(make_parts(tmp_path))
    add_students(parts, STUDENTS)
    for number, student in enumerate(STUDENTS):
        verdict = Verdict.OK if number % 9 else Verdict.MEMORY_LIMIT
        points = {"ex1.runs": number % 9, "q1": None if number % 4 else 2.0, "q2": 3.0 * (number % 3 > 0)}
        choice = "AB"[number % 3 > 0]
        work = Work(points, choice, 0.2 + number / 300, 5.0 * number, verdict, "c" * 64 if number < 2 else "")
        hand_in_graded(parts, student, work)
        hand_in(parts, student, 2)
    fail(parts, hand_in(parts, "student00", 3))
    with served(create_app(Deps(parts.database, parts.blobs, parts.jobs, parts.assignments))) as address:
        yield address


@pytest.fixture
def ines(page: Page, address: str) -> Page:
    page.goto(f"{address}/login")
    page.get_by_label("E-mail or user name").fill("ines")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Your courses")).to_be_visible()
    return page


def test_the_class_in_figures(ines: Page, look: Looker, address: str) -> None:
    ines.goto(address + DASHBOARD)
    look.at(ines, "dashboard")
    ines.set_viewport_size({"width": 390, "height": 800})
    heights = ines.locator("svg.chart text:visible").evaluate_all(
        "all => all.map((one) => one.getBoundingClientRect().height)"
    )
    assert min(heights) > 10, "a telephone shows charts too small to read"
    ines.set_viewport_size({"width": 1280, "height": 900})
    ines.get_by_role("link", name="beside the first").click()
    expect(ines.get_by_role("heading", name="Side by side")).to_be_visible()
    look.at(ines)


def test_the_table_is_sorted_searched_and_paged_in_place(ines: Page, look: Looker, address: str) -> None:
    ines.goto(f"{address}{DASHBOARD}/submissions")
    look.at(ines)
    ines.get_by_role("link", name="Points").click()
    expect(ines.get_by_role("columnheader", name="Points")).to_have_attribute("aria-sort", "descending")
    assert ines.url.endswith("?sort=points")
    ines.get_by_role("link", name="Next").click()
    expect(ines.get_by_text("Page 2 of 2")).to_be_visible()
    ines.get_by_label("Name or id").fill("student07")
    expect(ines.get_by_text("1 to 2 of 2 that were found")).to_be_visible()
    ines.get_by_role("button", name="Points").click()
    expect(ines.get_by_role("columnheader", name="Points")).to_have_attribute("aria-sort", "descending")
    expect(ines.get_by_text("1 to 2 of 2 that were found")).to_be_visible()
    assert "student07" not in ines.url
    ines.get_by_role("link", name="Student07").first.click()
    expect(ines.get_by_role("heading", name="Attempt 2")).to_be_visible()
    look.at(ines)
