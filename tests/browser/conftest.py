"""A real browser at a real server. ``install.sh`` brings what is driven here."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from callhelm_threecx import migrate
from callhelm_threecx.db import Database
from callhelm_threecx.settings import database_url as parse_url
from tests.client import ADMIN_KEY
from tests.http.gunicorns import Gunicorn, gunicorn
from tests.servers import DatabaseSource

CONSOLE = "/api/3cx/console"
CHROMIUM = os.environ.get("THREECX_TEST_CHROMIUM", "/usr/bin/chromium")
# A test machine has no network but loopback: the browser must not look for any.
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One browser for the whole run; each test has a context of its own in it."""
    if not Path(CHROMIUM).exists():
        pytest.fail(f"{CHROMIUM} is not there; run tests/browser/install.sh", pytrace=False)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        yield browser
        browser.close()


@dataclass
class Visitor:
    """Somebody at the console: a page in a browser, and what the browser complained of."""

    page: Page
    base: str
    complaints: list[str]

    def open(self, path: str = "") -> Page:
        """Go to a page of the console."""
        self.page.goto(self.base + path)
        return self.page

    def sign_in(self, key: str = ADMIN_KEY) -> Page:
        """Sign in with the admin key."""
        self.open("/sign-in")
        self.page.get_by_label("Admin key").fill(key)
        self.page.get_by_role("button", name="Sign in").click()
        return self.page


@pytest.fixture
def server(database_url: str, tmp_path: Path) -> Iterator[Gunicorn]:
    """A server with two workers, on SQLite and on PostgreSQL."""
    with gunicorn(tmp_path, "callhelm_threecx.gunicorn.Worker", database_url=database_url) as one:
        yield one


@pytest.fixture(scope="module")
def shared_server(
    database_source: DatabaseSource, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gunicorn]:
    """One server for all tests of a module, for each backend; they keep to organizations of
    their own."""
    folder = tmp_path_factory.mktemp("shared")
    with (
        database_source.empty(folder) as url,
        migrated(url),
        gunicorn(folder, "callhelm_threecx.gunicorn.Worker", database_url=url) as one,
    ):
        yield one


@contextmanager
def migrated(url: str) -> Iterator[Database]:
    """The database at a URL, with its tables."""
    database = Database(parse_url(url))
    migrate.upgrade(database)
    try:
        yield database
    finally:
        database.dispose()


@contextmanager
def visiting(chromium: Browser, base: str, **options: Any) -> Iterator[Visitor]:
    """A fresh browser context at a console. Whatever its console, its network or its content
    policy complains of is collected."""
    context: BrowserContext = chromium.new_context(**{"viewport": DESKTOP, **options})
    context.set_default_timeout(20_000)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "request",
        lambda request: (
            None
            if request.url.startswith((base.partition("/api/")[0], "data:"))
            else complaints.append(f"asked another host: {request.url}")
        ),
    )
    try:
        yield Visitor(page, base, complaints)
    finally:
        context.close()


@pytest.fixture
def visit(chromium: Browser, server: Gunicorn) -> Iterator[Callable[..., Visitor]]:
    """Opens browsers at the server's console: ``visit(viewport=PHONE, java_script_enabled=False)``.

    At the end nothing may have been complained of."""
    visitors: list[Visitor] = []
    with ExitStack() as stack:

        def open_one(**options: Any) -> Visitor:
            base = server.base + CONSOLE
            visitors.append(stack.enter_context(visiting(chromium, base, **options)))
            return visitors[-1]

        yield open_one
        complaints = [text for visitor in visitors for text in visitor.complaints]
    assert complaints == []
