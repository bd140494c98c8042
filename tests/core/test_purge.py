"""Purges: what goes, what stays, and what they cost those who answer the phone."""

import threading
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import event as sa_event
from sqlalchemy import select, text

from callhelm_threecx.db import Database
from callhelm_threecx.models import CallRow, ChatRow, EventRow, new_id
from callhelm_threecx.retention import Retention
from callhelm_threecx.services import purge as purge_module
from callhelm_threecx.services.events import Event, EventStatus, EventType
from callhelm_threecx.services.purge import Purge
from callhelm_threecx.services.purge_orders import PurgeOrder
from tests.core.statements import explained

NOW = datetime(2026, 11, 22, 12, tzinfo=timezone.utc)
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
LOOKUP, JOURNAL, SETUP = EventType.LOOKUP, EventType.JOURNAL, EventType.SETUP


@pytest.fixture
def purge(database: Database) -> Purge:
    return Purge(database)


def keep(database: Database, *events: Event) -> None:
    with database.write_all_organizations() as session:
        session.add_all([event.row() for event in events])


def aged(
    days: float,
    kind: EventType = LOOKUP,
    organization: str | None = "acme",
    status: EventStatus = EventStatus.OK,
) -> Event:
    return Event(organization, kind, status, created_at=NOW - timedelta(days=days))


def left(database: Database) -> Counter[tuple[str | None, str, float]]:
    """Events by organization, type and age in days."""
    with database.read_all_organizations() as session:
        rows = session.execute(select(EventRow)).scalars()
        return Counter(
            (row.organization_id, row.event_type, (NOW - row.created_at) / DAY) for row in rows
        )


def order(everyone: str, **own: str) -> PurgeOrder:
    return PurgeOrder(Retention.parse(everyone), {k: Retention.parse(v) for k, v in own.items()})


def test_each_type_goes_at_its_age(database: Database, purge: Purge) -> None:
    keep(database, *(aged(d, kind) for d in (20, 40, 400) for kind in (LOOKUP, JOURNAL, SETUP)))
    purge.run(order("365d,lookup=30d,setup=forever"), now=NOW)
    assert left(database) == Counter(
        {
            ("acme", "lookup", 20): 1,
            **{("acme", "journal", d): 1 for d in (20, 40)},
            **{("acme", "setup", d): 1 for d in (20, 40, 400)},
        }
    )


def test_an_organizations_own_retention_comes_before_the_servers(
    database: Database, purge: Purge
) -> None:
    organizations = ("acme", "brief", "long", None)
    keep(database, *(aged(d, LOOKUP, one) for d in (5, 50, 500) for one in organizations))
    purge.run(order("90d", brief="7d", long="forever"), now=NOW)
    assert left(database) == Counter(
        {
            **{(one, "lookup", d): 1 for d in (5, 50) for one in ("acme", None)},
            ("brief", "lookup", 5): 1,
            **{("long", "lookup", d): 1 for d in (5, 50, 500)},
        }
    )


def test_one_organization_may_be_purged_alone(database: Database, purge: Purge) -> None:
    keep(database, aged(50), aged(50, organization="other"), aged(50, organization=None))
    assert purge.run(PurgeOrder(None, {"acme": Retention.parse("30d")}), now=NOW).total == 1
    assert left(database) == {("other", "lookup", 50): 1, (None, "lookup", 50): 1}


def test_an_age_that_is_asked_for_counts_for_every_type(database: Database, purge: Purge) -> None:
    keep(database, *(aged(d, kind) for d in (1, 3) for kind in (LOOKUP, SETUP)))
    keep(database, aged(3, organization="other"))
    assert purge.run(PurgeOrder.older_than(2 * DAY, "acme"), now=NOW).total == 2
    assert purge.run(PurgeOrder.older_than(2 * DAY), now=NOW).total == 1
    assert purge.run(PurgeOrder.older_than(2 * DAY), now=NOW).total == 0
    assert left(database) == {("acme", "lookup", 1): 1, ("acme", "setup", 1): 1}


def test_what_is_exactly_of_the_age_stays(database: Database, purge: Purge) -> None:
    keep(database, aged(30), Event("acme", LOOKUP, created_at=NOW - 30 * DAY - SECOND))
    assert purge.run(order("30d"), now=NOW).total == 1
    assert left(database) == {("acme", "lookup", 30): 1}


def test_types_that_this_version_does_not_know_go_as_well(database: Database, purge: Purge) -> None:
    """An adopted log has the types of whoever wrote it."""
    with database.write_all_organizations() as session:
        for status in ("ok", "strange"):
            row = EventRow(organization_id="acme", event_type="zoo", status=status)
            row.created_at = NOW - 50 * DAY
            session.add(row)
    assert purge.run(order("30d"), now=NOW).total == 2


def test_windows_and_statuses_leave_nothing_behind(
    database: Database, purge: Purge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(purge_module._Pace, "took", lambda *_: None)
    monkeypatch.setattr(purge_module._Pace.__init__, "__defaults__", (3,))
    old = [aged(40 + n // 4, status=list(EventStatus)[n % 3]) for n in range(20)]
    keep(database, *old, *(aged(40 + n, organization="long") for n in range(10)), aged(1))
    assert purge.run(order("30d", long="forever"), now=NOW).total == 20
    assert sum(left(database).values()) == 11


def test_a_forecast_tells_what_then_goes_and_changes_nothing(
    database: Database, purge: Purge
) -> None:
    keep(
        database,
        *(
            aged(d, kind, one)
            for d in (5, 50)
            for kind in (LOOKUP, JOURNAL)
            for one in ("acme", "own", "other", None)
        ),
    )
    wanted = order("30d,setup=forever", own="7d,journal=1d")
    before = left(database)
    told = purge.forecast(wanted, now=NOW)
    assert left(database) == before
    assert told == purge.run(wanted, now=NOW)
    counts = {(one.organization_id, one.event_type): one.count for one in told.purged}
    assert counts == {
        (None, "lookup"): 3,
        (None, "journal"): 3,
        ("own", "lookup"): 1,
        ("own", "journal"): 2,
    }


def test_the_journal_is_never_touched(database: Database, purge: Purge) -> None:
    conversation = {"organization_id": "acme", "created_at": NOW - 999 * DAY}
    with database.write("acme") as session:
        session.add(CallRow(**conversation, fingerprint="a", call_type="", direction=""))
        session.add(ChatRow(**conversation, fingerprint="a", messages=""))
    keep(database, aged(999, JOURNAL))
    assert purge.run(PurgeOrder.older_than(DAY), now=NOW).total == 1
    with database.read("acme") as session:
        assert len(session.execute(select(CallRow)).all()) == 1
        assert len(session.execute(select(ChatRow)).all()) == 1


def test_a_purge_that_is_told_to_stop_does_so_after_its_window(
    database: Database, purge: Purge
) -> None:
    keep(database, *(aged(40) for _ in range(500)))
    stop = threading.Event()
    sa_event.listen(database.engine, "commit", lambda _: stop.set())
    told = purge.run(order("30d"), stop, now=NOW)
    assert 0 < told.total < 500
    assert sum(left(database).values()) == 500 - told.total


def fill(database: Database, number: int, apart: timedelta = SECOND, **fields: Any) -> None:
    values = {"organization_id": "acme", "event_type": "lookup", "status": "ok", "raw_data": {}}
    rows = [
        {**values, **fields, "id": new_id(), "created_at": NOW - 40 * DAY - n * apart}
        for n in range(number)
    ]
    with database.write_all_organizations() as session:
        session.bulk_insert_mappings(EventRow.__mapper__, rows)


def test_processes_that_purge_at_once_delete_each_event_once(database: Database) -> None:
    fill(database, 4000)
    start = threading.Barrier(3)
    told: list[int] = []

    def run() -> None:
        own = Database(database.engine.url)
        start.wait(30)
        told.append(Purge(own).run(order("30d"), now=NOW).total)
        own.dispose()

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert sum(told) == 4000
    assert not left(database)


@pytest.mark.only("postgres")
def test_rows_that_somebody_holds_are_passed_over(database: Database, purge: Purge) -> None:
    keep(database, aged(40), aged(41), aged(42))
    with database.engine.begin() as connection:
        connection.execute(
            text("SELECT 1 FROM three_cx_call_events WHERE created_at < :at FOR UPDATE"),
            {"at": NOW - 41 * DAY},
        )
        assert purge.run(order("30d"), now=NOW).total == 2
    assert purge.run(order("30d"), now=NOW).total == 1


def test_transactions_are_as_short_as_they_are_meant_to_be(database: Database) -> None:
    """The size of a window follows what the last one took, so also a slow machine keeps to it."""
    fill(database, 20_000)
    took = transactions(database)
    Purge(database).run(order("30d"), now=NOW)
    assert len(took) > 10
    assert sorted(took)[len(took) // 2] < 2.5 * purge_module.AIM_S


def transactions(database: Database) -> Sequence[float]:
    """How long each transaction that writes takes, in seconds, as they end."""
    from time import perf_counter

    took: list[float] = []
    started: list[float] = []
    sa_event.listen(database.engine, "begin", lambda _: started.append(perf_counter()))

    def committed(_connection: Any) -> None:
        took.append(perf_counter() - started[-1])

    sa_event.listen(database.engine, "commit", committed)
    return took


@pytest.mark.parametrize("own", [True, False], ids=["an organization's", "everybody's"])
def test_old_events_of_a_type_are_found_on_an_index(
    database: Database, purge: Purge, own: bool
) -> None:
    hour = timedelta(hours=1)
    fill(database, 300, hour)
    fill(database, 3000, hour, event_type="journal")
    fill(database, 3000, hour, organization_id="other", event_type="journal")
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(
            text("VACUUM ANALYZE" if database.dialect == "postgresql" else "ANALYZE")
        )
    wanted = order("9999d", acme="30d") if own else order("30d,journal=forever")
    plan = explained(database, lambda: purge.run(wanted, now=NOW))
    name = "ix_three_cx_call_events_by_" + ("organization_type" if own else "type")
    assert name in plan
    assert "Seq Scan on three_cx_call_events" not in plan
    assert "SCAN three_cx_call_events\n" not in plan
