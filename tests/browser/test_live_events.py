"""The log of a page that stays open, and its times."""

import threading
import time
import uuid
from collections.abc import Callable

import httpx
from playwright.sync_api import expect

from callhelm_threecx.console.events import PAGE
from tests.browser.conftest import PATIENCE_S, Visitor
from tests.http.gunicorns import Gunicorn


class Pbx:
    """Looks callers up at a server, for an organization of its own."""

    def __init__(self, server: Gunicorn) -> None:
        organization = f"live-{uuid.uuid4().hex[:8]}"
        self._api = f"{server.base}/api/3cx"
        self._key = server.set_up(organization)
        self.events = f"/o/{organization}/events"

    def ring(self, *numbers: str) -> None:
        """Look numbers up, and return when every worker's log has them."""
        with httpx.Client(headers={"x-api-key": self._key}, trust_env=False) as client:
            for number in numbers:
                client.get(f"{self._api}/contacts/lookup", params={"number": number})
            deadline, pause = time.monotonic() + PATIENCE_S, threading.Event()
            while not set(numbers) <= self._logged(client):
                assert time.monotonic() < deadline, "the log does not have the lookups"
                pause.wait(0.05)

    def _logged(self, client: httpx.Client) -> set[str]:
        events = client.get(f"{self._api}/events", params={"limit": 200}).json()["events"]
        return {event["phoneNumber"] for event in events}


def test_new_events_appear_by_themselves_until_they_are_paused(
    server: Gunicorn, visit: Callable[..., Visitor]
) -> None:
    pbx = Pbx(server)
    visitor = visit()
    visitor.sign_in()
    page = visitor.open(f"{pbx.events}?type=lookup")
    rows, said = page.locator("#live-rows tr"), page.locator("#live-said")
    expect(page.get_by_text("No event matches these filters.")).to_be_visible()
    pbx.ring("+49301234001")
    expect(rows).to_have_count(1)
    expect(page.get_by_text("No event matches these filters.")).to_have_count(0)
    pbx.ring("+49301234002", "+49301234003")
    expect(rows).to_have_count(3)
    expect(rows.first).to_contain_text("+49301234003")
    page.get_by_role("button", name="Pause").click()
    expect(said).to_have_text("Paused.")
    pbx.ring(*(f"+49301235{n:03}" for n in range(PAGE + 1)))
    with page.expect_response("**/events/new?**"):
        expect(rows).to_have_count(3)
        page.get_by_role("button", name="Pause").click()
    expect(rows).to_have_count(PAGE)
    expect(said).to_have_text("Many new events: these are the newest.")
    page.get_by_role("link", name="Older").click()
    expect(page.locator("#live-rows tr")).to_have_count(4)


def test_times_are_chosen_in_the_readers_zone_and_kept_in_utc(
    server: Gunicorn, visit: Callable[..., Visitor]
) -> None:
    pbx = Pbx(server)
    visitor = visit(timezone_id="America/New_York")
    visitor.sign_in()
    page = visitor.open(pbx.events)
    page.get_by_label("From").fill("2026-07-01T12:00")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page).to_have_url(f"{visitor.base}{pbx.events}?since=2026-07-01T16%3A00")
    expect(page.get_by_label("From")).to_have_value("2026-07-01T12:00")
    expect(page.locator("#h-since")).to_have_text("America/New_York")


def test_without_script_times_are_utc_and_news_are_a_click_away(
    server: Gunicorn, visit: Callable[..., Visitor]
) -> None:
    pbx = Pbx(server)
    visitor = visit(java_script_enabled=False, timezone_id="America/New_York")
    visitor.sign_in()
    page = visitor.open(f"{pbx.events}?type=lookup&since=2026-07-01T16:00")
    assert page.locator("#h-since").inner_text() == "UTC"
    assert page.get_by_label("From").input_value() == "2026-07-01T16:00"
    assert not page.get_by_role("button", name="Pause").is_visible()
    pbx.ring("+49301234001")
    page.get_by_role("link", name="Look for new ones").click()
    expect(page.locator("#live-rows tr")).to_have_count(1)
