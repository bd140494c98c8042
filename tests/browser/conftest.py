"""A real browser at a real server. ``install.sh`` brings what is driven here.

Each process of a run has one browser, and each backend one server, which all tests share: they keep
to organizations of their own. All tests of a backend run in one process (``--dist loadgroup``), so
that two processes share the work evenly and no server is started twice.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from callhelm_threecx import migrate
from callhelm_threecx.db import Database
from callhelm_threecx.settings import database_url as parse_url
from tests.browser import town
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
PATIENCE_S = 20
"""How long something that should be there may take: a test machine may be busy."""


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        backend = getattr(item, "callspec", None) and item.callspec.params.get("backend")
        if backend and here in item.path.parents:
            item.add_marker(pytest.mark.xdist_group(backend))


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One browser for the whole run; each test has a context of its own in it."""
    expect.set_options(timeout=PATIENCE_S * 1000)
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


@pytest.fixture(scope="session")
def database(
    database_source: DatabaseSource, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Database]:
    """The database of the server, for what cannot be brought in from outside."""
    with database_source.empty(tmp_path_factory.mktemp("browser")) as url, migrated(url) as one:
        yield one


@pytest.fixture(scope="session")
def server(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gunicorn]:
    """A server with two workers, on SQLite and on PostgreSQL."""
    url = database.engine.url.render_as_string(hide_password=False)
    folder = tmp_path_factory.mktemp("server")
    with gunicorn(folder, "callhelm_threecx.worker.Worker", database_url=url) as one:
        yield one


@pytest.fixture(scope="session")
def town_server(server: Gunicorn, database: Database) -> Gunicorn:
    """The server, with an organization that has been busy for weeks."""
    town.settle(server, database)
    return server


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
    context.set_default_timeout(PATIENCE_S * 1000)
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
