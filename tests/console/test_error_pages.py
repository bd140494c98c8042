"""What a browser is shown when something cannot be done."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text
from webtest import TestResponse

from callhelm_threecx import migrate
from callhelm_threecx.db import Database
from callhelm_threecx.services.integrations import Integrations
from callhelm_threecx.settings import database_url
from tests.client import Api
from tests.console.conftest import ORIGIN, Browser
from tests.http.wire import raw
from tests.servers import DatabaseSource

FORM = {"Content-Type": "application/x-www-form-urlencoded", "Origin": ORIGIN}


def assert_page(answer: TestResponse, status: int, heading: str) -> None:
    assert answer.status_int == status, answer.text
    assert answer.content_type == "text/html"
    assert answer.html.h1.text == heading
    assert answer.html.title.text.startswith(heading)
    assert answer.html.select_one("main p").text
    assert answer.headers["X-Request-Id"] in answer.text
    assert answer.html.find("a", string="Back to the start")
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Traceback" not in answer.text


@pytest.mark.parametrize(
    ("method", "path", "status", "heading"),
    [
        ("GET", "/nowhere", 404, "Not here"),
        ("GET", "/o/acme/nowhere/at/all", 404, "Not here"),
        ("GET", "/assets/none.css", 404, "Not here"),
        ("POST", "", 405, "Not like this"),
        ("POST", "/o/acme", 405, "Not like this"),
        ("POST", "/o/acme/events", 405, "Not like this"),
        ("DELETE", "/organizations", 405, "Not like this"),
        ("PUT", "/sign-in", 405, "Not like this"),
    ],
)
def test_what_is_not_there_is_told_in_a_page(
    admin: Browser, method: str, path: str, status: int, heading: str
) -> None:
    answer = raw(admin.api, method, f"/console{path}", b"a=b" if method == "POST" else b"")
    assert_page(answer, status, heading)


def test_a_page_that_takes_no_form_says_what_it_takes(admin: Browser) -> None:
    answer = raw(admin.api, "POST", "/console/o/acme", b"a=b", headers=FORM)
    assert "GET" in answer.headers["Allow"]
    assert "POST" not in answer.headers["Allow"]


@pytest.mark.parametrize(
    ("headers", "body", "status", "heading"),
    [
        (FORM, b"key=x", 403, "Not allowed"),
        ({**FORM, "Origin": "https://evil.example"}, b"key=x", 403, "Not allowed"),
        (FORM, b"x=" + b"y" * 300_000, 413, "Too large"),
        (FORM, b"x=" + b"y" * 2_000_000, 413, "Too large"),
        ({**FORM, "Content-Type": "application/json"}, b"{}", 415, "Not like this"),
        (FORM, b"\xff=\xfe", 400, "That did not work"),
    ],
)
def test_a_form_that_cannot_be_taken_is_told_in_a_page(
    admin: Browser, headers: dict[str, str], body: bytes, status: int, heading: str
) -> None:
    answer = raw(admin.api, "POST", "/console/sign-in", body, headers=headers)
    assert_page(answer, status, heading)


def test_a_role_that_may_not_is_told_in_a_page(member: Browser) -> None:
    page = member.be("agent").open("/o/other", status=403)
    assert_page(page, 403, "Not allowed")


def test_a_database_that_is_away_is_told_in_a_page_and_when_to_come_back(
    tmp_path: Path, database_source: DatabaseSource
) -> None:
    with database_source.empty(tmp_path) as url:
        database = Database(database_url(url))
        migrate.upgrade(database)
        browser = Browser(Api.build(database_url=url)).sign_in()
        with database.engine.begin() as connection:
            connection.execute(text("DROP TABLE three_cx_console_sessions"))
        database.dispose()
        page = browser.open("/o/acme", status=503)
        browser.api.close()
    assert_page(page, 503, "Not now")
    assert page.headers["Retry-After"] == "5"
    assert "Try again in a minute" in page.text
    assert "three_cx" not in page.text


def test_a_fault_of_ours_is_told_without_its_details(
    admin: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_(*_: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(Integrations, "get", break_)
    page = admin.open("/o/acme", status=500)
    assert_page(page, 500, "Our fault")
    assert "secret detail" not in page.text


@pytest.mark.parametrize("host", ["a b", "evil/..", "x\\y", "[::"])
@pytest.mark.parametrize("path", ["/console", "/console/nowhere", "/console/o/acme"])
def test_a_host_that_is_none_is_refused_and_breaks_nothing(
    admin: Browser, host: str, path: str
) -> None:
    answer = raw(admin.api, "GET", path, headers={"Host": host})
    assert answer.status_int in {303, 400, 404}
    assert "Traceback" not in answer.text


@pytest.mark.parametrize("path", ["/console", "/console/"])
@pytest.mark.parametrize("prefix", ["/api/3cx", "/crm/phone"])
def test_the_console_begins_with_or_without_a_slash(
    make_api: Callable[..., Api], path: str, prefix: str
) -> None:
    browser = Browser(make_api(prefix=prefix))
    answer = raw(browser.api, "GET", path)
    assert answer.status_int == 303
    assert answer.headers["Location"] == f"{prefix}/console/sign-in"
    browser.sign_in()
    assert browser.open(path.removeprefix("/console")).html.h1.text == "Organizations"
