"""Prepared reads take a short way to the driver; whatever goes wrong there goes the usual way."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from sqlalchemy import Integer, Text, bindparam, event, select
from sqlmodel import col

from callhelm_threecx.confinement import PreparedRead
from callhelm_threecx.db import Database
from callhelm_threecx.fast_reads import KEPT, FastReads, NotTakenError
from callhelm_threecx.models import ContactRow
from callhelm_threecx.stores.base import NewContact, Organization
from callhelm_threecx.stores.sql import SqlContactStore
from tests.core.statements import recorded

ACME = Organization("acme", "DE")
NAMES = PreparedRead(
    select(col(ContactRow.first_name))
    .where(col(ContactRow.company) == bindparam("company", type_=Text))
    .order_by(col(ContactRow.first_name))
    .limit(bindparam("most", type_=Integer))
)


@pytest.fixture
def reads(database: Database, store: SqlContactStore) -> Iterator[FastReads]:
    for organization in (ACME, Organization("other", "DE")):
        for name in ("Anna", "Ben"):
            first = f"{name} of {organization.id}"
            store.create(organization, NewContact(first_name=first, company="100% Müller"))
    reads = FastReads(database.reader)
    yield reads
    reads.close()


def ask(reads: FastReads, company: Any = "100% Müller", most: Any = 10) -> list[Any]:
    compiled = NAMES.compiled(reads._engine.dialect)
    rows = reads.rows(compiled, "acme", {"company": company, "most": most})
    return [row[0] for row in rows]


def test_it_gives_the_rows_of_the_organization(reads: FastReads) -> None:
    assert ask(reads) == ["Anna of acme", "Ben of acme"]
    assert ask(reads, most=1) == ["Anna of acme"]
    assert ask(reads, company="nobody") == []


def test_a_text_with_a_nul_is_never_cut_short(reads: FastReads, database: Database) -> None:
    if database.dialect == "postgresql":
        with pytest.raises(NotTakenError):
            ask(reads, company="100% Müller\0")
    else:
        assert ask(reads, company="100% Müller\0") == []
    assert ask(reads) == ["Anna of acme", "Ben of acme"]


@pytest.mark.only("postgres")
def test_values_of_other_types_go_the_usual_way(reads: FastReads) -> None:
    with pytest.raises(NotTakenError):
        ask(reads, company=["100% Müller"])


@pytest.mark.only("postgres")
def test_whoever_watches_through_a_cursor_of_their_own_sees_the_statement(
    database: Database, reads: FastReads
) -> None:
    values = {"company": "100% Müller", "most": 10}
    with recorded(database) as statements:
        assert len(database.fetch("acme", NAMES, values)) == 2
    assert len(statements) == 1


def kill_everybody(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


@pytest.mark.only("postgres")
def test_connections_that_died_are_replaced_within_the_read(
    database: Database, reads: FastReads, database_url: str
) -> None:
    values = {"company": "100% Müller", "most": 10}
    assert len(database.fetch("acme", NAMES, values)) == 2
    kill_everybody(database_url)
    assert len(database.fetch("acme", NAMES, values)) == 2


@pytest.mark.only("postgres")
def test_a_dead_connection_is_not_kept(reads: FastReads, database_url: str) -> None:
    ask(reads)
    kill_everybody(database_url)
    with pytest.raises(NotTakenError):
        ask(reads)
    reads._engine.dispose()
    assert len(ask(reads)) == 2


@pytest.mark.only("postgres")
def test_a_statement_whose_table_changed_is_prepared_anew(
    database: Database, reads: FastReads, database_url: str
) -> None:
    values = {"company": "100% Müller", "most": 10}
    assert len(database.fetch("acme", NAMES, values)) == 2
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("ALTER TABLE three_cx_contacts ALTER first_name TYPE varchar(500)")
    assert len(database.fetch("acme", NAMES, values)) == 2


def test_more_threads_than_connections_at_hand_read_without_new_ones_each_time(
    database: Database, reads: FastReads, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = []
    event.listen(database.reader, "connect", lambda *_: opened.append(1))
    lane: Any = reads._lane
    quick = lane.answers

    def slow(*asked: Any) -> Any:
        time.sleep(0.05)  # as of a database that is far away
        return quick(*asked)

    monkeypatch.setattr(lane, "answers", slow)

    def once(_: int) -> list[Any]:
        return database.fetch("acme", NAMES, {"company": "100% Müller", "most": 10})

    with ThreadPoolExecutor(2 * KEPT) as pool:
        found = [rows for _ in range(5) for rows in pool.map(once, range(2 * KEPT))]
    assert found == [[("Anna of acme",), ("Ben of acme",)]] * 10 * KEPT
    assert len(opened) <= 2 * KEPT


def test_as_many_connections_are_kept_as_were_needed_at_once(reads: FastReads) -> None:
    lanes = [reads._open() for _ in range(KEPT)]
    with pytest.raises(NotTakenError):
        ask(reads)
    reads._give_back(lanes.pop())
    reads._idle.extend(lanes)
    assert ask(reads) == ["Anna of acme", "Ben of acme"]
    reads.close()
    assert (reads._idle, reads._at_hand) == ([], 0)


@pytest.mark.only("postgres")
def test_a_connection_that_cannot_be_made_is_not_counted(
    reads: FastReads, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused() -> None:
        raise psycopg.OperationalError("no more connections")

    with monkeypatch.context() as patch:
        patch.setattr(reads._engine, "raw_connection", refused)
        for _ in range(KEPT + 1):
            with pytest.raises(NotTakenError):
                ask(reads)
    assert ask(reads) == ["Anna of acme", "Ben of acme"]


def test_the_pool_is_never_emptied_by_what_is_kept(database: Database) -> None:
    pool: Any = database.reader.pool
    assert pool.size() + pool._max_overflow > KEPT


@pytest.mark.only("postgres")
def test_a_statement_that_is_refused_costs_no_other_connection(reads: FastReads) -> None:
    reads._idle.extend([reads._open() for _ in range(3)])
    with pytest.raises(NotTakenError):
        ask(reads, most="many")  # no number
    assert len(reads._idle) == 2
    assert ask(reads) == ["Anna of acme", "Ben of acme"]
