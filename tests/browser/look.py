"""Looking at a page: for accessibility with axe-core, and as a picture for the guides."""

from __future__ import annotations

import os
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
_GRAVE = ("serious", "critical")
_KEEP = "GRADER_KEEP_PICTURES"  # `make pictures` sets it: else a test run leaves the checkout as it was


class Looker:
    """Looks at whatever page is shown."""

    def __init__(self) -> None:
        self._axe = Axe()

    def at(self, page: Page, picture: str = "") -> None:
        """Hold the page to axe-core's rules, in light and dark. ``picture``: its name in the guides."""
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            found = self._axe.run(page).response["violations"]
            grave = [
                f"{rule['id']}: {rule['help']}: {node['html'][:200]}"
                for rule in found
                if rule["impact"] in _GRAVE
                for node in rule["nodes"][:3]
            ]
            assert not grave, f"{page.url} ({scheme}):\n" + "\n".join(grave)
        page.emulate_media(color_scheme="light")
        if picture:
            self._keep(page, picture)

    def _keep(self, page: Page, picture: str) -> None:
        taken = page.screenshot(full_page=False, scale="css")
        assert len(taken) > 5_000, "the page is empty"
        if os.environ.get(_KEEP):
            PICTURES.mkdir(exist_ok=True)
            (PICTURES / f"{picture}.png").write_bytes(taken)
