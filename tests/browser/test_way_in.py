"""Signing in, as a browser does it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from grader.domain.people import Role
from grader.web import Deps, create_app
from tests.browser.look import Looker
from tests.browser.served import served
from tests.integration.page_requests import PASSWORD, add_person
from tests.integration.parts import make_parts


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    parts = make_parts(tmp_path)
    add_person(parts, "ada", Role.STUDENT)
    with served(create_app(Deps(parts.database, parts.blobs, parts.jobs, parts.assignments))) as address:
        yield address


def test_one_signs_in_by_keyboard_and_out_again(page: Page, look: Looker, address: str) -> None:
    page.goto(address)
    look.at(page)
    page.keyboard.type("ada")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Your courses")).to_be_visible()
    look.at(page)
    page.get_by_text("Ada").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_what_is_not_there_is_told_on_a_page(page: Page, look: Looker, address: str) -> None:
    page.goto(f"{address}/nowhere")
    expect(page.get_by_role("heading", name="Nothing is here")).to_be_visible()
    look.at(page)
