"""What hostile notebooks print does nothing in a real browser."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, Request

from grader.web import Deps, create_app
from tests.browser.look import Looker
from tests.browser.served import served
from tests.integration.page_requests import PASSWORD, signed_in
from tests.integration.parts import make_parts
from tests.integration.student_parts import grade, hand_in, set_up_class
from tests.integration.test_pages_notebook import HOSTILE, everywhere, notebook


@pytest.fixture
def report(tmp_path: Path) -> Iterator[tuple[str, str]]:
    """The service's address, and a report whose notebook says everything hostile everywhere."""
    parts = make_parts(tmp_path)
    set_up_class(parts)
    app = create_app(Deps(parts.database, parts.blobs, parts.jobs, parts.assignments))
    page = hand_in(signed_in(app, "ada"))
    cells = [cell for words in HOSTILE for cell in json.loads(everywhere(words))["cells"]]
    grade(parts, page, executed=notebook([], *cells))
    with served(app) as address:
        yield address, page


def test_nothing_runs_loads_opens_or_leaves(page: Page, look: Looker, report: tuple[str, str]) -> None:
    address, path = report
    page.goto(f"{address}/login")
    page.get_by_label("E-mail or user name").fill("ada")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    asked: list[str] = []
    happened: list[str] = []

    def note(request: Request) -> None:
        asked.append(request.url)

    page.on("request", note)
    page.on("dialog", lambda dialog: (happened.append("dialog"), dialog.dismiss()))
    page.on("popup", lambda _: happened.append("popup"))
    page.on("download", lambda _: happened.append("download"))
    page.goto(f"{address}{path}/notebook")
    frame = page.frame(url=f"{address}{path}/notebook/frame")
    assert frame is not None
    assert "alert(1)" in frame.locator("body").inner_text(), "it is shown, as text"
    frame.locator("body").click(position={"x": 20, "y": 20})
    for word in ("a", "button", "summary", "input", "[onclick]", "[contenteditable]"):
        assert frame.locator(word).count() == 0, word
    active = frame.locator(
        "script, iframe, svg, form, object, embed, base, style, video, [style], [href^=java]"
    )
    assert active.count() == 0
    page.wait_for_timeout(500)
    assert happened == []
    assert page.url == f"{address}{path}/notebook"
    assert all(url.startswith((f"{address}/", "data:image/")) for url in asked), asked
    assert any(url.endswith("/notebook/frame") for url in asked)
    look.at(page)
