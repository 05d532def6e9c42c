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
from tests.integration.parts import make_notebook, make_parts

HOMEWORK = "/courses/cs101/assignments/hw"


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    parts = make_parts(tmp_path)
    add_person(parts, "ada", Role.STUDENT)
    add_person(parts, "ines", Role.INSTRUCTOR)
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


def test_the_menu_closes_by_escape_and_by_a_click_elsewhere(page: Page, address: str) -> None:
    sign_in(page, address, "ada")
    menu = page.locator(".menu summary")
    leave = page.get_by_role("button", name="Sign out")
    menu.click()
    leave.focus()
    page.keyboard.press("Escape")
    expect(leave).to_be_hidden()
    expect(menu).to_be_focused()
    menu.click()
    page.get_by_role("heading", name="Your courses").click()
    expect(leave).to_be_hidden()


def test_what_is_not_there_is_told_on_a_page(page: Page, look: Looker, address: str) -> None:
    page.goto(f"{address}/nowhere")
    expect(page.get_by_role("heading", name="Nothing is here")).to_be_visible()
    look.at(page)


def test_tabs_stay_in_sight_on_a_narrow_screen(page: Page, look: Looker, address: str) -> None:
    sign_in(page, address, "ines")
    page.goto(f"{address}{HOMEWORK}/settings")
    expect(page.get_by_role("link", name="Settings")).to_have_attribute("aria-current", "page")
    look.at(page)


def test_who_was_signed_out_while_choosing_a_file_is_told_so_and_comes_back(
    page: Page, look: Looker, address: str, tmp_path: Path
) -> None:
    sign_in(page, address, "ada")
    page.goto(f"{address}{HOMEWORK}")
    page.context.clear_cookies()
    notebook = tmp_path / "hw.ipynb"
    notebook.write_bytes(make_notebook("#" * 150_000))
    page.locator("input[type=file]").set_input_files(notebook)
    expect(page.get_by_role("alert")).to_contain_text("nothing was handed in")
    look.at(page)
    fill_in_password(page, "ada")
    expect(page.get_by_role("heading", name="A homework")).to_be_visible()
    page.locator("input[type=file]").set_input_files(notebook)
    expect(page.get_by_role("heading", name="What we recognised")).to_be_visible()
    look.at(page)


def test_notices_keep_clear_of_the_card_above_and_below(page: Page, address: str, tmp_path: Path) -> None:
    sign_in(page, address, "ada")
    for data in (make_notebook(), b"{}"):  # one is kept as a draft, the other one refused
        page.goto(f"{address}{HOMEWORK}")
        (tmp_path / "hw.ipynb").write_bytes(data)
        page.locator("input[type=file]").set_input_files(tmp_path / "hw.ipynb")
        page.wait_for_url("**/drafts**")
    places = [page.locator(one).bounding_box() for one in (".notice.bad", "dl.card", ".notice.warn")]
    refused, facts, draft = (place for place in places if place is not None)
    assert refused["y"] + refused["height"] < facts["y"]
    assert facts["y"] + facts["height"] < draft["y"]


def sign_in(page: Page, address: str, login: str) -> None:
    page.goto(address)
    fill_in_password(page, login)
    expect(page.get_by_role("heading", name="Your courses")).to_be_visible()


def fill_in_password(page: Page, login: str) -> None:
    page.get_by_label("E-mail or user name").fill(login)
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
