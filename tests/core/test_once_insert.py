"""A row, and what belongs to it, in one statement: all of it once, or nothing."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import Text, Uuid, bindparam, func, select, true
from sqlmodel import col

from callhelm_threecx.db import Database
from callhelm_threecx.models import CallRow, ContactRow, EventRow, new_id
from callhelm_threecx.once_insert import ALONG, GIVEN, ROW, LookedUp, OnceInsert, given, owner
from callhelm_threecx.services.events import Event, EventType
from callhelm_threecx.stores.base import NewContact, Organization
from callhelm_threecx.stores.sql import SqlContactStore
from tests.core.statements import recorded

pytestmark = pytest.mark.only("postgres")

AT = datetime(2031, 5, 6, 7, 8, 9, 123456, tzinfo=timezone.utc)
WHOM = bindparam(f"{GIVEN}_contact", type_=Uuid)
NOTHING = LookedUp(row={}, along={}, touched=WHOM, wanted=true())
ONCE = OnceInsert(
    *(CallRow, EventRow, ContactRow), "last_active_at", looked_up=NOTHING, told=("id", "subject")
)
HOSTILE = 'a "quote", a \\ and %s, %(x)s, $1, \N{MOUSE}\nline'


def run(
    database: Database, fingerprint: str, contact: str | None = None, *, at: datetime = AT
) -> int:
    call = CallRow(
        organization_id="never this one",
        fingerprint=fingerprint,
        call_type="Inbound",
        direction="Inbound",
        name=HOSTILE,
        number="+4930123456",
        started_at=at,
        duration_seconds=65,
    )
    event = Event("nor this", EventType.JOURNAL, latency_ms=1.5, raw_data={"Name": HOSTILE})
    parameters = ONCE.parameters(call.model_dump(), event.values(), at, contact=contact)
    told = database.fetch("acme", ONCE, parameters)
    assert told in ([], [(call.id, "")])
    return len(told)


def rows(database: Database, table: Any) -> list[Any]:
    with database.read("acme") as session:
        return list(session.execute(select(table)).scalars())


def contact(database: Database, organization: str = "acme") -> str:
    store = SqlContactStore(database)
    return store.create(Organization(organization, "DE"), NewContact("Anna"))[0].id


def test_what_is_new_is_written_whole_in_one_statement(database: Database) -> None:
    anna = contact(database)
    with recorded(database) as statements:
        assert run(database, "f1", anna) == 1
    assert len(statements) == 1
    (call,), (event,), (known,) = (rows(database, t) for t in (CallRow, EventRow, ContactRow))
    assert (call.organization_id, call.name, call.duration_seconds) == ("acme", HOSTILE, 65)
    assert (call.started_at, call.happened_at) == (AT, AT)
    assert (event.organization_id, event.raw_data, event.latency_ms) == (
        "acme",
        {"Name": HOSTILE},
        1.5,
    )
    assert known.last_active_at == AT


def test_what_is_there_changes_nothing_at_all(database: Database) -> None:
    anna = contact(database)
    assert run(database, "f1", anna) == 1
    assert run(database, "f1", anna, at=AT + timedelta(days=1)) == 0
    assert len(rows(database, CallRow)) == len(rows(database, EventRow)) == 1
    assert rows(database, ContactRow)[0].last_active_at == AT


def test_an_instant_only_moves_on(database: Database) -> None:
    anna = contact(database)
    assert run(database, "f1", anna, at=AT) == 1
    assert run(database, "f2", anna, at=AT - timedelta(days=1)) == 1
    assert rows(database, ContactRow)[0].last_active_at == AT


def test_nobody_is_touched_for_nobody_and_none_of_another_organization(database: Database) -> None:
    stranger = contact(database, "other")
    with database.read("other") as session:
        before = session.execute(select(col(ContactRow.last_active_at))).scalar_one()
    assert run(database, "f1", None) == 1
    assert run(database, "f2", stranger) == 1
    with database.read("other") as session:
        assert session.execute(select(col(ContactRow.last_active_at))).scalar_one() == before


def test_of_many_at_once_one_is_new(database: Database) -> None:
    threads = 8
    together = threading.Barrier(threads)

    def race(_: int) -> list[int]:
        together.wait(30)
        return [run(database, f"f{n}") for n in range(20)]

    with ThreadPoolExecutor(threads) as pool:
        found = list(pool.map(race, range(threads)))
    assert [sum(column) for column in zip(*found, strict=True)] == [1] * 20
    assert len(rows(database, CallRow)) == len(rows(database, EventRow)) == 20


def test_another_organization_may_have_the_same_call(database: Database) -> None:
    assert run(database, "f1") == 1
    values = rows(database, CallRow)[0].model_dump() | {"id": new_id()}
    event = Event(None, EventType.JOURNAL).values()
    parameters = ONCE.parameters(values, event, AT, contact=None)
    assert len(database.fetch("other", ONCE, parameters)) == 1


def test_what_is_looked_up_is_the_organizations_own(database: Database) -> None:
    anna = contact(database)
    contacts, calls, events = ContactRow.__table__, CallRow.__table__, EventRow.__table__  # type: ignore[attr-defined]
    asked = bindparam(f"{GIVEN}_name", type_=Text)
    name = (
        select(contacts.c.first_name)
        .where(contacts.c.organization_id == owner(contacts.c.organization_id))
        .where(contacts.c.first_name == asked)
        .scalar_subquery()
    )
    once = OnceInsert(
        *(CallRow, EventRow, ContactRow),
        "last_active_at",
        looked_up=LookedUp(
            row={"subject": func.coalesce(name, given(ROW, calls.c.subject))},
            along={"error": func.concat(given(ALONG, events.c.error), name)},
            touched=WHOM,
            wanted=asked.is_not(None),
        ),
        told=("subject",),
    )
    for organization, found in (("acme", "Anna"), ("other", "nobody")):
        call = CallRow(
            organization_id="",
            fingerprint="f1",
            call_type="Inbound",
            direction="Inbound",
            subject="nobody",
        )
        event = Event(None, EventType.JOURNAL, error="of ").values()
        nobody = once.parameters(call.model_dump(), event, AT, name=None, contact=anna)
        assert database.fetch(organization, once, nobody) == [], "it is not wanted"
        values = once.parameters(call.model_dump(), event, AT, name="Anna", contact=anna)
        assert database.fetch(organization, once, values) == [(found,)]
    with database.read("acme") as session:
        assert session.execute(select(col(EventRow.error))).scalar_one() == "of Anna"
