"""The event log beyond its pages: what is new, all of a filter, one event, numbers by region."""

import uuid
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from callhelm_threecx.db import Database
from callhelm_threecx.errors import BadInputError, NotFoundError
from callhelm_threecx.services import events as events_module
from callhelm_threecx.services.events import Event, EventFilter, EventLog, EventStatus, EventType
from callhelm_threecx.services.integrations import Change, Integrations

NOON = datetime(2026, 11, 22, 12, tzinfo=timezone.utc)
SECOND = timedelta(seconds=1)
ACME = EventFilter("acme")


@pytest.fixture
def log(database: Database, monkeypatch: pytest.MonkeyPatch) -> EventLog:
    monkeypatch.setattr(events_module, "utc_now", lambda: NOON)
    return EventLog(database, "US")


def keep(database: Database, at: float = 0, organization: str = "acme", **fields: Any) -> uuid.UUID:
    """Write a lookup of so many seconds after noon."""
    fields = {"type": EventType.LOOKUP, "created_at": NOON + at * SECOND, **fields}
    event = Event(organization, **fields)
    with database.write_all_organizations() as session:
        session.add(event.row())
    return event.id


def test_what_is_newer_than_a_page_comes_newest_first_and_once(
    database: Database, log: EventLog
) -> None:
    for at in range(-3, 0):
        keep(database, at)
    cursor = log.page(ACME, limit=2).newest_cursor
    assert list(log.newer(ACME, cursor).events) == []
    fresh = [keep(database, at) for at in (1, 2)]
    keep(database, 3, "other")
    page = log.newer(ACME, cursor)
    assert [row.id for row in page.events] == fresh[::-1]
    assert list(log.newer(ACME, page.newest_cursor).events) == []


def test_the_first_event_of_an_empty_log_is_new(database: Database, log: EventLog) -> None:
    cursor = log.page(ACME).newest_cursor
    fresh = keep(database, 1)
    assert [row.id for row in log.newer(ACME, cursor).events] == [fresh]


def test_what_is_new_is_filtered_like_a_page(database: Database, log: EventLog) -> None:
    wanted = EventFilter("acme", status=EventStatus.ERROR)
    cursor = log.page(wanted).newest_cursor
    keep(database, 1)
    failed = keep(database, 2, status=EventStatus.ERROR)
    assert [row.id for row in log.newer(wanted, cursor).events] == [failed]


def test_more_news_than_fit_follow_without_gap(database: Database, log: EventLog) -> None:
    cursor = log.page(ACME).newest_cursor
    fresh = [keep(database, 1 + n // 2) for n in range(5)]
    seen: set[uuid.UUID] = set()
    for _ in range(3):
        page = log.newer(ACME, cursor, limit=2)
        assert not seen & {row.id for row in page.events}
        seen |= {row.id for row in page.events}
        cursor = page.newest_cursor
    assert seen == set(fresh)


def test_an_overlap_finds_what_was_written_late(database: Database, log: EventLog) -> None:
    shown = keep(database, 10)
    cursor = log.page(ACME).newest_cursor
    late = keep(database, 5)
    assert list(log.newer(ACME, cursor).events) == []
    again = log.newer(ACME, cursor, overlap=timedelta(seconds=15))
    assert [row.id for row in again.events] == [shown, late]


def test_a_cursor_that_the_log_did_not_give_is_bad_input(log: EventLog) -> None:
    with pytest.raises(BadInputError, match="cursor"):
        log.newer(ACME, "x")


@pytest.mark.parametrize("number", [0, 1, 2, 3, 4, 7])
def test_an_export_has_every_event_of_its_filter_once(
    database: Database, log: EventLog, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events_module, "EXPORT_PAGE", 3)
    kept = [keep(database, -10 + n // 2) for n in range(number)]
    keep(database, -5, type=EventType.SEARCH)
    keep(database, -5, "other")
    wanted = EventFilter("acme", type=EventType.LOOKUP)
    assert sorted(row.id for row in log.export(wanted)) == sorted(kept)


def test_an_export_leaves_out_what_happens_after_its_start(
    database: Database, log: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events_module, "EXPORT_PAGE", 1)
    kept = [keep(database, -2), keep(database, -1)]
    export = log.export(ACME)
    first = next(export)
    keep(database, 1)
    assert [row.id for row in (first, *export)] == kept[::-1]


def test_an_export_ends_where_its_filter_ends(database: Database, log: EventLog) -> None:
    kept = keep(database, -5)
    keep(database, -1)
    wanted = EventFilter("acme", until=NOON - 3 * SECOND)
    assert [row.id for row in log.export(wanted)] == [kept]


def test_an_event_is_had_by_its_id(database: Database, log: EventLog) -> None:
    key = keep(database)
    assert log.one(str(key), "acme").id == key
    assert log.one(str(key)).id == key


@pytest.mark.parametrize("key", ["", "x", "8ee72e58-e0df-4280-8ab6-3cf2028a703c"])
def test_an_id_of_no_event_is_not_found(log: EventLog, key: str) -> None:
    with pytest.raises(NotFoundError):
        log.one(key, "acme")


def test_another_organizations_event_is_not_found(database: Database, log: EventLog) -> None:
    with pytest.raises(NotFoundError):
        log.one(str(keep(database, organization="other")), "acme")


REGIONS: dict[str, tuple[str | None, str | None, str]] = {
    "its organization's region": ("acme", "DE", "+4930123456"),
    "the server's region for an organization without one": ("acme", None, "+12125550123"),
    "the server's region for all organizations": (None, "DE", "+12125550123"),
}
NATIONAL = {"+4930123456": "030 123456", "+12125550123": "(212) 555-0123"}


@pytest.mark.parametrize("way", REGIONS)
def test_a_national_number_is_read_in(
    database: Database, log: EventLog, integrations: Integrations, way: str
) -> None:
    organization, region, number = REGIONS[way]
    integrations.set_up("acme")
    if region:
        integrations.change("acme", Change(default_region=region))
    wanted = keep(database, phone_number=number)
    page = log.page(EventFilter(organization, number=NATIONAL[number]))
    assert [row.id for row in page.events] == [wanted]
