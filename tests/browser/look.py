"""Looking at a page: for accessibility with axe-core, and as a picture for the guides."""

from __future__ import annotations

import os
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
_GRAVE = ("serious", "critical")
_NARROW = {"width": 320, "height": 640}  # to where WCAG 2.1 asks pages to reflow (1.4.10)
_TOO_WIDE = """[...document.querySelectorAll("main *")]
    .filter((one) => one.getBoundingClientRect().right > window.innerWidth)
    .filter((one) => !one.closest(".scroll *, .hidden-visually"))
    .map((one) => one.outerHTML.slice(0, 90))"""
_TABS_OUT_OF_SIGHT = """[...document.querySelectorAll(".tabs a")]
    .filter((one) => one.getBoundingClientRect().right > window.innerWidth)
    .map((one) => one.textContent)"""
_KEEP = "GRADER_KEEP_PICTURES"  # `make pictures` sets it: else a test run leaves the checkout as it was


class Looker:
    """Looks at whatever page is shown."""

    def __init__(self) -> None:
        self._axe = Axe()

    def at(self, page: Page, picture: str = "") -> None:
        """Hold the page to axe-core's rules: dark, light, and as narrow as pages may get.

        ``picture`` is its name in the guides.
        """
        page.emulate_media(color_scheme="dark")
        self._hold_to_rules(page, "dark")
        page.emulate_media(color_scheme="light")
        self._hold_to_rules(page, "light")
        if picture:
            self._keep(page, picture)
        wide = page.viewport_size
        assert wide is not None
        page.set_viewport_size(_NARROW)  # type: ignore[arg-type]
        self._hold_to_rules(page, "narrow")
        if page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
            raise AssertionError(f"{page.url} is wider than a narrow screen: {page.evaluate(_TOO_WIDE)}")
        unseen = page.evaluate(_TABS_OUT_OF_SIGHT)
        assert not unseen, f"{page.url} hides tabs of a narrow screen: {unseen}"
        page.set_viewport_size(wide)

    def _hold_to_rules(self, page: Page, how: str) -> None:
        found = self._axe.run(page).response["violations"]
        grave = [
            f"{rule['id']}: {rule['help']}: {node['html'][:200]}"
            for rule in found
            if rule["impact"] in _GRAVE
            for node in rule["nodes"][:3]
        ]
        assert not grave, f"{page.url} ({how}):\n" + "\n".join(grave)

    def _keep(self, page: Page, picture: str) -> None:
        taken = page.screenshot(full_page=False, scale="css")
        assert len(taken) > 5_000, "the page is empty"
        if os.environ.get(_KEEP):
            PICTURES.mkdir(exist_ok=True)
            (PICTURES / f"{picture}.png").write_bytes(taken)
