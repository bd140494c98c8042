"""Several reports recorded in one transaction: each becomes what it would have become alone."""

import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from sqlalchemy import text

from callhelm_threecx.db import Database
from callhelm_threecx.models import CallRow, ContactRow, EventRow
from callhelm_threecx.services.agents import Agents, NewMapping
from callhelm_threecx.services.integrations import Integration, Integrations
from callhelm_threecx.services.journal import Journal, Recorded
from callhelm_threecx.stores.base import NewContact, Phone
from callhelm_threecx.stores.sql import SqlContactStore
from tests.core.calls import ACME, ANNA, CALL, OTHER, journal_events, kept

BEN = NewContact("Ben", "Berg", phones=(Phone("030 654321"),))


def report(second: int, number: str = "+4930123456", **others: str) -> dict[str, Any]:
    return {
        **CALL,
        "Number": number,
        "CallStartTimeUTC": f"2026-11-22T08:{second // 60:02}:{second % 60:02}Z",
        **others,
    }


REPORTS: list[dict[str, Any]] = [
    report(1),
    report(2, "+4930654321", CallType="Missed", Agent="999"),
    report(3, "anonymous"),
    report(4, "+12125550123", Name="Zoë \U0001f4de", Transcription="x" * 5000),
    report(5, "030 123456", Agent="", AgentEmail="one@example.com"),
    report(6, CallType="Outbound", Subject="a\\b'\"$1 %s"),
]


@pytest.fixture
def both(
    database: Database, integrations: Integrations, store: SqlContactStore, agents: Agents
) -> tuple[Integration, Integration]:
    """Two organizations with the same contacts and agents."""
    agents.put_all("other", [NewMapping("101", "u1", "one@example.com", "Olga", "One")])
    for organization in (ACME, OTHER):
        for contact in (ANNA, BEN):
            store.create(organization, contact)
    return integrations.set_up(ACME.id)[0], integrations.set_up(OTHER.id)[0]


def recorded(
    journal: Journal, integration: Integration, *reports: Mapping[str, Any]
) -> list[Recorded | None]:
    return journal.record_calls([(integration, one) for one in reports])


def ours(database: Database, organization: str) -> list[dict[str, Any]]:
    """The calls of an organization and their events, but for what is different each time."""
    names = {str(row.id): row.first_name for row in kept(database, ContactRow, organization)}
    events = {row.call_id: row for row in kept(database, EventRow, organization)}
    anew = {"id", "created_at", "organization_id", "fingerprint", "call_id", "latency_ms"}
    return [
        {
            **events[str(call.id)].model_dump(exclude=anew),
            **call.model_dump(exclude=anew),
            "contact_id": call.contact_id and names[call.contact_id],
        }
        for call in sorted(kept(database, CallRow, organization), key=lambda row: row.started_at)
    ]


@pytest.mark.only("postgres")
def test_each_becomes_what_it_becomes_alone(
    database: Database, journal: Journal, both: tuple[Integration, Integration]
) -> None:
    acme, other = both
    together = recorded(journal, acme, *REPORTS)
    for one in REPORTS:
        journal.record_call(other, one)
    assert ours(database, "acme") == ours(database, "other")
    ids = {str(call.id): call for call in kept(database, CallRow)}
    assert len(ids) == len(REPORTS)
    for one, sent in zip(together, REPORTS, strict=True):
        assert one is not None
        call = ids[one.id]
        assert (one.contact_id, one.agent_id) == (call.contact_id, call.agent_id)
        assert one.duplicate is False
        assert call.subject == sent.get("Subject", "")
    assert {event.call_id for event in journal_events(database)} == ids.keys()


@pytest.mark.only("postgres")
def test_it_is_one_transaction(
    database: Database, journal: Journal, both: tuple[Integration, Integration]
) -> None:
    assert None not in recorded(journal, both[0], *REPORTS)
    transactions = text("SELECT count(DISTINCT xmin::text), count(*) FROM three_cx_calls")
    assert _unconfined(database, transactions) == (1, len(REPORTS))


def _unconfined(database: Database, statement: Any) -> tuple[Any, ...]:
    with database.engine.connect() as connection:
        return tuple(connection.execute(statement).one())


@pytest.mark.only("postgres")
def test_organizations_share_a_transaction_and_nothing_else(
    database: Database, journal: Journal, both: tuple[Integration, Integration]
) -> None:
    acme, other = both
    theirs = journal.record_calls([(acme, report(1)), (other, report(1)), (other, report(2))])
    contacts = [one.contact_id if one else None for one in theirs]
    assert contacts[0] not in {None, contacts[1]}
    assert contacts[1] == contacts[2] is not None
    assert [len(kept(database, CallRow, name)) for name in ("acme", "other")] == [1, 2]


@pytest.mark.only("postgres")
def test_a_repeated_report_is_left_to_whoever_tells_what_was_there(
    database: Database, journal: Journal, both: tuple[Integration, Integration]
) -> None:
    acme = both[0]
    first = journal.record_call(acme, report(1))
    again, new, twin, its_twin = recorded(journal, acme, report(1), report(2), report(3), report(3))
    assert again is None
    assert new is not None
    assert (twin is None) is not (its_twin is None)
    assert journal.record_call(acme, report(1)) == Recorded(first.id, first.contact_id, "u1", True)
    assert len(kept(database, CallRow)) == 3


@pytest.mark.only("postgres")
@pytest.mark.parametrize(
    "bad", [{}, {"CallType": "Sideways", "Number": "1"}, {**CALL, "Duration": "soon"}]
)
def test_one_that_cannot_be_read_is_left_out(
    database: Database, journal: Journal, both: tuple[Integration, Integration], bad: Any
) -> None:
    one, none, two = recorded(journal, both[0], report(1), bad, report(2))
    assert none is None
    assert one
    assert two
    assert len(kept(database, CallRow)) == 2


@pytest.mark.only("postgres")
def test_when_none_can_be_read_no_connection_is_asked(
    database: Database, journal: Journal, both: tuple[Integration, Integration]
) -> None:
    recorded(journal, both[0], report(1), report(2))
    kept_before = list(database._fast_reads._idle)
    assert recorded(journal, both[0], {}, {}) == [None, None]
    assert recorded(journal, both[0]) == []
    assert database._fast_reads._idle == kept_before != []


@pytest.mark.only("postgres")
def test_a_call_that_needs_another_look_is_left_to_it(
    database: Database, journal: Journal, both: tuple[Integration, Integration]
) -> None:
    by_address = report(1, "+49309999999", Email="anna@example.com")
    by_last_digits = report(2, "123456")
    found = recorded(journal, both[0], by_address, by_last_digits, report(3))
    assert [one is None for one in found] == [True, True, False]
    assert len(kept(database, CallRow)) == 1


@contextmanager
def refusing(database_url: str, subject: str) -> Iterator[None]:
    """The database refuses a call with this subject."""
    table = "ALTER TABLE three_cx_calls"
    with psycopg.connect(database_url, autocommit=True) as connection:
        check = f"CHECK (subject <> '{subject}') NOT VALID"
        connection.execute(f"{table} ADD CONSTRAINT refused {check}".encode())
        try:
            yield
        finally:
            connection.execute(f"{table} DROP CONSTRAINT refused".encode())


@pytest.mark.only("postgres")
def test_when_the_database_refuses_one_nothing_of_any_is_there(
    database: Database,
    journal: Journal,
    both: tuple[Integration, Integration],
    database_url: str,
) -> None:
    acme = both[0]
    reports = [report(1), report(2, Subject="refused"), report(3)]
    with refusing(database_url, "refused"):
        assert recorded(journal, acme, *reports) == [None] * 3
        assert kept(database, CallRow) == []
        assert journal_events(database) == []
        alone = journal.record_call(acme, reports[0])
    assert alone.duplicate is False
    again, *others = recorded(journal, acme, *reports)
    assert again is None
    assert None not in others


@pytest.mark.only("postgres")
def test_a_refusal_costs_no_connection(
    database: Database,
    journal: Journal,
    both: tuple[Integration, Integration],
    database_url: str,
) -> None:
    acme = both[0]
    recorded(journal, acme, report(1), report(2))
    kept_before = list(database._fast_reads._idle)
    with refusing(database_url, "refused"):
        recorded(journal, acme, report(3), report(4, Subject="refused"))
    assert database._fast_reads._idle == kept_before != []
    assert None not in recorded(journal, acme, report(3), report(4))


@pytest.mark.only("postgres")
def test_a_server_that_is_gone_has_each_report_looked_at_alone(
    database: Database,
    journal: Journal,
    both: tuple[Integration, Integration],
    database_url: str,
) -> None:
    acme = both[0]
    assert None not in recorded(journal, acme, report(1), report(2))
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    assert recorded(journal, acme, report(3), report(4)) == [None, None]
    assert journal.record_call(acme, report(3)).duplicate is False
    assert recorded(journal, acme, report(5), report(6)) != [None, None]


@pytest.mark.only("postgres")
def test_whoever_records_the_same_calls_in_another_order_is_not_locked_out(
    database: Database, journal: Journal, both: tuple[Integration, Integration]
) -> None:
    """Two transactions that wait for each other would be ended by the database after a second."""
    acme = both[0]
    threads, rounds = 4, 40
    deadlocks = text("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
    before = _unconfined(database, deadlocks)
    start = threading.Barrier(threads)

    def send(number: int) -> int:
        new = 0
        for turn in range(rounds):
            reports = [
                report(turn * 4 + at, number)
                for at, number in enumerate(["+4930123456", "+4930654321"] * 2)
            ]
            reports = reports if number % 2 else reports[::-1]
            start.wait(60)
            new += sum(one is not None for one in recorded(journal, acme, *reports))
        return new

    with ThreadPoolExecutor(threads) as pool:
        assert sum(pool.map(send, range(threads))) == rounds * 4
    assert len(kept(database, CallRow)) == len(journal_events(database)) == rounds * 4
    assert _unconfined(database, deadlocks) == before


@pytest.mark.only("sqlite")
def test_a_database_that_has_one_writer_records_each_alone(
    journal: Journal, acme: Integration
) -> None:
    assert journal.records_together is False
    assert recorded(journal, acme, report(1), report(2)) == [None, None]
