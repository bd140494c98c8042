"""Whose call it is, found by the statement that records it: the contact that the rules find."""

from datetime import datetime
from itertools import count
from typing import Any

import pytest
from sqlalchemy import select
from sqlmodel import col

from callhelm_threecx.db import Database
from callhelm_threecx.keys import KeyRing, generate_secret_key
from callhelm_threecx.models import CallRow, ContactRow, EventRow
from callhelm_threecx.services.integrations import Integration, Integrations
from callhelm_threecx.services.journal import Journal
from callhelm_threecx.stores.base import NewContact, Organization, Phone
from callhelm_threecx.stores.sql import SqlContactStore
from tests.core.statements import recorded

pytestmark = pytest.mark.only("postgres")

ACME, OTHER = Organization("acme", "DE"), Organization("other", "DE")
PEOPLE = {
    "berlin": ["+49 30 123456"],
    "munich": ["+49 89 123456"],
    "two numbers": ["+49 30 777777", "+49 171 1234567"],
    "sharing": ["+49 30 555555"],
    "sharing, later active": ["+49 30 555555"],
    "short": ["2671"],
    "american": ["+1 415 555 2671"],
    "like an american": ["+49 141 55526711"],
    "only at home": ["141555267"],
    "argentinian mobile": ["+54 9 11 2345 6789"],
    "both readings": ["+49 4930 123499", "+49 30 123499"],
}
ASKED = [
    *("+4930123456", "030 123456", "0049 30 123456", " 4930123456", "4930123456", "123456"),
    *("+493077777", "+4930777777", "0171 1234567", "+49 30 555555", "030555555", "555555"),
    *("2671", "5552671", "14155552671", "+14155552671", "001 415 555 2671", "141555267"),
    *("+541123456789", "+54 9 11 23456789", "00541123456789", "4930123499", "+4930123499"),
    *("anonymous", "+", "0", "+999", "12", "999999999999999999", "+4930999999"),
]
MINUTES = count()


@pytest.fixture
def integration(database: Database) -> Integration:
    integrations = Integrations(database, KeyRing([generate_secret_key()]), "DE")
    store = SqlContactStore(database)
    for organization in (ACME, OTHER):
        integrations.set_up(organization.id)
    for name, numbers in PEOPLE.items():
        phones = tuple(Phone(number) for number in numbers)
        store.create(ACME, NewContact(last_name=name, phones=phones))
    store.create(OTHER, NewContact(last_name="theirs", phones=(Phone("+4930999999"),)))
    found = integrations.get("acme")
    assert found
    return found


def report(number: str, **others: str) -> dict[str, Any]:
    minute = next(MINUTES)
    start = f"2020-11-22T{minute // 60:02}:{minute % 60:02}:00Z"
    return {"CallType": "Inbound", "Number": number, "CallStartTimeUTC": start, **others}


def written(database: Database) -> tuple[Any, Any]:
    """The contact of the only call, and the raw data of its event."""
    with database.read("acme") as session:
        contact = session.execute(select(col(CallRow.contact_id))).scalar_one()
        journaled = select(EventRow).where(col(EventRow.event_type) == "journal")
        event = session.execute(journaled).scalars().one()
        assert event.contact_id == contact
        return contact, event.raw_data


@pytest.mark.parametrize("number", ASKED)
def test_the_statement_finds_whom_the_store_finds(
    database: Database, integration: Integration, number: str
) -> None:
    store = SqlContactStore(database)
    matches = store.find_by_number(ACME, number, limit=2)
    expected = matches[0] if matches and (matches[0].exact or len(matches) == 1) else None
    with recorded(database) as statements:
        call = Journal(database, store).record_call(integration, report(number))
    contact, raw_data = written(database)
    assert call.contact_id == contact == (expected.contact.id if expected else None)
    if expected:
        assert raw_data["contactFoundBy"] == ("number" if expected.exact else "last_digits")
    else:
        assert raw_data["contactFoundBy"] is None
    if expected and expected.exact:
        assert len(statements) == 1


def test_the_owner_alone_is_active_from_then_on(
    database: Database, integration: Integration
) -> None:
    def active() -> dict[str, datetime]:
        with database.read("acme") as session:
            rows = session.execute(select(col(ContactRow.id), col(ContactRow.last_active_at)))
            return {str(key): at for key, at in rows}

    before = active()
    body = report("+49 30 123456", CallStartTimeUTC="2099-11-20T10:00:00Z")  # at most now
    call = Journal(database, SqlContactStore(database)).record_call(integration, body)
    after = active()
    assert [key for key in before if after[key] > before[key]] == [call.contact_id]


def test_the_contact_that_a_report_names_comes_before_its_number(
    database: Database, integration: Integration
) -> None:
    store = SqlContactStore(database)
    munich = store.find_by_number(ACME, "+4989123456")[0].contact.id
    theirs = store.find_by_number(OTHER, "+4930999999")[0].contact.id
    journal = Journal(database, store)
    with recorded(database) as statements:
        call = journal.record_call(integration, report("+4930123456", EntityId=munich))
    assert call.contact_id == munich
    assert len(statements) == 1
    assert written(database)[1]["contactFoundBy"] == "id"
    for foreign in (theirs, "no such id", "00000000-0000-4000-8000-000000000000"):
        call = journal.record_call(integration, report("+4930123456", EntityId=foreign))
        assert call.contact_id == store.find_by_number(ACME, "+4930123456")[0].contact.id


def test_a_call_of_a_stranger_by_a_whole_number_is_one_statement(
    database: Database, integration: Integration
) -> None:
    with recorded(database) as statements:
        call = Journal(database, SqlContactStore(database)).record_call(
            integration, report("+4930999999")
        )
    assert call.contact_id is None
    assert len(statements) == 1


def test_a_number_that_means_two_things_is_owned_by_its_likeliest_reading(
    database: Database, integration: Integration
) -> None:
    """4930123499 is a number of the region, 04930 123499, and one abroad, +49 30 123499."""
    store = SqlContactStore(database)
    late = NewContact(last_name="late", phones=(Phone("+49 30 123499"),))
    store.create(ACME, late)
    names = [match.contact.last_name for match in store.find_by_number(ACME, "4930123499")]
    call = Journal(database, store).record_call(integration, report("4930123499"))
    owner = store.get(ACME, call.contact_id or "")
    assert owner
    assert owner.last_name == names[0]
