"""What is new in the log, for a page that is open."""

import uuid
from datetime import datetime, timedelta, timezone

import pytest
from bs4 import BeautifulSoup, Tag

from callhelm_threecx.console import events
from callhelm_threecx.services.console_sessions import RENEW_S
from callhelm_threecx.services.events import EventType
from callhelm_threecx.stores.cursors import cursor_of
from tests.console.conftest import Browser
from tests.console.log_entries import NOW, log, lookup

EVENTS = "/o/acme/events"


def live_rows(browser: Browser, query: str = "?type=lookup") -> Tag:
    """The body of the table that grows."""
    found = browser.open(EVENTS + query).html.find(id="live-rows")
    assert isinstance(found, Tag)
    return found


def news(browser: Browser, body: Tag) -> Tag:
    """What a page's script gets."""
    url = str(body["data-live"])
    after = f"{'&' if '?' in url else '?'}after={body['data-newest']}"
    answer = browser.open(url + after)
    found = BeautifulSoup(answer.text, "html.parser").find("tbody")
    assert isinstance(found, Tag)
    found["data-live"] = url  # as the script leaves it
    return found


def ids(body: Tag) -> list[str]:
    return [str(row["id"]) for row in body.find_all("tr")]


def test_what_happened_since_comes_as_rows_that_go_on_from_there(admin: Browser) -> None:
    log(admin, lookup(1, minutes=2))
    body = live_rows(admin)
    log(admin, lookup(2, minutes=1), second := lookup(3))
    fresh = news(admin, body)
    assert ids(fresh)[0] == f"e-{second.id}"
    assert len(set(ids(fresh)) - set(ids(body))) == 2
    assert set(ids(news(admin, fresh))) <= set(ids(fresh))


def test_an_event_that_is_written_late_is_found_and_has_its_place(admin: Browser) -> None:
    log(admin, lookup(1))
    body = live_rows(admin)
    late = lookup(2, created_at=NOW - timedelta(seconds=2))
    log(admin, late)
    row = news(admin, body).find(id=f"e-{late.id}")
    assert isinstance(row, Tag)
    first = body.find("tr")
    assert isinstance(first, Tag)
    assert str(row["data-at"]) < str(first["data-at"])


def test_the_first_event_of_an_empty_log_arrives(admin: Browser) -> None:
    body = live_rows(admin)
    log(admin, lookup(1, created_at=events.utc_now()))
    assert len(ids(news(admin, body))) == 1


def test_only_what_the_filters_let_through_arrives(admin: Browser) -> None:
    body = live_rows(admin)
    log(admin, lookup(1, type=EventType.SEARCH, created_at=events.utc_now()))
    assert ids(news(admin, body)) == []


def test_more_than_a_page_takes_the_place_of_all(admin: Browser) -> None:
    log(admin, lookup(0, minutes=9))
    body = live_rows(admin)
    log(admin, *(lookup(n, minutes=-n / 100) for n in range(events.PAGE * 2)))
    fresh = news(admin, body)
    assert fresh.has_attr("data-whole")
    assert ids(fresh) == ids(live_rows(admin))
    assert admin.open(str(fresh["data-older"])).status_int == 200


@pytest.mark.parametrize("query", ["?until=2026-11-22T08:00", "?type=nonsense"])
def test_what_cannot_grow_is_not_asked_for(admin: Browser, query: str) -> None:
    page = admin.open(EVENTS + query, status="*")
    assert not page.html.find(id="live-rows").has_attr("data-live")
    assert not page.html.find(id="live-said")


def test_an_older_page_does_not_grow(admin: Browser) -> None:
    log(admin, *(lookup(n, minutes=n) for n in range(events.PAGE + 1)))
    older = admin.open(f"{EVENTS}?type=lookup").click("Older")
    assert not older.html.find(id="live-rows").has_attr("data-live")


def test_it_may_be_paused_and_works_without_script(admin: Browser) -> None:
    page = admin.open(EVENTS)
    assert page.html.find(id="live-said")["role"] == "status"
    assert page.html.find("button", attrs={"data-live-pause": "live-rows"})
    assert page.click("Look for new ones").status_int == 200


def test_asking_over_and_over_keeps_nobody_signed_in(
    admin: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = live_rows(admin)
    monkeypatch.setattr("callhelm_threecx.services.console_sessions.RENEW_S", -RENEW_S)
    url = f"{body['data-live']}&after={body['data-newest']}"
    assert "Set-Cookie" not in admin.open(url).headers
    assert "Set-Cookie" in admin.open(EVENTS).headers


BEFORE_ALL_TIME = cursor_of(datetime.min.replace(tzinfo=timezone.utc), uuid.UUID(int=0))


@pytest.mark.parametrize("after", ["", "nonsense", BEFORE_ALL_TIME])
def test_a_cursor_of_nobodys_is_bad_input(admin: Browser, after: str) -> None:
    admin.open(f"{EVENTS}/new?after={after}", status=400)


def test_news_are_for_those_who_may_see_them(member: Browser) -> None:
    cursor = live_rows(member.be("agent"))["data-newest"]
    member.open(f"/o/other/events/new?after={cursor}", status=403)
    member.open(f"/events/new?after={cursor}", status=403)
