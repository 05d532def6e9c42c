"""The gradebook in a browser: forms without a dialog, and every page of it held to the rules."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from grader.domain.people import Role
from grader.web import Deps, create_app
from tests.browser.look import Looker
from tests.browser.served import served
from tests.integration.graded import graded
from tests.integration.page_requests import PASSWORD, add_person
from tests.integration.parts import Parts, make_parts

BOOK = "/courses/cs101/assignments/hw/gradebook"
SENT = datetime.now(UTC) - timedelta(days=10)


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    parts: Parts = make_parts(tmp_path)
    add_person(parts, "ina", Role.INSTRUCTOR)
    add_person(parts, "root", is_admin=True)
    for number, student in enumerate(("ada", "ben", "cleo")):
        add_person(parts, student, Role.STUDENT, ("red", "blue"))
        graded(parts, student, float(number), sent=SENT, proposed=4.0 if number == 2 else None)
    app = create_app(Deps(parts.database, parts.blobs, parts.jobs, parts.assignments))
    with served(app) as address:
        yield address


def sign_in(page: Page, address: str, login: str) -> None:
    page.goto(f"{address}/login")
    page.fill("[name=login]", login)
    page.fill("[name=password]", PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Your courses")).to_be_visible()


def test_grades_are_changed_published_and_found(page: Page, look: Looker, address: str) -> None:
    page.on("dialog", lambda dialog: dialog.accept())
    sign_in(page, address, "ina")
    page.goto(address + BOOK)
    look.at(page)
    page.get_by_role("button", name="Publish grades").click()
    expect(page.get_by_text("Published", exact=False).first).to_be_visible()
    page.get_by_role("heading", name="Gradebook").click()
    page.keyboard.press("/")
    page.keyboard.type("ben")
    page.keyboard.press("Enter")
    expect(page.get_by_role("row")).to_have_count(2)
    look.at(page, "gradebook")
    page.get_by_role("link", name="Ben").click()
    page.get_by_text("Change", exact=True).last.click()
    page.get_by_label("Points, of 8").fill("6.5")
    page.get_by_label("Reason, for the record").first.fill("a typo of ours")
    look.at(page)
    page.get_by_role("button", name="Give these points").click()
    expect(page.get_by_text("6.5 / 8").first).to_be_visible()
    expect(page.get_by_text("a typo of ours")).to_be_visible()


def test_who_a_line_is_about_and_what_a_column_says_stay_in_sight(page: Page, address: str) -> None:
    sign_in(page, address, "ina")
    page.set_viewport_size({"width": 400, "height": 250})
    page.goto(f"{address}{BOOK}?items=true&names=true")
    box = page.get_by_role("region", name="Grades", exact=True)
    assert box.evaluate("box => box.clientHeight < box.scrollHeight && box.clientHeight < innerHeight")
    box.evaluate("box => box.scrollTo(150, 60)")
    for cell, side in (("tbody th", "left"), ("thead th:last-child", "top"), ("thead th", "left")):
        moved = box.locator(cell).first.evaluate(
            "(cell, side) => cell.getBoundingClientRect()[side]"
            " - cell.closest('.scroll').getBoundingClientRect()[side]",
            side,
        )
        assert abs(moved) <= 1, cell
    assert box.locator("tbody th").first.evaluate("cell => cell.offsetWidth < innerWidth / 2")


def test_a_table_that_is_only_too_high_is_scrolled_by_keyboard(page: Page, address: str) -> None:
    sign_in(page, address, "ina")
    page.set_viewport_size({"width": 1600, "height": 200})
    page.goto(f"{address}{BOOK}?names=true")
    box = page.get_by_role("region", name="Grades", exact=True)
    assert box.evaluate("box => box.scrollWidth <= box.clientWidth && box.scrollHeight > box.clientHeight")
    box.focus()
    page.keyboard.press("End")
    expect(box.get_by_role("rowheader").last).to_be_in_viewport()


def test_the_plain_table_fits_a_common_window(page: Page, address: str) -> None:
    sign_in(page, address, "ina")
    page.goto(f"{address}{BOOK}?names=true")
    box = page.get_by_role("region", name="Grades", exact=True)
    assert box.evaluate("box => box.scrollWidth <= box.clientWidth")


def test_labels_of_a_row_of_filters_stand_at_one_height(page: Page, address: str) -> None:
    sign_in(page, address, "ina")
    page.goto(f"{address}/courses/cs101/audit")
    labels = page.locator("form.tools label")
    assert len(set(labels.evaluate_all("all => all.map((one) => one.getBoundingClientRect().top)"))) == 1


def test_points_are_changed_on_a_telephone_without_moving_sideways(page: Page, address: str) -> None:
    sign_in(page, address, "ina")
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(f"{address}{BOOK}/students/ben")
    page.get_by_text("Change", exact=True).last.click()
    expect(page.get_by_role("row")).to_have_count(2)
    right = page.get_by_role("button", name="Give these points").evaluate(
        "one => one.getBoundingClientRect().right - one.closest('.scroll').getBoundingClientRect().right"
    )
    assert right < 0


def test_times_are_told_in_the_readers_own_zone(browser: Browser, address: str) -> None:
    with browser.new_context(timezone_id="Europe/Berlin") as context:
        page = context.new_page()
        sign_in(page, address, "ina")
        page.goto(f"{address}/courses/cs101/assignments/hw/settings")
        field = page.locator("[name=due_at]")
        field.fill("2027-07-01T22:30")
        expect(page.get_by_text("That is 2 Jul 2027, 00:30 CEST.")).to_be_visible()
        page.get_by_role("button", name="Save").click()
        expect(field).to_have_value("2027-07-01T22:30")
        page.goto(f"{address}/courses/cs101")
        told = page.get_by_text("2 Jul 2027, 00:30 CEST")
        expect(told).to_have_attribute("title", "1 Jul 2027, 22:30 UTC")


@pytest.mark.parametrize(
    ("who", "path"),
    [
        ("ina", f"{BOOK}?items=true&names=true"),
        ("ina", f"{BOOK}/students/ben"),
        ("ina", "/courses/cs101/assignments/hw/settings"),
        ("ina", "/courses/cs101/audit"),
        ("ina", "/courses/cs101/data"),
        ("root", "/admin/audit"),
        ("root", "/admin/data"),
    ],
)
def test_pages_keep_the_rules(page: Page, look: Looker, address: str, who: str, path: str) -> None:
    sign_in(page, address, who)
    page.goto(address + path)
    look.at(page)
