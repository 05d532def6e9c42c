"""Accounts and rosters, as a browser shows them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from grader.domain.people import Role
from grader.services.people.invitations import invite
from grader.web import Deps, create_app
from tests.browser.look import Looker
from tests.browser.served import served
from tests.integration.page_requests import PASSWORD, add_person
from tests.integration.parts import Parts, make_parts


@pytest.fixture
def parts(tmp_path: Path) -> Parts:
    parts = make_parts(tmp_path)
    add_person(parts, "ines", Role.INSTRUCTOR)
    add_person(parts, "ada", Role.STUDENT, ("A",))
    add_person(parts, "root", is_admin=True)
    return parts


@pytest.fixture
def address(parts: Parts) -> Iterator[str]:
    with served(create_app(Deps(parts.database, parts.blobs, parts.jobs, parts.assignments))) as address:
        yield address


def _sign_in(page: Page, address: str, login: str) -> None:
    page.goto(f"{address}/login")
    page.get_by_label("E-mail or user name").fill(login)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Your courses")).to_be_visible()


def test_a_link_leads_to_a_password_that_one_may_look_at(
    page: Page, look: Looker, address: str, parts: Parts
) -> None:
    with parts.database.write() as unit:
        person = unit.people.find("ada")
        assert person is not None
        (link,) = invite(unit, "root", [person], datetime.now(UTC))
        unit.commit()
    page.goto(address + link.path)
    look.at(page)
    field = page.get_by_label("New password")
    field.fill("a password of my own")
    page.get_by_label("Show it").check()
    assert field.get_attribute("type") == "text"
    page.get_by_role("button", name="Choose it and sign in").click()
    expect(page.get_by_role("heading", name="Your courses")).to_be_visible()
    page.goto(f"{address}/account")
    look.at(page)


def test_an_instructor_drops_a_roster_looks_and_applies_it(page: Page, look: Looker, address: str) -> None:
    _sign_in(page, address, "ines")
    page.goto(f"{address}/courses/cs101/roster")
    look.at(page)
    rows = "\n".join(f"u{n},Person {n},{'AB'[n % 2]}" for n in range(60))
    page.set_input_files(
        "input[type=file]",
        files=[
            {"name": "r.csv", "mimeType": "text/csv", "buffer": f"user_id,name,section\n{rows}\n".encode()}
        ],
    )
    expect(page.get_by_role("heading", name="What the roster changes")).to_be_visible()
    look.at(page, "roster")
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_text("The roster is applied")).to_be_visible()
    look.at(page)
    page.get_by_label("Search by name").fill("person 42")
    expect(page.locator("#members tbody tr")).to_have_count(1)
    assert page.url.endswith("done=imported")  # what one searches for is in no address
    page.get_by_role("link", name="Person 42").click()
    look.at(page)
    page.goto(f"{address}/courses/cs101/people")
    page.get_by_role("button", name="Make and show links").click()
    expect(page.get_by_role("heading", name="Invitation links")).to_be_visible()
    look.at(page)


def test_an_admin_is_asked_before_an_account_is_shut(page: Page, look: Looker, address: str) -> None:
    _sign_in(page, address, "root")
    page.goto(f"{address}/admin")
    look.at(page)
    page.get_by_role("link", name="Ada").click()
    look.at(page)
    page.once("dialog", lambda dialog: dialog.dismiss())
    page.get_by_role("button", name="Disable").click()
    expect(page.get_by_text("disabled", exact=True)).to_have_count(0)
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Disable").click()
    expect(page.get_by_text("disabled", exact=True)).to_be_visible()


def test_nothing_is_wider_than_a_telephone(page: Page, address: str) -> None:
    _sign_in(page, address, "root")
    page.set_viewport_size({"width": 360, "height": 740})
    for path in ("/account", "/admin", "/admin/people/ada", "/courses/cs101/people", "/courses/cs101/roster"):
        page.goto(address + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, path
