"""A browser shows what callers sent, and does nothing of it."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urljoin

import pytest
from playwright.sync_api import Browser

from tests import hostile
from tests.browser.conftest import CONSOLE, visiting
from tests.http.gunicorns import Gunicorn

HERE = "/o/hostile"
LISTS = ("", "/agents", "/events", "/calls", "/chats", "/contacts", "/contacts?query=script")


@pytest.fixture(scope="module")
def poured(server: Gunicorn) -> Gunicorn:
    """A server that every hostile text has come to."""
    key = server.set_up("hostile")
    everything = "\n".join([*hostile.MARKUP.values(), *hostile.ATTRIBUTES.values()])
    with server.client(key) as pbx:

        def send(method: str, path: str, body: Mapping[str, Any] | None) -> int:
            return pbx.request(method, path, json=body).status_code

        hostile.pour(send)
        hostile.pour(send, {"all markup at once": everything}, first=500)
    return server


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_nothing_opens_loads_or_complains(
    chromium: Browser, poured: Gunicorn, script: bool
) -> None:
    """No dialog, no request to another host, no error, no breach of the policy; and hovering or
    focusing what is there starts nothing."""
    dialogs: list[str] = []
    options = {"java_script_enabled": script}
    with visiting(chromium, poured.base + CONSOLE, **options) as visitor:
        page = visitor.page
        page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
        visitor.sign_in()
        for path in LISTS:
            visitor.open(HERE + path)
            first = page.locator("main tbody th a").first
            if first.count():
                first.hover()
        for path in ("/events?type=journal", "/calls", "/chats", "/contacts"):
            links = visitor.open(HERE + path).locator("main tbody th a")
            for link in [link.get_attribute("href") for link in links.all()[:6]]:
                page.goto(urljoin(page.url, link))
                page.locator("h1").first.hover()
                page.keyboard.press("Tab")
        assert (dialogs, visitor.complaints) == ([], [])
