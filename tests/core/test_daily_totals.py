"""Days that are over are counted once and kept, whatever becomes of their events."""

import threading
from datetime import date, datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import func, select

from callhelm_threecx.db import Database
from callhelm_threecx.models import DailyTotalRow
from callhelm_threecx.services import events as events_module
from callhelm_threecx.services.daily_totals import DailyTotals, DayCount
from callhelm_threecx.services.events import Event, EventLog, EventStatus, EventType
from callhelm_threecx.services.purge import Purge
from callhelm_threecx.services.purge_orders import PurgeOrder
from tests.core.plans import watched

NOW = datetime(2026, 11, 22, 12, tzinfo=timezone.utc)
TODAY = NOW.date()
DAY = timedelta(days=1)
FIRST = TODAY - 5 * DAY


@pytest.fixture
def log(database: Database, monkeypatch: pytest.MonkeyPatch) -> EventLog:
    monkeypatch.setattr(events_module, "utc_now", lambda: NOW)
    return EventLog(database, "DE")


def keep(database: Database, *events: Event) -> None:
    with database.write_all_organizations() as session:
        session.add_all([event.row() for event in events])


def lookup(days_ago: float, organization: str | None = "acme", **fields: Any) -> Event:
    at = NOW - timedelta(days=days_ago)
    return Event(organization, EventType.LOOKUP, created_at=at, **fields)


def numbers(
    log: EventLog, organization: str | None = "acme", now: datetime = NOW
) -> dict[int, int]:
    """How many events so many days ago."""
    found: dict[int, int] = {}
    for one in log.totals.counts(organization, FIRST, now):
        back = (TODAY - one.day).days
        found[back] = found.get(back, 0) + one.count
    return found


def test_events_are_counted_by_day_and_kind(database: Database, log: EventLog) -> None:
    call = {"type": EventType.JOURNAL, "call_type": "Missed"}
    keep(
        database,
        lookup(2),
        lookup(2),
        lookup(2, status=EventStatus.NO_MATCH),
        Event("acme", created_at=NOW - 2 * DAY, **call),  # type: ignore[arg-type]
        Event("acme", created_at=NOW, **call),  # type: ignore[arg-type]
    )
    day = date(2026, 11, 20)
    assert set(log.totals.counts("acme", FIRST, NOW)) == {
        DayCount(day, "lookup", "ok", "", 2),
        DayCount(day, "lookup", "no_match", "", 1),
        DayCount(day, "journal", "ok", "Missed", 1),
        DayCount(TODAY, "journal", "ok", "Missed", 1),
    }


def test_a_day_that_is_over_is_counted_once(database: Database, log: EventLog) -> None:
    keep(database, lookup(3), lookup(0))
    assert numbers(log) == {3: 1, 0: 1}
    keep(database, lookup(3), lookup(0))
    assert numbers(log) == {3: 1, 0: 2}
    with watched(database) as statements:
        numbers(log)
    assert len(statements) == 2  # what is kept, and today


def test_a_day_is_counted_live_until_an_hour_after_its_end(
    database: Database, log: EventLog
) -> None:
    """Events are written behind the answers."""
    midnight = NOW.replace(hour=0)
    keep(database, lookup(1))
    assert numbers(log, now=midnight + timedelta(minutes=59)) == {1: 1}
    keep(database, lookup(1))
    assert numbers(log, now=midnight + timedelta(minutes=59)) == {1: 2}
    assert numbers(log, now=midnight + timedelta(minutes=60)) == {1: 2}
    keep(database, lookup(1))
    assert numbers(log) == {1: 2}


def test_organizations_are_counted_apart_and_refusals_of_nobody_for_all(
    database: Database, log: EventLog
) -> None:
    refusal = Event(None, EventType.REFUSED, EventStatus.REFUSED, created_at=NOW - 2 * DAY)
    keep(database, lookup(2), lookup(2, "other"), refusal)
    assert numbers(log, "acme") == {2: 1}
    assert numbers(log, "other") == {2: 1}
    assert numbers(log, None) == {2: 3}
    assert numbers(log, "nobody") == {}


def test_a_longer_period_counts_only_the_days_that_were_not_asked_for_before(
    database: Database, log: EventLog
) -> None:
    keep(database, lookup(4), lookup(2))
    assert [one.day for one in log.totals.closed("acme", TODAY - 2 * DAY, NOW)] == [TODAY - 2 * DAY]
    keep(database, lookup(2))
    assert numbers(log) == {4: 1, 2: 1}


@pytest.mark.parametrize("organization", ["acme", None])
def test_a_purge_leaves_the_numbers_of_days_that_are_over(
    database: Database, log: EventLog, organization: str | None
) -> None:
    keep(database, lookup(3), lookup(2.1), lookup(1.9), lookup(0), lookup(3, "other"))
    purged = Purge(database).run(PurgeOrder.older_than(2 * DAY, organization), now=NOW)
    assert purged.total >= 2
    assert numbers(log) == {3: 1, 2: 2, 0: 1}
    assert numbers(log, "other") == {3: 1}
    assert numbers(log, None) == {3: 2, 2: 2, 0: 1}


def test_what_a_purge_deletes_of_today_no_longer_counts(database: Database, log: EventLog) -> None:
    keep(database, lookup(1), lookup(0.1), lookup(0))
    Purge(database).run(PurgeOrder.older_than(timedelta(minutes=1)), now=NOW)
    assert numbers(log) == {1: 1, 0: 1}


def test_workers_that_count_at_once_keep_the_same_numbers(
    database: Database, log: EventLog
) -> None:
    keep(database, *(lookup(back) for back in (4, 3, 3, 2, 1)))
    start = threading.Barrier(4)
    told: list[dict[int, int]] = []

    def count() -> None:
        start.wait(30)
        told.append(numbers(log))

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert told == [{4: 1, 3: 2, 2: 1, 1: 1}] * 4
    with database.read("acme") as session:
        kept = select(func.sum(DailyTotalRow.count))
        assert session.execute(kept).scalar() == 5


def test_a_period_of_today_alone_keeps_nothing(database: Database) -> None:
    assert DailyTotals(database).closed("acme", TODAY, NOW) == []
