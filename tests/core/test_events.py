"""The event log: pages, filters, purges and statistics, on each database."""

import base64
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from callhelm_threecx.db import Database
from callhelm_threecx.errors import BadInputError
from callhelm_threecx.services import events as events_module
from callhelm_threecx.services import statistics as statistics_module
from callhelm_threecx.services.events import (
    Event,
    EventFilter,
    EventLog,
    EventStatus,
    EventType,
    keepable,
)
from callhelm_threecx.services.statistics import statistics

NOON = datetime(2026, 11, 22, 12, tzinfo=timezone.utc)
SECOND = timedelta(seconds=1)


@pytest.fixture
def log(database: Database) -> EventLog:
    return EventLog(database, "DE")


def keep(database: Database, *events: Event) -> Sequence[Event]:
    with database.write_all_organizations() as session:
        session.add_all([event.row() for event in events])
    return events


def lookup(organization: str | None = "acme", at: datetime = NOON, **fields: Any) -> Event:
    return Event(organization, EventType.LOOKUP, created_at=at, **fields)


SOME_ID = "0f8fad5b-d9cb-469f-a165-70867728950e"


def ids(log: EventLog, wanted: EventFilter, limit: int = 200) -> list[uuid.UUID]:
    return [row.id for row in log.page(wanted, limit=limit).events]


@pytest.mark.parametrize("size", [1, 3, 7, 10, 11])
@pytest.mark.parametrize("apart", [timedelta(0), timedelta(microseconds=1), SECOND])
def test_pages_have_no_gap_and_no_double_also_within_one_instant(
    database: Database, log: EventLog, size: int, apart: timedelta
) -> None:
    kept = keep(database, *(lookup(at=NOON + (n // 3) * apart) for n in range(10)))
    seen: list[uuid.UUID] = []
    cursor: str | None = None
    for _ in range(20):
        page = log.page(EventFilter("acme"), limit=size, cursor=cursor)
        assert len(page.events) <= size
        seen += [row.id for row in page.events]
        cursor = page.next_cursor
        if cursor is None:
            break
    newest_first = sorted(kept, key=lambda event: (event.created_at, event.id), reverse=True)
    assert seen == [event.id for event in newest_first]


def test_a_new_event_does_not_disturb_the_pages_behind_it(
    database: Database, log: EventLog
) -> None:
    kept = keep(database, *(lookup(at=NOON + n * SECOND) for n in range(4)))
    first = log.page(EventFilter("acme"), limit=2)
    keep(database, lookup(at=NOON + 9 * SECOND))
    second = log.page(EventFilter("acme"), limit=2, cursor=first.next_cursor)
    assert [row.id for row in second.events] == [kept[1].id, kept[0].id]
    assert second.next_cursor is None


def encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "cursor",
    [
        *("x", "====", "\u00e4", "a b", "'", "9" * 1000, encoded(" "), encoded("x y")),
        encoded("2026-11-22T12:00:00+00:00"),
        encoded("2026-11-22T12:00:00+00:00 x"),
        encoded(f"0001-01-01T00:00:00+05:00 {uuid.UUID('0f8fad5b-d9cb-469f-a165-70867728950e')}"),
        encoded(
            f"2026-11-22T12:00:00+00:00 {uuid.UUID('0f8fad5b-d9cb-469f-a165-70867728950e')} more"
        ),
    ],
)
def test_a_cursor_that_the_log_did_not_give_is_bad_input(log: EventLog, cursor: str) -> None:
    with pytest.raises(BadInputError, match="cursor"):
        log.page(EventFilter("acme"), cursor=cursor)


FILTERS: dict[str, tuple[dict[str, Any], list[int]]] = {
    "nothing": ({}, [4, 3, 2, 1, 0]),
    "a type": ({"type": EventType.JOURNAL}, [2]),
    "a status": ({"status": EventStatus.NO_MATCH}, [1]),
    "an agent": ({"agent": "101"}, [2]),
    "an unknown agent": ({"agent": "999"}, []),
    "a number": ({"number": "+4930123456"}, [2, 0]),
    "a number in national form": ({"number": "030 123456"}, [2, 0]),
    "a lost plus": ({"number": " 4930123456"}, [2, 0]),
    "a withheld number": ({"number": "anonymous"}, [3]),
    "since": ({"since": NOON + 2 * SECOND}, [4, 3, 2]),
    "until, excluded": ({"until": NOON + 2 * SECOND}, [1, 0]),
    "a span": ({"since": NOON + SECOND, "until": NOON + 3 * SECOND}, [2, 1]),
    "several": ({"type": EventType.LOOKUP, "number": "+4930123456"}, [0]),
}


@pytest.mark.parametrize("way", FILTERS)
def test_events_are_filtered_by(database: Database, log: EventLog, way: str) -> None:
    fields, expected = FILTERS[way]
    kept = keep(
        database,
        lookup(phone_number="+4930123456"),
        lookup(at=NOON + SECOND, status=EventStatus.NO_MATCH),
        Event(
            "acme",
            EventType.JOURNAL,
            agent_extension="101",
            phone_number="+4930123456",
            created_at=NOON + 2 * SECOND,
        ),
        lookup(at=NOON + 3 * SECOND, phone_number="anonymous"),
        Event("acme", EventType.SETUP, created_at=NOON + 4 * SECOND),
        lookup("other", phone_number="+4930123456", agent_extension="101"),
    )
    assert ids(log, EventFilter("acme", **fields)) == [kept[n].id for n in expected]


def test_without_an_organization_everything_is_covered(database: Database, log: EventLog) -> None:
    kept = keep(
        database, lookup(None), lookup("acme", NOON + SECOND), lookup("b", NOON + 2 * SECOND)
    )
    assert ids(log, EventFilter()) == [event.id for event in reversed(kept)]
    assert ids(log, EventFilter("nobody")) == []


def test_an_event_comes_back_as_it_was_written(database: Database, log: EventLog) -> None:
    event = Event(
        "acme",
        EventType.JOURNAL,
        EventStatus.OK,
        phone_number="+4930123456",
        contact_id="c",
        call_id="k",
        agent_extension="101",
        call_direction="Inbound",
        call_type="Missed",
        duration_seconds=5,
        call_start_time=NOON,
        call_end_time=NOON + 5 * SECOND,
        latency_ms=1.25,
        error="none",
        raw_data={"a": "b", "n": 1, "list": ["x"]},
        created_at=NOON + timedelta(microseconds=123456),
    )
    keep(database, event)
    (row,) = log.page(EventFilter("acme")).events
    assert {name: getattr(row, name) for name in event.values()} == event.values()


def test_secrets_and_what_no_database_keeps_are_removed(database: Database, log: EventLog) -> None:
    raw = {
        "ApiKey": "3cx_x",
        "x-api-key": "3cx_x",
        "Authorization": "Bearer x",
        "adminPassword": "x",
        "access_token": "x",
        "Na\x00me": "An\x00na\ud800",
        "Number": 7,
    }
    assert keepable(raw) == {"Name": "Anna", "Number": 7}
    keep(database, lookup(phone_number="\x00 +49\ud800" + "9" * 500, raw_data=raw))
    (row,) = log.page(EventFilter("acme")).events
    assert row.raw_data == {"Name": "Anna", "Number": 7}
    assert str(row.phone_number).startswith("+499")
    assert len(str(row.phone_number)) == 128


# Statistics

NOW = datetime(2026, 11, 22, 0, 30, tzinfo=timezone.utc)


@pytest.fixture
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (events_module, statistics_module):
        monkeypatch.setattr(module, "utc_now", lambda: NOW)


@pytest.mark.usefixtures("_now")
def test_days_begin_and_end_at_midnight_in_utc(database: Database, log: EventLog) -> None:
    tick = timedelta(microseconds=1)
    midnight = NOW.replace(hour=0, minute=0)
    instants = [
        *(midnight - 2 * timedelta(days=1) - tick, midnight - 2 * timedelta(days=1)),
        *(midnight - timedelta(days=1) - tick, midnight - timedelta(days=1)),
        *(midnight - tick, midnight, NOW),
    ]
    keep(database, *(lookup(at=instant) for instant in instants))
    counted = statistics(log, "acme", 3)
    assert [(day["date"], day["lookups"]) for day in counted["daily"]] == [
        ("2026-11-20", 2),
        ("2026-11-21", 2),
        ("2026-11-22", 2),
    ]
    assert (counted["days"], counted["total_events"]) == (3, 6)
    assert statistics(log, "acme", 1)["lookups"] == 2
    assert statistics(log, "other", 30)["total_events"] == 0
    assert len(statistics(log, "other", 30)["daily"]) == 30


@pytest.mark.usefixtures("_now")
def test_statistics_count_what_happened_and_what_was_added(
    database: Database, log: EventLog
) -> None:
    happened = [
        *[(EventType.LOOKUP, EventStatus.OK)] * 3,
        (EventType.LOOKUP, EventStatus.NO_MATCH),
        (EventType.LOOKUP, EventStatus.ERROR),
        (EventType.SEARCH, EventStatus.OK),
        (EventType.JOURNAL, EventStatus.OK),
        *[(EventType.JOURNAL, EventStatus.DUPLICATE)] * 2,
        (EventType.CHAT, EventStatus.OK),
        (EventType.CREATE_CONTACT, EventStatus.OK),
        (EventType.CREATE_CONTACT, EventStatus.DUPLICATE),
        (EventType.TEMPLATE, EventStatus.OK),
        (EventType.SETUP, EventStatus.OK),
        (EventType.REFUSED, EventStatus.REFUSED),
    ]
    keep(database, *(Event("acme", kind, status, created_at=NOW) for kind, status in happened))
    keep(database, lookup("other", NOW), lookup(None, NOW))
    counted = statistics(log, "acme", 30)
    expected = {
        "total_events": 15,
        "lookups": 4,
        "lookups_matched": 3,
        "searches": 1,
        "journals": 1,
        "chats": 1,
        "contacts_created": 1,
        "templates": 1,
        "setups": 1,
        "refused": 1,
        "duplicates": 3,
        "errors": 1,
    }
    assert {name: counted[name] for name in expected} == expected
    assert counted["daily"][-1] == {"date": "2026-11-22", **expected}
    assert statistics(log, None, 30)["total_events"] == 17
