"""Pictures of every page, light and dark: with ``THREECX_SCREENSHOTS=1`` into the documents."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser import tour, town
from tests.browser.conftest import CONSOLE, visiting
from tests.http.gunicorns import Gunicorn

PICTURES = Path(__file__).parents[2] / "docs/images/console"
SHOWN = {
    **tour.SIGNED_IN,
    "sign-in": tour.SIGNED_OUT["sign-in"],
}
IN_DOCUMENTS = {
    *("sign-in", "organizations", "overview", "set-up", "test-connection", "agents", "events"),
    *("event", "calls", "call", "contacts-found", "contact", "contact-import-preview"),
}
VIEW = {"width": 1280, "height": 570}
MOST_BYTES = 1_500_000


@pytest.fixture(scope="module")
def busy_server(shared_server: Gunicorn) -> Gunicorn:
    town.settle(shared_server)
    return shared_server


def test_every_page_has_its_picture_in_light_and_dark(
    chromium: Browser, busy_server: Gunicorn, backend: str, tmp_path: Path
) -> None:
    asked = bool(os.environ.get("THREECX_SCREENSHOTS")) and backend == "sqlite"
    folder = PICTURES if asked else tmp_path
    folder.mkdir(parents=True, exist_ok=True)
    for scheme in ("light", "dark"):
        options = {"color_scheme": scheme, "viewport": VIEW, "locale": "en-GB"}
        options |= {"timezone_id": "UTC", "reduced_motion": "reduce"}
        with visiting(chromium, busy_server.base + CONSOLE, **options) as visitor:
            visitor.sign_in()
            for name, way in SHOWN.items():
                if name == "sign-in":
                    visitor.page.context.clear_cookies()
                if not asked or name in IN_DOCUMENTS:
                    page = way(visitor)
                    if name == "overview":
                        page.locator("#period").evaluate("period => period.scrollIntoView()")
                    page.screenshot(path=folder / f"{name}-{scheme}.png", animations="disabled")
    taken = {path.stem for path in folder.glob("*.png")}
    names = IN_DOCUMENTS if asked else SHOWN
    assert {f"{name}-{scheme}" for name in names for scheme in ("light", "dark")} <= taken
    if asked:
        assert sum(path.stat().st_size for path in folder.glob("*.png")) < MOST_BYTES
