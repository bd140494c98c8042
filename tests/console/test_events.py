"""The log in the browser: filters, pages, one event, the export."""

import csv
import io
import json
from datetime import timedelta
from typing import Any

import pytest
from webtest import TestResponse

from callhelm_threecx.console.events import COLUMNS, PAGE
from callhelm_threecx.models import utc_now
from callhelm_threecx.services.events import Event, EventStatus, EventType
from callhelm_threecx.services.purge_orders import PurgeOrder
from tests.console.conftest import Browser
from tests.console.log_entries import HOSTILE, facts, journal, log, lookup, numbers, reads_of, rows

EVENTS = "/o/acme/events"


def table(page: TestResponse) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(page.body.decode("utf-8-sig"), newline="")))


# -- the list


def test_an_event_says_what_happened_to_whom_and_how_long_it_took(admin: Browser) -> None:
    anna = admin.api.create(FirstName="Anna", LastName="Weber", Number="+49301234001")
    journal(admin)
    row = next(row for row in rows(admin.open(EVENTS)) if "Call" in row)
    for told in ("incoming, answered · 3:25", "done", "+49301234001", "Anna Weber", "101", " ms"):
        assert told in row
    link = admin.open(EVENTS).html.find("a", string="Anna Weber")
    assert link["href"].endswith(f"/o/acme/contacts/{anna['id']}")


def test_the_newest_is_first_and_older_ones_are_pages_away(admin: Browser) -> None:
    log(admin, *(lookup(n, minutes=n) for n in range(PAGE + 5)))
    first = admin.open(f"{EVENTS}?type=lookup")
    second = first.click("Older")
    shown = [*numbers(first), *numbers(second)]
    assert shown == [f"+49301234{n:03}" for n in range(PAGE + 5)]
    assert second.html.find("a", rel="next") is None
    assert numbers(second.click("Newest")) == numbers(first)


FILTERED: list[tuple[str, list[int]]] = [
    ("type=lookup", [1, 2, 3]),
    ("type=search", [4]),
    ("status=error", [2]),
    ("type=lookup&status=no_match", [1, 3]),
    ("number=%2B49301234003", [3]),
    ("number=030+1234003", [3]),
    ("agent=102", [4]),
    ("since=2026-11-22T11:57", [1, 2, 3]),
    ("until=2026-11-22T11:58", [3, 4]),
    ("since=2026-11-22T11:57&until=2026-11-22T11:58:30", [2, 3]),
    ("type=search&number=%2B49301234001", []),
]


@pytest.mark.parametrize(("query", "found"), FILTERED, ids=[query for query, _ in FILTERED])
def test_the_list_is_filtered_by(admin: Browser, query: str, found: list[int]) -> None:
    log(
        admin,
        lookup(1, minutes=1),
        lookup(2, minutes=2, status=EventStatus.ERROR),
        lookup(3, minutes=3),
        lookup(4, minutes=4, type=EventType.SEARCH, agent_extension="102"),
    )
    recent = "" if "until" in query or "type" in query else "&until=2026-11-22T12:00"
    page = admin.open(f"{EVENTS}?{query}{recent}")
    assert numbers(page) == [f"+49301234{n:03}" for n in found]


def test_a_filter_stays_in_the_form_and_on_every_page(admin: Browser) -> None:
    log(admin, *(lookup(n, minutes=n) for n in range(PAGE + 1)), lookup(1, organization_id="b"))
    wanted = {"type": "lookup", "status": "no_match", "since": "2026-11-22T08:00"}
    form = admin.form(admin.open(EVENTS), EVENTS)
    for name, value in wanted.items():
        form[name] = value
    again = admin.form(form.submit().click("Older"), EVENTS)
    assert {name: again[name].value for name in wanted} == wanted


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("type=nonsense", "is none of the choices"),
        ("status=OK", "is none of the choices"),
        ("since=yesterday", "is no date and time that can be read"),
        ("since=2026-11-22T08:00&until=2026-11-22T08:00", "is not after the beginning"),
    ],
)
def test_a_filter_that_cannot_be_read_is_told_at_its_field(
    admin: Browser, query: str, sentence: str
) -> None:
    page = admin.open(f"{EVENTS}?{query}", status=400)
    assert page.html.find(class_="error").get_text() == sentence
    assert not rows(page)


@pytest.mark.parametrize("query", ["cursor=nonsense", "cursor=MDAwMS0wMS0wMQ"])
def test_a_cursor_of_nobodys_is_bad_input(admin: Browser, query: str) -> None:
    admin.open(f"{EVENTS}?{query}", status=400)


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("", "Nothing has happened yet."),
        ("?number=12345", "No event matches these filters."),
    ],
)
def test_an_empty_list_says_why(admin: Browser, query: str, sentence: str) -> None:
    tomorrow = utc_now() + timedelta(days=1)
    admin.api.app.services.purge.run(PurgeOrder.older_than(timedelta(0)), now=tomorrow)
    assert sentence in admin.open(EVENTS + query).html.find(class_="empty").get_text()


# -- whose


def test_another_organizations_events_are_out_of_sight(member: Browser) -> None:
    log(member, lookup(1), other := lookup(2, organization_id="other"))
    member.api.set_up("other")
    member.be("agent")
    assert numbers(member.open(f"{EVENTS}?type=lookup")) == ["+49301234001"]
    member.open(f"{EVENTS}/{other.id}", status=404)
    for path in ("/o/other/events", "/o/other/events.csv", "/events", "/events.csv"):
        member.open(path, status=403)


def test_whoever_may_only_read_sees_the_log(member: Browser) -> None:
    log(member, lookup(1))
    page = member.be("agent").open(EVENTS)
    assert "+49301234001" in numbers(page)
    assert "All organizations" not in page


def test_the_log_of_all_organizations_has_what_belongs_to_none(admin: Browser) -> None:
    admin.api.get("/contacts/lookup?number=1", key="3cx_nobodys", status=401)
    log(admin, lookup(1), lookup(2, organization_id="other"))
    page = admin.open(EVENTS).click("All organizations")
    told = " ".join(rows(page))
    assert "Refused request" in told
    assert "signed in by admin key" in told
    assert {"+49301234001", "+49301234002"} <= set(numbers(page))
    assert page.html.find("a", href=f"{admin.base}/o/other/events")
    assert "none: the key belongs to nobody" in admin.open("/events?type=refused").click(
        href="/events/0"
    )


# -- one event


def test_an_event_shows_its_report_and_how_contact_and_agent_were_found(admin: Browser) -> None:
    admin.api.create(FirstName="Anna", LastName="Weber", Number="+49301234001")
    call_id = journal(admin)
    page = admin.open(f"{EVENTS}?type=journal").click(href="/events/0")
    told = facts(page)
    assert told["Contact"].startswith("Anna Weber The number is the contact's.")
    assert "Nobody is mapped to the extension 101" in told["Agent"]
    assert told["The answer took"].endswith("ms")
    report = json.loads(page.html.find("pre").get_text())
    assert report["AgentFirstName"] == "Mia"
    assert page.html.find("a", href=f"{admin.base}/o/acme/calls/{call_id}")


def test_an_extension_of_nobody_is_mapped_from_here_by_whoever_may(member: Browser) -> None:
    journal(member, Agent="7&8")
    pages = [f"{EVENTS}?type=journal", "/o/acme/calls"]
    for user, expected in (("admin", 1), ("agent", 0)):
        for path in pages:
            page = member.be(user).open(path)
            one = member.open(page.html.select_one("tbody th a")["href"])
            links = one.html.find_all("a", string="Map the extension")
            assert len(links) == expected
            if links:
                form = member.form(member.open(links[0]["href"]), "/o/acme/agents")
                assert form["extension"].value == "7&8"


def test_an_error_is_told_in_full(admin: Browser) -> None:
    admin.api.get("/contacts/search?query=a", status=400)
    page = admin.open(f"{EVENTS}?status=error").click(href="/events/0")
    assert "bad_input: query: needs at least 2 characters" in page


def test_a_long_report_is_shown_in_part_and_downloaded_whole(admin: Browser) -> None:
    journal(admin, Extra="<&>" * 100_000, Turned="\u202egnp")
    page = admin.open(f"{EVENTS}?type=journal").click(href="/events/0")
    assert "This is the beginning." in page
    assert len(page.body) < 100_000
    file = page.click("Download it")
    assert file.json["Extra"] == "<&>" * 100_000
    assert "attachment" in file.headers["Content-Disposition"]
    assert "\u202e" not in file.text


@pytest.mark.parametrize("key", ["nonsense", "01a20000-0000-7000-8000-000000000004"])
def test_an_event_that_is_not_there_is_not_found(admin: Browser, key: str) -> None:
    assert "There is no such event." in admin.open(f"{EVENTS}/{key}", status=404)


# -- the export


def test_the_export_has_the_filtered_events_of_every_page(admin: Browser) -> None:
    log(admin, *(lookup(n, minutes=n) for n in range(PAGE * 2)), lookup(1, type=EventType.SEARCH))
    file = admin.open(f"{EVENTS}?type=lookup").click("Export these as CSV")
    assert file.content_type == "text/csv"
    assert 'filename="events-acme-' in file.headers["Content-Disposition"]
    lines = table(file)
    assert list(lines[0]) == list(COLUMNS)
    assert [line["Number"] for line in lines] == [f"+49301234{n:03}" for n in range(PAGE * 2)]
    assert lines[0]["Time"] == "2026-11-22T12:00:00.000Z"
    assert json.loads(lines[0]["Report"])["found"] == 0


@pytest.mark.parametrize(
    "hostile", ["=1+1", "@SUM(A1)", "-2+3", "+1+cmd|' /C calc'!A0", "\t=1", "\r=1"]
)
def test_no_cell_of_the_export_is_a_formula(admin: Browser, hostile: str) -> None:
    log(admin, lookup(hostile, error=hostile))
    line = table(admin.open(f"{EVENTS}.csv?type=lookup"))[0]
    for column in ("Number", "Error"):
        assert line[column][0] not in "=+-@\t\r"


def test_an_export_that_cannot_be_read_is_no_file(admin: Browser) -> None:
    page = admin.open(f"{EVENTS}.csv?type=nonsense", status=400)
    assert page.content_type == "text/html"


# -- bounds


def everything(browser: Browser) -> None:
    events: list[Event] = []
    for n in range(PAGE):
        text = HOSTILE[n % len(HOSTILE)]
        contact = browser.api.create(FirstName=text[:300], LastName=f"{n} &<", Company="<" * 300)
        detail = dict.fromkeys(("AgentFirstName", "AgentLastName", "userName", "query"), text)
        kind = list(EventType)[n % len(EventType)]
        fields: dict[str, Any] = {"type": kind, "agent_extension": text[:64], "raw_data": detail}
        if n % 2:
            fields["error"] = text
        events.append(lookup(text, minutes=-n, contact_id=contact["id"], **fields))
    log(browser, *events)


def test_hostile_texts_are_shown_inertly_in_a_bounded_page(admin: Browser) -> None:
    everything(admin)
    for path in (EVENTS, "/events"):
        page = admin.open(path)
        assert not page.html.select("tbody script, img[src=x], [onerror]")
        assert len(page.body) < 100_000
        for link in page.html.select("tbody a"):
            assert link["href"].startswith(admin.base)


@pytest.mark.parametrize("query", ["", "?number=%2B49301234001", "?type=lookup&status=ok"])
def test_a_page_takes_few_statements(admin: Browser, query: str) -> None:
    everything(admin)
    assert 0 < reads_of(admin, lambda: admin.open(EVENTS + query)) <= 8
