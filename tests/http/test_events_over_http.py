"""The event log and its statistics over HTTP."""

import base64
from collections import Counter
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import quote

import pytest

from callhelm_threecx.keys import generate_api_key
from callhelm_threecx.services.events import Event, EventStatus, EventType
from tests.client import ADMIN_KEY, Api
from tests.http.wire import CALL, CHAT, faulty_fields, raw, setup

EVENT = {
    "id",
    "organizationId",
    "type",
    "status",
    "createdAt",
    "phoneNumber",
    "contactId",
    "callId",
    "agentExtension",
    "callDirection",
    "callType",
    "durationSeconds",
    "callStartTime",
    "callEndTime",
    "latencyMs",
    "error",
    "rawData",
}


@pytest.fixture
def busy(api: Api) -> Api:
    """An organization in which each kind of thing has happened."""
    contact = api.create(LastName="M", Number="+4930123456")
    assert contact["id"]
    api.lookup("030 123456")
    api.lookup("+4930999999")
    api.get("/contacts/search?query=mm", status=200)
    call = {
        **CALL,
        "Agent": "101",
        "Duration": "00:01:02",
        "CallEndTimeUTC": "2026-11-22T08:36:02Z",
    }
    api.post("/calls/journal", call, status=201)
    api.post("/calls/journal", call, status=200)
    api.post("/chats/journal", CHAT, status=201)
    api.get("/template")
    api.get("/contacts/lookup", status=400)
    setup(api, settings={"contact_creation_enabled": False})
    api.post("/contacts/create", {"LastName": "N"}, status=403)
    return api


def test_every_kind_of_thing_is_in_the_log(busy: Api) -> None:
    events = busy.events("limit=200")
    assert all(set(event) == EVENT for event in events)
    assert Counter((event["type"], event["status"]) for event in events) == {
        ("setup", "ok"): 2,
        ("create_contact", "ok"): 1,
        ("lookup", "ok"): 1,
        ("lookup", "no_match"): 1,
        ("lookup", "error"): 1,
        ("search", "no_match"): 1,
        ("journal", "ok"): 1,
        ("journal", "duplicate"): 1,
        ("chat", "ok"): 1,
        ("template", "ok"): 1,
        ("refused", "refused"): 1,
    }


def test_a_journaled_call_is_told_in_full(busy: Api) -> None:
    event = busy.events("type=journal&status=ok")[0]
    [contact] = busy.lookup("+4930123456")
    assert event["phoneNumber"] == "+4930123456"
    assert event["contactId"] == contact["id"]
    assert event["agentExtension"] == "101"
    assert event["callDirection"] == "Inbound"
    assert event["callType"] == "Inbound"
    assert event["durationSeconds"] == 62
    assert event["callStartTime"] == "2026-11-22T08:35:00+00:00"
    assert event["callEndTime"] == "2026-11-22T08:36:02+00:00"
    assert event["latencyMs"] > 0
    assert event["rawData"]["CallType"] == "Inbound"
    assert event["callId"]


def test_events_come_newest_first_and_page_by_cursor_without_gap_or_repetition(busy: Api) -> None:
    whole = busy.events("limit=200")
    created = [event["createdAt"] for event in whole]
    assert created == sorted(created, reverse=True)
    for limit in (1, 2, 3, 5):
        pages: list[dict[str, Any]] = []
        cursor: str | None = ""
        while cursor is not None:
            answer = busy.get(f"/events?limit={limit}&cursor={quote(cursor)}").json
            assert set(answer) == {"success", "events", "nextCursor"}
            assert len(answer["events"]) <= limit
            pages += answer["events"]
            cursor = answer["nextCursor"]
        assert pages == whole


def test_a_page_that_is_just_full_has_no_next(busy: Api) -> None:
    number = len(busy.events("limit=200"))
    assert busy.get(f"/events?limit={number}").json["nextCursor"] is None
    assert busy.get(f"/events?limit={number - 1}").json["nextCursor"]


def test_events_of_the_same_instant_page_without_loss(api: Api) -> None:
    at = datetime(2026, 11, 22, 8, tzinfo=timezone.utc)
    api.key()
    for number in range(7):
        event = Event("acme", EventType.LOOKUP, created_at=at, phone_number=str(number))
        api.app.services.writer.emit(event)
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = api.get(f"/events?type=lookup&limit=2&cursor={quote(cursor)}").json
        seen += [event["phoneNumber"] for event in page["events"]]
        cursor = page["nextCursor"]
    assert sorted(seen) == [str(number) for number in range(7)]


FILTERS = [
    ("type=lookup", 3),
    ("type=journal", 2),
    ("status=duplicate", 1),
    ("type=lookup&status=no_match", 1),
    ("agent=101", 2),
    ("agent=102", 0),
    ("number=%2B4930123456", 5),
    ("number=+4930123456", 5),
    ("number=030%20123456", 5),
    ("number=%2B4930999999", 1),
    ("number=1", 0),
    ("since=2000-01-01T00:00:00Z&type=chat", 1),
    ("until=2000-01-01T00:00:00Z", 0),
    ("since=2100-01-01", 0),
    ("type=&status=&agent=&number=&since=&until=&limit=&cursor=", 12),
]


@pytest.mark.parametrize(("query", "number"), FILTERS)
def test_a_filter_leaves_what_it_names(busy: Api, query: str, number: int) -> None:
    assert len(busy.events(query)) == number


def test_since_is_inclusive_and_until_exclusive(busy: Api) -> None:
    event = busy.events("type=chat")[0]
    at = quote(event["createdAt"])
    assert busy.events(f"type=chat&since={at}") == [event]
    assert busy.events(f"type=chat&until={at}") == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=x", "limit"),
        ("type=nothing", "type"),
        ("type=Lookup", "type"),
        ("status=fine", "status"),
        ("since=yesterday", "since"),
        ("until=2026-13-01", "until"),
        ("cursor=x", "cursor"),
        ("cursor=%00", ""),
        ("cursor=" + "A" * 5000, "cursor"),
        ("cursor=" + base64.urlsafe_b64encode(b"2026-11-22 1").decode(), "cursor"),
        ("cursor=" + base64.urlsafe_b64encode(b"a b c").decode(), "cursor"),
        ("cursor=é", "cursor"),
    ],
)
def test_a_query_that_cannot_be_answered_names_the_parameter(
    api: Api, query: str, field: str
) -> None:
    answer = raw(api, "GET", f"/events?{quote(query, safe='=%')}", headers={"x-api-key": api.key()})
    if field:
        assert faulty_fields(answer) == [field]
    else:
        assert answer.status_int == 200


@pytest.mark.parametrize(
    "query", ["number=%00", "agent=%00%01", "number=%ff%fe", "agent=%ed%a0%80"]
)
def test_what_no_database_holds_finds_nothing_and_breaks_nothing(api: Api, query: str) -> None:
    assert raw(api, "GET", f"/events?{query}", headers={"x-api-key": api.key()}).status_int == 200


def test_the_admin_key_sees_one_organization_or_all_of_them(busy: Api) -> None:
    busy.lookup("1", organization="other")
    raw(busy, "GET", "/events", headers={"x-api-key": generate_api_key()})
    everything = busy.events("limit=200", key=ADMIN_KEY)
    assert Counter(event["organizationId"] for event in everything) == {
        "acme": 12,
        "other": 2,
        None: 1,
    }
    other = busy.events("organizationId=other", key=ADMIN_KEY)
    assert {event["organizationId"] for event in other} == {"other"}
    assert busy.events("organizationId=nobody", key=ADMIN_KEY) == []


def test_a_refused_key_is_told_apart_in_the_log_only(api: Api) -> None:
    for key in ("", "wrong", generate_api_key()):
        raw(api, "GET", "/events", headers={"x-api-key": key} if key else {})
    events = api.events("type=refused", key=ADMIN_KEY)
    reasons = [event["rawData"]["reason"] for event in events]
    assert reasons == ["unknown", "malformed", "missing"]


def test_a_flood_of_refusals_is_one_event(api: Api) -> None:
    setup(api, enabled=False)
    for _ in range(20):
        api.get("/contacts/lookup?number=1", status=403)
    assert len(api.events("organizationId=acme&type=refused", key=ADMIN_KEY)) == 1


STATISTICS = {
    "total_events": 12,
    "lookups": 2,
    "searches": 1,
    "contacts_created": 1,
    "journals": 1,
    "chats": 1,
    "templates": 1,
    "setups": 2,
    "refused": 1,
    "lookups_matched": 1,
    "duplicates": 1,
    "errors": 1,
}


def test_statistics_count_what_happened(busy: Api) -> None:
    answer = busy.get("/stats").json
    daily = answer.pop("daily")
    assert answer == {"success": True, "days": 30, **STATISTICS}
    today = datetime.now(timezone.utc).date()
    assert [day["date"] for day in daily] == [
        (today - timedelta(days=back)).isoformat() for back in range(29, -1, -1)
    ]
    assert {name: sum(day[name] for day in daily) for name in STATISTICS} == STATISTICS


def test_statistics_of_everything_are_the_admin_keys(busy: Api) -> None:
    busy.lookup("1", organization="other")
    assert busy.get("/stats", key=ADMIN_KEY).json["lookups"] == 3
    assert busy.get("/stats?organizationId=other", key=ADMIN_KEY).json["lookups"] == 1
    assert busy.get("/stats?organizationId=acme").json["lookups"] == 2


@pytest.mark.parametrize(("days", "length"), [("1", 1), ("7", 7), ("366", 366), ("", 30)])
def test_statistics_cover_as_many_days_as_asked_for(api: Api, days: str, length: int) -> None:
    assert len(api.get(f"/stats?days={days}").json["daily"]) == length


@pytest.mark.parametrize("days", ["0", "367", "-1", "x", "1.5"])
def test_a_number_of_days_out_of_bounds_is_400(api: Api, days: str) -> None:
    assert faulty_fields(api.get(f"/stats?days={days}", status="*")) == ["days"]


def test_events_older_than_the_days_do_not_count(api: Api) -> None:
    today = datetime.now(timezone.utc).replace(hour=0, minute=0, second=0, microsecond=0)
    for at in (today, today - timedelta(seconds=1), today - timedelta(days=6, seconds=1)):
        event = Event("acme", EventType.SEARCH, EventStatus.OK, created_at=at)
        api.app.services.writer.emit(event)
    assert api.get("/stats?days=1").json["searches"] == 1
    assert api.get("/stats?days=7").json["searches"] == 2
