"""The event log in months on PostgreSQL: there and back, while it is written, and purged."""

import threading
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from callhelm_threecx import migrate
from callhelm_threecx.db import Database
from callhelm_threecx.errors import StorageUnavailableError
from callhelm_threecx.models import EventRow, utc_now
from callhelm_threecx.retention import Retention
from callhelm_threecx.services import event_table as event_table_module
from callhelm_threecx.services.daily_totals import DailyTotals
from callhelm_threecx.services.event_months import AHEAD, EventMonths, Month, months
from callhelm_threecx.services.event_table import EventTable, PartitionError
from callhelm_threecx.services.event_writer import EventWriter
from callhelm_threecx.services.events import Event, EventFilter, EventLog, EventType
from callhelm_threecx.services.purge import Purge
from callhelm_threecx.services.purge_orders import PurgeOrder
from callhelm_threecx.settings import database_url as parse_url
from tests import servers
from tests.core import big_log
from tests.core.plans import watched

NOW = datetime(2026, 11, 22, 12, tzinfo=timezone.utc)
DAY = timedelta(days=1)
MONTHS = [str(month) for month in months(Month(2026, 8), Month(2027, 2))]


@pytest.fixture
def database(postgres_server: str, tmp_path: Path) -> Iterator[Database]:
    """A database of the test's own, whose tables it may rebuild."""
    with servers.PostgresSource(postgres_server).empty(tmp_path) as url:
        database = Database(parse_url(url))
        migrate.upgrade(database)
        yield database
        database.dispose()


def keep(database: Database, *events: Event) -> None:
    with database.write_all_organizations() as session:
        session.add_all([event.row() for event in events])


def event(days: float, kind: EventType = EventType.LOOKUP, organization: Any = "acme") -> Event:
    return Event(organization, kind, phone_number="+49301", created_at=NOW - days * DAY)


def rows(database: Database, statement: str) -> list[Any]:
    with database.engine.begin() as connection:
        result = connection.exec_driver_sql(statement)
        return [tuple(row) for row in result] if result.returns_rows else []


def everything(database: Database) -> list[Any]:
    return rows(database, "SELECT * FROM three_cx_call_events ORDER BY created_at, id")


def lying(database: Database) -> dict[str, int]:
    """How many events each part has, by the end of its name."""
    found = rows(
        database,
        "SELECT replace(tableoid::regclass::text, 'three_cx_call_events_', ''), count(*)"
        " FROM three_cx_call_events GROUP BY 1",
    )
    return dict(found)


def partition(database: Database) -> Any:
    return EventTable(database).rebuild(partitioned=True, now=NOW)


@pytest.fixture
def old_events(database: Database) -> list[Any]:
    """A hundred days of events."""
    keep(database, *(event(n, organization=("acme", "other", None)[n % 3]) for n in range(100)))
    return everything(database)


def test_each_event_lies_in_its_month_and_months_are_made_ahead(
    database: Database, old_events: list[Any]
) -> None:
    plan = partition(database)
    assert (plan.is_change, [str(month) for month in plan.months]) == (True, MONTHS)
    assert everything(database) == old_events
    assert lying(database) == {"2026_08": 17, "2026_09": 30, "2026_10": 31, "2026_11": 22}
    layout = EventMonths(database).layout()
    assert layout is not None
    assert [str(month) for month in layout.months] == MONTHS


def test_a_plan_changes_nothing(database: Database, old_events: list[Any]) -> None:
    before = tables(database)
    plan = EventTable(database).plan(partitioned=True, now=NOW)
    assert (plan.is_change, plan.is_partitioned, plan.hindrances) == (True, False, [])
    assert plan.events == 100
    assert [str(month) for month in plan.months] == MONTHS
    assert tables(database) == before


def tables(database: Database) -> list[Any]:
    """Tables, indexes, triggers and functions by name."""
    return rows(
        database,
        "SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        " UNION ALL SELECT tgname::text FROM pg_trigger WHERE NOT tgisinternal"
        " UNION ALL SELECT proname::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
        " AND proname LIKE '%%three_cx%%' ORDER BY 1",
    )


def test_there_and_back_leaves_what_was(database: Database, old_events: list[Any]) -> None:
    before = tables(database), definition(database)
    partition(database)
    EventTable(database).rebuild(partitioned=False)
    assert everything(database) == old_events
    assert definition(database) == before[1]
    assert tables(database) == before[0]
    assert not EventTable(database).rebuild(partitioned=False).is_change


def definition(database: Database) -> list[Any]:
    """Columns, constraints and indexes of the table."""
    return rows(
        database,
        "SELECT attname::text, format_type(atttypid, atttypmod) || attnotnull::text FROM"
        " pg_attribute WHERE attrelid = 'three_cx_call_events'::regclass AND attnum > 0"
        " UNION ALL SELECT conname::text, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE conrelid = 'three_cx_call_events'::regclass AND contype <> 'n'"
        " UNION ALL SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index"
        " WHERE indrelid = 'three_cx_call_events'::regclass ORDER BY 1, 2",
    )


def test_the_schema_is_still_that_of_the_models_and_can_be_migrated(
    database: Database, old_events: list[Any]
) -> None:
    """Also when the table was brought into months by an earlier version."""
    migrate.downgrade(database, "0002")
    partition(database)
    assert migrate.upgrade(database) is True
    assert migrate.differences(database) == []
    assert everything(database) == old_events
    migrate.downgrade(database, "base")
    assert rows(database, "SELECT 1 FROM pg_class WHERE relname LIKE 'three_cx_call%%'") == []


def test_a_part_is_found_on_its_indexes(database: Database, old_events: list[Any]) -> None:
    partition(database)
    big_log.fill(database, events=60_000, calls=10)
    log = EventLog(database, "DE")
    with watched(database) as statements:
        page = log.page(EventFilter("acme", type=EventType.LOOKUP))
        assert log.page(EventFilter("acme"), cursor=page.next_cursor).events
        assert not log.page(EventFilter("acme", number=big_log.RARE_NUMBER)).next_cursor
        assert log.one(str(page.events[-1].id), "acme").id == page.events[-1].id
    for statement in statements:
        assert "Seq Scan three_cx_call_events_2026_11" not in statement.plan
        assert "Seq Scan three_cx_call_events_2026_10" not in statement.plan


def test_what_is_written_meanwhile_is_there(database: Database, old_events: list[Any]) -> None:
    """By the writer of events, whose connections were there before and go on."""
    writer, stop = EventWriter(database), threading.Event()
    sent: list[Event] = []

    def write() -> None:
        while not stop.wait(0.001):
            sent.append(event(len(sent) % 100))
            writer.emit(sent[-1])

    thread = threading.Thread(target=write)
    thread.start()
    rebuilt = 0
    while rebuilt < 3 or len(sent) <= 100:  # a quick machine is done before much was sent
        assert thread.is_alive()
        for partitioned in (False, True) if rebuilt else (True,):
            EventTable(database).rebuild(partitioned=partitioned, now=NOW)
            rebuilt += 1
    stop.set()
    thread.join(30)
    writer.close()
    assert writer.dropped == 0
    assert len(sent) > 100
    found = {row[0] for row in rows(database, "SELECT id FROM three_cx_call_events")}
    assert {each.id for each in sent} <= found
    assert len(everything(database)) == len(sent) + 100


def test_what_is_deleted_meanwhile_is_gone(
    database: Database, old_events: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    compare = EventTable._compare

    def purge_first(self: EventTable, *arguments: Any) -> None:
        assert Purge(database).run(PurgeOrder.older_than(30 * DAY), now=NOW).total == 69
        compare(self, *arguments)

    monkeypatch.setattr(EventTable, "_compare", purge_first)
    partition(database)
    assert len(everything(database)) == 31


@pytest.mark.parametrize("step", ["_create_mirror", "_copy", "_change_places"])
def test_interrupted_at_any_step_it_leaves_what_was(
    database: Database, old_events: list[Any], monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    before = tables(database)
    done = getattr(event_table_module, step)

    def interrupt(*arguments: Any) -> None:
        done(*arguments)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(event_table_module, step, interrupt)
        with pytest.raises(KeyboardInterrupt):
            partition(database)
    assert (tables(database), everything(database)) == (before, old_events)
    partition(database)
    assert everything(database) == old_events


def test_what_a_killed_one_left_is_cleared_by_the_next(
    database: Database, old_events: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(event_table_module, "_clear", lambda _: None)
        patch.setattr(event_table_module, "_copy", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            partition(database)
    keep(database, event(1))
    partition(database)
    assert len(everything(database)) == 101


def test_it_may_be_told_to_stop(database: Database, old_events: list[Any]) -> None:
    before = tables(database)
    stop = threading.Event()
    stop.set()
    with pytest.raises(PartitionError, match="stopped"):
        EventTable(database).rebuild(partitioned=True, stop=stop)
    assert tables(database) == before


def test_rights_policies_and_triggers_of_a_host_stay(
    database: Database, old_events: list[Any]
) -> None:
    role = "reader_" + database.engine.url.database[-8:]  # type: ignore[index]
    table = "three_cx_call_events"
    for statement in (
        f"CREATE ROLE {role}",
        f"GRANT SELECT ON {table} TO {role}",
        f"GRANT UPDATE (error) ON {table} TO {role}",
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
        (
            f"CREATE POLICY theirs ON {table} FOR SELECT TO {role} USING"
            f" (organization_id = 'acme' AND {table}.phone_number LIKE '+49%%')"
        ),
        (
            "CREATE FUNCTION told() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            " NEW.error = 'told'; RETURN NEW; END $$"
        ),
        f"CREATE TRIGGER tell BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION told()",
        "CREATE TABLE organizations (id text PRIMARY KEY)",
        "INSERT INTO organizations VALUES ('acme'), ('other')",
        (
            f"ALTER TABLE {table} ADD FOREIGN KEY (organization_id) REFERENCES organizations"
            " ON DELETE CASCADE"
        ),
    ):
        rows(database, statement)
    for partitioned in (True, False, True):
        EventTable(database).rebuild(partitioned=partitioned, now=NOW)
        EventMonths(database).make_ahead(NOW + 60 * DAY)
        with database.engine.begin() as connection:
            connection.execute(text(f"SET LOCAL ROLE {role}"))
            seen = connection.execute(text(f"SELECT organization_id FROM {table}")).scalars()
            assert set(seen) == {"acme"}
        told = rows(
            database,
            f"SELECT has_table_privilege('{role}', '{table}', 'INSERT'),"
            f" has_column_privilege('{role}', '{table}', 'error', 'UPDATE')",
        )
        assert told == [(False, True)]
    keep(database, event(1, organization="other"))
    assert rows(database, f"SELECT DISTINCT error FROM {table} WHERE error = 'told'")
    open_parts = (
        "SELECT relname FROM pg_class WHERE relname ~ '^three_cx_call_events' AND"
        " relkind IN ('r', 'p') AND NOT relrowsecurity"
    )
    assert rows(database, open_parts) == []
    rows(database, "DELETE FROM organizations WHERE id = 'other'")
    assert not rows(database, f"SELECT 1 FROM {table} WHERE organization_id = 'other'")


@pytest.mark.parametrize(
    ("made", "told"),
    [
        ("CREATE VIEW v AS SELECT id FROM three_cx_call_events", "The view v hangs on it"),
        ("CREATE TABLE t (e uuid REFERENCES three_cx_call_events)", "A foreign key of t hangs"),
        ("CREATE UNIQUE INDEX u ON three_cx_call_events (call_id)", "The unique index u hangs"),
        ("CREATE PUBLICATION p FOR TABLE three_cx_call_events", "The publication p hangs"),
    ],
)
def test_what_stands_against_it_is_told_and_nothing_is_done(
    database: Database, old_events: list[Any], made: str, told: str
) -> None:
    rows(database, made)
    before = tables(database)
    assert told in " ".join(EventTable(database).plan(partitioned=True).hindrances)
    with pytest.raises(PartitionError, match=told):
        partition(database)
    assert tables(database) == before


def test_a_reader_that_never_ends_is_not_waited_for_by_everybody(
    database: Database, old_events: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever comes after a waiting lock waits behind it: it does not wait long."""
    monkeypatch.setattr("callhelm_threecx.services.event_months._TRIES", 1)
    partition(database)
    layout = EventMonths(database).layout()
    assert layout is not None
    with database.engine.begin() as reader:
        reader.execute(text("SELECT count(*) FROM three_cx_call_events"))
        with pytest.raises(StorageUnavailableError, match="Others have used"):
            EventMonths(database).drop(layout, Month(2026, 8), "")
        keep(database, event(1))
    assert lying(database)["2026_08"] == 17


# Months go, and come


def order(everyone: str, **own: str) -> PurgeOrder:
    return PurgeOrder(Retention.parse(everyone), {k: Retention.parse(v) for k, v in own.items()})


def test_a_month_that_has_lived_its_time_goes_as_a_whole(
    database: Database, old_events: list[Any]
) -> None:
    partition(database)
    told = Purge(database).forecast(order("30d"), now=NOW)
    assert (told.months, told.purged) == ({"2026-08": 17, "2026-09": 30}, [])
    assert Purge(database).run(order("30d"), now=NOW) == told
    assert lying(database) == {"2026_10": 31, "2026_11": 22}
    layout = EventMonths(database).layout()
    assert layout is not None
    assert Month(2026, 9) not in layout.months
    assert statistics(database) == 78


def statistics(database: Database) -> int:
    """Events of days that are over, as statistics count them."""
    closed = DailyTotals(database).closed(None, (NOW - 99 * DAY).date(), NOW)
    return sum(one.count for one in closed) - 21  # those of November


def test_what_is_kept_longer_stays_of_a_month_that_goes(
    database: Database, old_events: list[Any]
) -> None:
    keep(database, event(90, EventType.SETUP), event(60, EventType.SETUP, None))
    partition(database)
    told = Purge(database).run(order("30d,setup=forever", acme="7d,search=forever"), now=NOW)
    assert told.months == {"2026-08": 18, "2026-09": 30}
    assert lying(database)["default"] == 1  # the setup of nobody; acme keeps no setup for ever
    assert EventMonths(database).make_ahead(NOW + 99 * DAY)


def test_a_shorter_age_is_kept_to_the_day_within_months(
    database: Database, old_events: list[Any]
) -> None:
    partition(database)
    told = Purge(database).run(order("365d,lookup=30d"), now=NOW)
    assert (told.months, told.total) == ({}, 69)


def test_an_age_that_is_asked_for_does_not_wait_for_the_month(
    database: Database, old_events: list[Any]
) -> None:
    partition(database)
    told = Purge(database).run(PurgeOrder.older_than(30 * DAY), now=NOW)
    assert (sum(told.months.values()), told.total) == (47, 69)


def test_one_organizations_purge_leaves_months_alone(
    database: Database, old_events: list[Any]
) -> None:
    partition(database)
    told = Purge(database).run(PurgeOrder.older_than(30 * DAY, "acme"), now=NOW)
    assert (told.months, told.total) == ({}, 23)


def test_a_purge_makes_the_months_ahead(database: Database, old_events: list[Any]) -> None:
    partition(database)
    later = NOW + 62 * DAY
    Purge(database).run(order("forever"), now=later)
    keep(database, Event("acme", EventType.LOOKUP, created_at=later + 90 * DAY))
    assert lying(database)["2027_04"] == 1
    assert AHEAD == 3


def test_an_event_whose_month_nobody_made_is_kept_and_put_in_order_later(
    database: Database, old_events: list[Any]
) -> None:
    partition(database)
    late = datetime(2027, 4, 5, tzinfo=timezone.utc)
    keep(database, Event("acme", EventType.LOOKUP, created_at=late))
    assert lying(database)["default"] == 1
    assert Month(2027, 4) not in EventMonths(database).make_ahead(late)
    EventTable(database).rebuild(partitioned=True, now=late)
    assert lying(database)["2027_04"] == 1
    assert "default" not in lying(database)
    assert len(everything(database)) == 101


def test_a_month_is_made_while_events_are_written(
    database: Database, old_events: list[Any]
) -> None:
    """Nobody who writes waits for it: a transaction that is writing does not hinder it."""
    partition(database)
    with database.write("acme") as session:
        session.add(EventRow(organization_id="acme", event_type="lookup", created_at=utc_now()))
        session.flush()
        assert EventMonths(database).make_ahead(NOW + 31 * DAY) == [Month(2027, 3)]


def test_the_months_of_a_year_are_counted_through() -> None:
    assert [str(month) for month in months(Month(2026, 11), Month(2027, 2))] == [
        "2026-11",
        "2026-12",
        "2027-01",
        "2027-02",
    ]
    assert Month.of(datetime(2026, 12, 31, 23, 59, tzinfo=timezone(timedelta(hours=-1)))) == Month(
        2027, 1
    )
