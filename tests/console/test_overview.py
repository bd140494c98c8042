"""The overview: is it connected, what is to do, how is it going."""

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from bs4 import Tag
from webtest import TestResponse

from callhelm_threecx.models import IntegrationRow
from callhelm_threecx.services.agents import NewMapping
from callhelm_threecx.services.events import Event, EventStatus, EventType
from callhelm_threecx.services.integrations import Change
from tests.console.conftest import Browser
from tests.core.plans import watched

PATH = "/o/acme"
OK, NO_MATCH, ERROR = EventStatus.OK, EventStatus.NO_MATCH, EventStatus.ERROR
LOOKUP, JOURNAL = EventType.LOOKUP, EventType.JOURNAL
CALLS = {"Inbound": 3, "Missed": 1, "Outbound": 2, "Notanswered": 1}


def keep(
    browser: Browser,
    kind: EventType,
    status: EventStatus = OK,
    ago: timedelta = timedelta(0),
    **fields: Any,
) -> Event:
    event = Event("acme", kind, status, created_at=datetime.now(timezone.utc) - ago, **fields)
    with browser.api.app.services.database.write_all_organizations() as session:
        session.add(event.row())
    return event


def age_key(browser: Browser) -> None:
    """The key was made a year ago."""
    with browser.api.app.services.database.write("acme") as session:
        for row in session.query(IntegrationRow):
            row.key_created_at = datetime.now(timezone.utc) - timedelta(days=365)


def connected(browser: Browser, *, number: int = 1) -> None:
    """Some days of calls, today's among them."""
    age_key(browser)
    for days in range(4):
        for call_type, times in CALLS.items():
            for _ in range(times * number):
                keep(browser, JOURNAL, ago=timedelta(days=days), call_type=call_type)
        keep(browser, LOOKUP, ago=timedelta(days=days), latency_ms=2.5, phone_number="+49301")
        keep(browser, LOOKUP, NO_MATCH, timedelta(days=days), latency_ms=1.5)


def text(part: Tag | None) -> str:
    assert part is not None
    return " ".join(part.get_text(" ").split())


def card(page: TestResponse, heading: str) -> Tag:
    """The section under a heading."""
    found = [
        one for one in page.html.select("section") if text(one.select_one("h2, h3")) == heading
    ]
    assert found, heading
    return found[0]


def badge(page: TestResponse) -> str:
    return text(card(page, "Is it connected?").select_one(".badge"))


# -- is it connected


def test_before_the_first_call_it_waits_and_shows_no_empty_charts(admin: Browser) -> None:
    page = admin.open(PATH)
    assert badge(page) == "waiting"
    assert "never" in text(card(page, "Is it connected?"))
    assert not page.html.select("svg.chart")
    assert "As soon as your PBX is connected" in page.text


@pytest.mark.parametrize(
    ("ago", "said"),
    [
        (timedelta(hours=1), "connected"),
        (timedelta(hours=23), "connected"),
        (timedelta(hours=30), "quiet"),
        (timedelta(days=5), "quiet"),
    ],
)
def test_it_is_connected_when_it_asked_within_a_day(
    admin: Browser, ago: timedelta, said: str
) -> None:
    age_key(admin)
    keep(admin, LOOKUP, ago=ago)
    page = admin.open(PATH)
    assert badge(page) == said
    if said == "quiet":
        days = "a day" if ago.days == 1 else f"{ago.days} days"
        assert f"Your PBX has not asked for {days}." in page.text


def test_a_new_key_that_the_pbx_has_not_used_is_told(admin: Browser) -> None:
    keep(admin, LOOKUP, ago=timedelta(hours=1))
    assert badge(admin.open(PATH)) == "not since the new key"


def test_switched_off_is_told_with_the_way_back(admin: Browser) -> None:
    connected(admin)
    admin.api.app.services.integrations.change("acme", Change(enabled=False))
    page = admin.open(PATH)
    assert card(page, "Is it connected?").find("a", string="Switch it on")
    assert "Test the connection" not in page.text


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        ("storage_unavailable: The storage does not answer.", "did not answer in time"),
        ("bad_json: The body is not JSON.", "Download the template anew"),
        ("bad_input: Duration: cannot be read.", "Something in the request is missing"),
        ("body_too_large: The body is too large.", "THREECX_MAX_BODY"),
        ("internal_error: Something went wrong.", "a fault of the server"),
        ("of an earlier integration", "Open it to see"),
        (None, "Open it to see"),
    ],
)
def test_an_error_is_told_with_what_to_do_about_it(
    admin: Browser, error: str | None, advice: str
) -> None:
    event = keep(admin, JOURNAL, ERROR, error=error, phone_number="+49 <b>30")
    page = admin.open(PATH)
    wrong = card(page, "What went wrong in the last 24 hours")
    assert advice in text(wrong)
    assert "A call was not recorded , +49 <b>30" in text(wrong)
    assert wrong.find("a", href=f"{admin.base}{PATH}/events/{event.id}")


def test_the_newest_errors_are_shown_and_all_of_them_counted(admin: Browser) -> None:
    connected(admin)
    for hours in range(7):
        keep(admin, LOOKUP, ERROR, timedelta(hours=hours), error=f"bad_input: number {hours}")
    page = admin.open(PATH)
    assert badge(page) == "connected, with errors"
    wrong = card(page, "What went wrong in the last 24 hours")
    assert [text(said) for said in wrong.select(".said")] == [f"number {n}" for n in range(5)]
    assert wrong.find("a", string="All 7 errors")


def test_what_waits_to_be_written_is_in_it(admin: Browser) -> None:
    admin.api.lookup("+4930123456")
    assert "never" not in text(card(admin.open(PATH), "Is it connected?").select("dd")[0])


# -- what to do next


def steps(page: TestResponse) -> list[bool]:
    return ["done" in (one.get("class") or ()) for one in page.html.select("ol.steps > li")]


def test_the_checklist_ticks_itself(admin: Browser) -> None:
    ticked = [steps(admin.open(PATH))]
    for kind in (EventType.TEMPLATE, LOOKUP, JOURNAL):
        keep(admin, kind)
        ticked.append(steps(admin.open(PATH)))
    admin.api.app.services.agents.put("acme", NewMapping("101", "u1"))
    ticked.append(steps(admin.open(PATH)))
    assert ticked == [[place <= done for place in range(5)] for done in range(5)]


def test_what_is_to_do_leads_to_where_it_is_done(admin: Browser) -> None:
    links = [link["href"] for link in card(admin.open(PATH), "What to do next").select("a")]
    below = [link.removeprefix(f"{admin.base}{PATH}") for link in links]
    assert below == ["/setup#step-2", "/setup/test", "/setup#step-2", "/agents"]
    page = admin.open(f"{PATH}/setup")
    assert page.html.find(id="step-2")


def test_a_template_that_was_handed_out_otherwise_is_no_task_any_more(admin: Browser) -> None:
    keep(admin, LOOKUP)
    assert steps(admin.open(PATH)) == [True, True, True, False, False]


def test_calls_that_are_not_to_be_recorded_are_no_task(admin: Browser) -> None:
    settings = {"call_journaling_enabled": False}
    admin.api.app.services.integrations.change("acme", Change(settings=settings))
    page = admin.open(PATH)
    assert len(steps(page)) == 4
    assert "switched off in the settings" in text(card(page, "Is it connected?"))


def test_only_a_page_with_tasks_looks_for_news_by_itself(admin: Browser) -> None:
    assert admin.open(PATH).html.find(id="state")["data-refresh"] == f"{admin.base}{PATH}"
    connected(admin)
    keep(admin, EventType.TEMPLATE)
    admin.api.app.services.agents.put("acme", NewMapping("101", "u1"))
    page = admin.open(PATH)
    assert not page.html.find(id="state").has_attr("data-refresh")
    assert card(page, "Everything is set up")


# -- how is it going


def rows(page: TestResponse, heading: str) -> list[list[str]]:
    found = card(page, heading).select("table.numbers tbody tr")
    return [[text(cell) for cell in row.select("th, td")] for row in found]


def test_calls_lookups_and_answered_shares_are_charts_and_tables(admin: Browser) -> None:
    connected(admin)
    page = admin.open(PATH)
    for heading, figure, today in (
        ("Calls", "28", ["3", "1", "2", "1"]),
        ("Answered", "75 %", ["75 %"]),
        ("Known callers", "50 %", ["1", "1"]),
    ):
        assert text(card(page, heading).select_one(".figure")) == figure
        table = rows(page, heading)
        assert (len(table), table[-1][1:]) == (14, today)
        chart = card(page, heading).select_one("svg.chart")
        assert chart is not None
        assert chart["role"] == "img"
        named = [page.html.find(id=one).text for one in chart["aria-labelledby"].split()]
        assert all(named)


def test_each_series_has_a_pattern_of_its_own(admin: Browser) -> None:
    connected(admin)
    chart = card(admin.open(PATH), "Calls").select_one("svg.chart")
    assert chart is not None
    insides = [pattern.decode_contents() for pattern in chart.select("pattern")]
    fills = [path["fill"] for path in chart.select("path[fill]")]
    assert len(set(insides)) == 4
    assert fills == [f"url(#{pattern['id']})" for pattern in chart.select("pattern")]


@pytest.mark.parametrize(
    ("query", "days"),
    [("", 14), ("?days=30", 30), ("?days=90", 90), ("?days=31", 14), ("?days=x", 14)],
)
def test_so_many_days_are_shown_as_are_asked_for(admin: Browser, query: str, days: int) -> None:
    connected(admin)
    page = admin.open(PATH + query)
    assert len(rows(page, "Calls")) == days
    assert page.html.select_one(".choice [aria-current]").text == f"{days} days"


def test_the_slowest_lookups_lead_to_their_events(admin: Browser) -> None:
    connected(admin)
    slow = keep(admin, LOOKUP, latency_ms=1234.5, phone_number="<i>1")
    part = card(admin.open(PATH), "Slowest lookups")
    assert text(part.select_one(".figure")) == "1.2 s"
    assert part.find("a", href=f"{admin.base}{PATH}/events/{slow.id}").text == "<i>1"


def test_days_without_calls_say_so(admin: Browser) -> None:
    age_key(admin)
    keep(admin, LOOKUP, ago=timedelta(days=40))
    page = admin.open(PATH)
    for heading, said in (
        ("Calls", "No call was recorded"),
        ("Answered", "No call from outside"),
        ("Known callers", "looked nobody up"),
    ):
        assert said in text(card(page, heading).select_one(".empty"))


# -- who may see it, and at what cost


def test_who_only_reads_sees_how_it_is_and_nothing_to_press(member: Browser) -> None:
    connected(member)
    keep(member, LOOKUP, ERROR)
    page = member.be("agent").open(PATH)
    assert badge(page) == "connected, with errors"
    assert "An administrator of your organization can do this." in page.text
    main = page.html.find("main")
    assert not [
        a["href"] for a in main.select("a") if "/setup" in a["href"] or "/agents" in a["href"]
    ]
    assert not main.select("button, form")


def test_another_organization_is_nobody_elses_business(member: Browser) -> None:
    assert member.be("stranger").open(PATH, status=403).html.h1.text == "Not allowed"


def test_before_its_set_up_an_organization_is_led_to_it(admin: Browser) -> None:
    assert admin.open("/o/fresh").request.path.endswith("/o/fresh/setup")


def test_a_stranger_is_led_to_the_sign_in(browse: Callable[..., Browser]) -> None:
    assert browse().open(PATH).html.h1.text == "Sign in"


def test_a_page_is_at_most_eight_statements_and_100_kb(admin: Browser) -> None:
    services = admin.api.app.services
    age_key(admin)
    now = datetime.now(timezone.utc)
    events = [
        Event(
            "acme",
            kind,
            status,
            call_type=call_type,
            latency_ms=9999.0,
            error="x" * 5000,
            phone_number="\N{MOUSE}" * 128,
            created_at=now - timedelta(days=days, minutes=place),
        )
        for days in range(90)
        for place in range(11)
        for kind, status, call_type in (
            *((JOURNAL, OK, call_type) for call_type in CALLS),
            (LOOKUP, NO_MATCH, None),
            (LOOKUP, OK, None),
            (LOOKUP, ERROR, None),
        )
    ]
    with services.database.write_all_organizations() as session:
        session.add_all(event.row() for event in events)
    admin.open(f"{PATH}?days=90")  # counts the days that are over, once
    with watched(services.database) as statements:
        page = admin.open(f"{PATH}?days=90")
    assert len(statements) <= 8
    assert len(page.body) < 100_000
