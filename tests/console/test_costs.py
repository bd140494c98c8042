"""Every page on a large database: few statements, each on an index, small, and fast."""

import re
import statistics
import time
from collections.abc import Callable, Iterator
from urllib.parse import quote

import httpx
import pytest

from callhelm_threecx import migrate
from callhelm_threecx.db import Database
from callhelm_threecx.settings import database_url as parse_url
from tests.client import ADMIN_KEY, Api
from tests.console import big_town
from tests.console.conftest import Browser
from tests.core.big_log import AGENTS, COMMON_NUMBER, RARE_NUMBER
from tests.core.plans import Statement, watched
from tests.core.statements import recorded
from tests.http.gunicorns import gunicorn
from tests.servers import DatabaseSource

MOST_STATEMENTS = 8
MOST_BYTES = 100_000
TIMES_A_LOOKUP = 20
ROUNDS = 31
"""Of a page and a lookup in turn; each page is held against the lookup beside it, so that whatever
else the machine does meets both."""

HERE = "/o/acme"


@pytest.fixture(scope="module")
def big(
    database_source: DatabaseSource, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Browser]:
    """A console on a large database, with an administrator who is signed in."""
    with database_source.empty(tmp_path_factory.mktemp("big")) as url:
        database = Database(parse_url(url))
        migrate.upgrade(database)
        big_town.fill(database)
        database.dispose()
        api = Api.build(database_url=url)
        browser = Browser(api).sign_in()
        api.key()
        api.set_up("other")
        for extension in AGENTS[:30]:
            body = {"organizationId": "acme", "extension": extension, "agentFirstName": "Ann"}
            api.post("/agents", body, key=ADMIN_KEY)
        browser.open(HERE)  # counts the days that are over, once
        yield browser
        api.close()


def first(path: str, pattern: str) -> Callable[[Browser], str]:
    """The path of the first link of a page that looks so."""

    def find(browser: Browser) -> str:
        found = re.search(f'href="{re.escape(browser.base)}({pattern})"', browser.open(path).text)
        assert found, path
        return found[1].replace("&amp;", "&")

    return find


def newest(browser: Browser) -> str:
    """The cursor from which the page of events asks for newer ones."""
    return str(browser.open(f"{HERE}/events").html.select_one("[data-newest]")["data-newest"])


ID = "[0-9a-f-]{36}"
PAGES: dict[str, str | Callable[[Browser], str]] = {
    "organizations": "/organizations",
    "overview": HERE,
    "set-up": f"{HERE}/setup",
    "agents": f"{HERE}/agents",
    "agents that match": f"{HERE}/agents?q=ann",
    "events": f"{HERE}/events",
    "older events": first(f"{HERE}/events", f'{HERE}/events\\?[^"]*cursor=[^"]+'),
    "errors": f"{HERE}/events?status=error",
    "a kind that never was": f"{HERE}/events?type=chat&status=error",
    "events of a busy number": f"{HERE}/events?number={quote(COMMON_NUMBER)}",
    "events of a rare number": f"{HERE}/events?number={quote(RARE_NUMBER)}",
    "events of an agent": f"{HERE}/events?agent={AGENTS[0]}",
    "new events": lambda browser: f"{HERE}/events/new?after={newest(browser)}",
    "an event": first(f"{HERE}/events?type=journal", f"{HERE}/events/{ID}"),
    "events of all": "/events",
    "refusals of all": "/events?type=refused",
    "calls": f"{HERE}/calls",
    "missed calls": f"{HERE}/calls?type=Missed",
    "calls of a rare number": f"{HERE}/calls?number={quote(RARE_NUMBER)}",
    "older calls": first(f"{HERE}/calls", f'{HERE}/calls\\?[^"]*cursor=[^"]+'),
    "a call": first(f"{HERE}/calls", f"{HERE}/calls/{ID}"),
    "chats": f"{HERE}/chats",
    "contacts": f"{HERE}/contacts",
    "older contacts": first(f"{HERE}/contacts", f'{HERE}/contacts\\?[^"]*cursor=[^"]+'),
    "a number's contact": f"{HERE}/contacts?query={quote(big_town.number_of(77))}",
    "a part of a name": f"{HERE}/contacts?query=lindn",
    "nobody's name": f"{HERE}/contacts?query=xylophon",
    "a contact": first(f"{HERE}/contacts", f"{HERE}/contacts/{ID}"),
    "imports": f"{HERE}/contacts/imports",
    "a chat": first(f"{HERE}/chats", f"{HERE}/chats/{ID}"),
}


@pytest.fixture(params=PAGES)
def path(big: Browser, request: pytest.FixtureRequest) -> str:
    page = PAGES[request.param]
    return page if isinstance(page, str) else page(big)


def test_a_page_is_few_statements_each_on_an_index(big: Browser, path: str) -> None:
    database = big.api.app.services.database
    with recorded(database) as seen:
        big.open(path)
    asked = [one for one in seen if re.match(r"\s*(SELECT|WITH|INSERT|UPDATE|DELETE)", one)]
    assert 1 <= len(asked) <= MOST_STATEMENTS, asked
    with watched(database) as statements:
        big.open(path)
    for statement in statements:
        assert_indexed(statement)


def assert_indexed(statement: Statement) -> None:
    """It reads none of the large tables from end to end."""
    for name in big_town.TABLES:
        assert f"Seq Scan three_cx_{name}" not in statement.plan, statement
        assert f"SCAN three_cx_{name}\n" not in statement.plan + "\n", statement


@pytest.fixture(scope="module")
def served(
    big: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[httpx.Client, httpx.Client]]:
    """A server on the same database: an administrator's browser at it, and a PBX."""
    url = big.api.app.services.database.engine.url.render_as_string(hide_password=False)
    folder = tmp_path_factory.mktemp("served")
    with (
        gunicorn(folder, "callhelm_threecx.worker.Worker", database_url=url) as server,
        server.client() as browser,
        server.client(big.api.key()) as pbx,
    ):
        browser.headers = httpx.Headers({"Origin": server.base})
        form = browser.get("/console/sign-in").text
        token = re.search(r'name="_token" value="([^"]+)"', form)
        assert token
        fields = {"_token": token[1], "key": ADMIN_KEY}
        assert browser.post("/console/sign-in", data=fields).status_code == 303
        yield browser, pbx


def test_a_page_is_small_and_answered_in_twenty_times_a_lookup(
    served: tuple[httpx.Client, httpx.Client], path: str
) -> None:
    browser, pbx = served
    numbers = (quote(big_town.number_of(n)) for n in range(7, big_town.CONTACTS, 11))
    address = "/console" + path

    def ask() -> httpx.Response:
        return browser.get(address)

    def lookup() -> httpx.Response:
        return pbx.get(f"/contacts/lookup?number={next(numbers)}")

    page, found = ask(), lookup()
    assert (page.status_code, len(found.json()["contacts"])) == (200, 1)
    assert len(page.content) < MOST_BYTES
    ratio = statistics.median(timed(ask) / timed(lookup) for _ in range(ROUNDS))
    assert ratio < TIMES_A_LOOKUP


def timed(act: Callable[[], object]) -> float:
    """The seconds that something takes."""
    begin = time.perf_counter()
    act()
    return time.perf_counter() - begin
