"""The gradebook in a browser: forms without a dialog, and every page of it held to the rules."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

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
