"""The overview of an organization: what happened, how it is going, what is to do."""

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from callhelm_threecx.db import Database
from callhelm_threecx.services import overview as overview_module
from callhelm_threecx.services.agents import Agents, NewMapping
from callhelm_threecx.services.events import Event, EventLog, EventStatus, EventType
from callhelm_threecx.services.integrations import Integrations
from callhelm_threecx.services.overview import Checklist, Overview

NOW = datetime(2026, 11, 22, 0, 30, tzinfo=timezone.utc)
HOUR = timedelta(hours=1)
OK, NO_MATCH, ERROR = EventStatus.OK, EventStatus.NO_MATCH, EventStatus.ERROR
DUPLICATE, REFUSED = EventStatus.DUPLICATE, EventStatus.REFUSED


@pytest.fixture
def overview(database: Database, monkeypatch: pytest.MonkeyPatch) -> Overview:
    monkeypatch.setattr(overview_module, "utc_now", lambda: NOW)
    return Overview(database, EventLog(database, "DE"))


def keep(
    database: Database,
    kind: EventType,
    status: EventStatus = OK,
    ago: timedelta = timedelta(0),
    organization: str | None = "acme",
    **fields: Any,
) -> Event:
    event = Event(organization, kind, status, created_at=NOW - ago, **fields)
    with database.write_all_organizations() as session:
        session.add(event.row())
    return event


@pytest.mark.parametrize("organization", ["acme", None])
def test_nothing_has_happened_at_first(overview: Overview, organization: str | None) -> None:
    facts = overview.of(organization)
    assert (facts.last_lookup_at, facts.last_journal_at) == (None, None)
    assert facts.checklist == Checklist(*[False] * 5)
    assert (facts.errors, facts.refused) == (0, 0)
    assert [*facts.newest_errors, *facts.slowest_lookups] == []
    assert [day.day.isoformat() for day in facts.days][0::13] == ["2026-11-09", "2026-11-22"]
    assert {day.answered_share for day in facts.days} == {None}


def test_the_checklist_ticks_itself(
    database: Database, overview: Overview, integrations: Integrations
) -> None:
    ticked = [overview.of("acme").checklist]
    integrations.set_up("acme")
    ticked.append(overview.of("acme").checklist)
    for kind in (EventType.TEMPLATE, EventType.LOOKUP, EventType.JOURNAL):
        keep(database, kind, ago=timedelta(days=100))
        ticked.append(overview.of("acme").checklist)
    Agents(database).put("acme", NewMapping("101", "u1"))
    ticked.append(overview.of("acme").checklist)
    assert ticked == [Checklist(*[n < done for n in range(5)]) for done in range(6)]
    assert overview.of("other").checklist == Checklist(*[False] * 5)
    assert overview.of(None).checklist == Checklist(*[True] * 5)


@pytest.mark.parametrize("status", [OK, NO_MATCH, ERROR])
def test_the_last_lookup_is_the_last_one_whatever_it_found(
    database: Database, overview: Overview, status: EventStatus
) -> None:
    keep(database, EventType.LOOKUP, OK, 3 * HOUR)
    keep(database, EventType.LOOKUP, status, HOUR)
    keep(database, EventType.LOOKUP, OK, organization="other")
    assert overview.of("acme").last_lookup_at == NOW - HOUR
    assert overview.of(None).last_lookup_at == NOW


@pytest.mark.parametrize("status", [OK, DUPLICATE])
def test_the_last_journal_is_the_last_call_that_was_kept_or_known(
    database: Database, overview: Overview, status: EventStatus
) -> None:
    keep(database, EventType.JOURNAL, OK, 3 * HOUR)
    keep(database, EventType.JOURNAL, status, HOUR)
    keep(database, EventType.JOURNAL, ERROR)
    assert overview.of("acme").last_journal_at == NOW - HOUR


def test_errors_are_those_of_the_last_24_hours(database: Database, overview: Overview) -> None:
    """Of which most belong to yesterday, and may be counted with the days that are over."""
    recent = [keep(database, EventType.LOOKUP, ERROR, hours * HOUR) for hours in (0, 1, 5, 23)]
    recent += [keep(database, EventType.JOURNAL, ERROR, hours * HOUR) for hours in (2, 24)]
    keep(database, EventType.LOOKUP, ERROR, 24 * HOUR + timedelta(seconds=1))
    keep(database, EventType.LOOKUP, ERROR, organization="other")
    keep(database, EventType.REFUSED, REFUSED, HOUR)
    facts = overview.of("acme")
    assert (facts.errors, facts.refused) == (6, 1)
    newest = sorted(recent, key=lambda event: event.created_at, reverse=True)[:5]
    assert [row.id for row in facts.newest_errors] == [event.id for event in newest]


def test_the_slowest_lookups_are_the_slowest_of_the_last_24_hours(
    database: Database, overview: Overview
) -> None:
    keep(database, EventType.LOOKUP, ago=25 * HOUR, latency_ms=900)
    keep(database, EventType.SEARCH, latency_ms=800)
    keep(database, EventType.LOOKUP, latency_ms=700, organization="other")
    for latency in (3, 9, 4, 8, 5, 7, 6):
        keep(database, EventType.LOOKUP, ago=HOUR, latency_ms=latency)
    keep(database, EventType.LOOKUP, NO_MATCH, latency_ms=20)
    assert [row.latency_ms for row in overview.of("acme").slowest_lookups] == [20, 9, 8, 7, 6]


@pytest.mark.parametrize("days_ago", [0, 1, 5])
def test_a_day_tells_its_calls_by_type_its_lookups_and_its_errors(
    database: Database, overview: Overview, days_ago: int
) -> None:
    ago = timedelta(days=days_ago)
    for call_type, number in (("Inbound", 3), ("Missed", 1), ("Outbound", 2), ("Notanswered", 1)):
        for _ in range(number):
            keep(database, EventType.JOURNAL, ago=ago, call_type=call_type)
    keep(database, EventType.JOURNAL, DUPLICATE, ago, call_type="Inbound")
    keep(database, EventType.CHAT, ago=ago)
    for status in (OK, OK, NO_MATCH, ERROR):
        keep(database, EventType.LOOKUP, status, ago)
    day = overview.of("acme", 7).days[-1 - days_ago]
    assert day.day == (NOW - ago).date()
    assert day.calls == {"Inbound": 3, "Missed": 1, "Outbound": 2, "Notanswered": 1}
    assert day.answered_share == 0.75
    assert (day.chats, day.lookups_matched, day.lookups_unknown, day.errors) == (1, 2, 1, 1)
