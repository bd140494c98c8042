"""Whom a call was with: a contact that is known, becomes active, or is created."""

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from callhelm_threecx.db import Database
from callhelm_threecx.models import CallRow, ContactRow, EventRow
from callhelm_threecx.services import ended_call
from callhelm_threecx.services.integrations import Change, Integration, Integrations
from callhelm_threecx.services.journal import Journal, Recorded
from callhelm_threecx.stores.base import Contact, NewContact, Phone
from callhelm_threecx.stores.memory import MemoryContactStore
from callhelm_threecx.stores.sql import SqlContactStore
from tests.core.calls import ACME, ANNA, CALL, OTHER, journal_events, kept


def person(number: str, name: str = "Somebody") -> NewContact:
    return NewContact(name, phones=(Phone(number),))


def test_the_named_entity_is_the_contact_if_it_is_the_organizations_own(
    journal: Journal, store: SqlContactStore, acme: Integration
) -> None:
    anna = store.create(ACME, ANNA)[0]
    berta = store.create(ACME, person("030 999999"))[0]
    assert journal.record_call(acme, {**CALL, "EntityId": berta.id}).contact_id == berta.id
    by_entity_alone = {**CALL, "Number": "", "EntityId": anna.id}
    assert journal.record_call(acme, by_entity_alone).contact_id == anna.id


def test_another_organizations_entity_is_ignored(
    database: Database, journal: Journal, store: SqlContactStore, acme: Integration
) -> None:
    theirs = store.create(OTHER, ANNA)[0]
    for entity in (theirs.id, "unknown"):
        report = {**CALL, "EntityId": entity, "Agent": entity}
        assert journal.record_call(acme, report).contact_id is None
    anna = store.create(ACME, ANNA)[0]
    assert journal.record_call(acme, {**CALL, "EntityId": theirs.id}).contact_id == anna.id
    assert {call.contact_id for call in kept(database, CallRow)} == {None, anna.id}


@pytest.mark.parametrize(
    ("party", "found"),
    [
        ({"Number": "030 123456"}, True),
        ({"Number": "123456"}, True),
        ({"Number": "anonymous"}, False),
        ({"Number": "anonymous", "Email": "Anna@Example.com"}, True),
        ({"Number": "anonymous", "Email": "nobody@example.com"}, False),
        ({"Number": "+49999999"}, False),
    ],
)
def test_without_an_entity_the_number_then_the_address_finds_the_contact(
    journal: Journal,
    store: SqlContactStore,
    acme: Integration,
    party: dict[str, str],
    found: bool,
) -> None:
    anna = store.create(ACME, ANNA)[0]
    recorded = journal.record_call(acme, {**CALL, **party})
    assert recorded.contact_id == (anna.id if found else None)


@pytest.mark.parametrize(
    ("party", "by"),
    [
        ({"Number": "030 123456"}, "number"),
        ({"Number": "123456"}, "last_digits"),
        ({"Number": "+4930999999", "Email": "ANNA@example.com"}, "email"),
        ({"Number": "+4930999999"}, None),
    ],
)
def test_the_event_says_by_what_the_contact_was_found(
    journal: Journal,
    store: SqlContactStore,
    acme: Integration,
    party: dict[str, str],
    by: str | None,
) -> None:
    store.create(ACME, ANNA)
    journal.record_call(acme, {**CALL, **party})
    assert journal_events(store._database)[0].raw_data["contactFoundBy"] == by


def test_the_event_says_that_the_pbx_named_the_contact(
    journal: Journal, store: SqlContactStore, acme: Integration
) -> None:
    anna = store.create(ACME, ANNA)[0]
    journal.record_call(acme, {**CALL, "Number": "+4930999999", "EntityId": anna.id})
    assert journal_events(store._database)[0].raw_data["contactFoundBy"] == "id"


def test_the_event_says_that_the_contact_was_created(
    journal: Journal, store: SqlContactStore, auto: Integration
) -> None:
    journal.record_call(auto, {**CALL, "Number": "+4930999999"})
    assert journal_events(store._database)[0].raw_data["contactFoundBy"] == "created"


def test_the_end_of_two_peoples_numbers_is_nobody(
    journal: Journal, store: SqlContactStore, acme: Integration
) -> None:
    store.create(ACME, person("030 123456"))
    store.create(ACME, person("089 123456"))
    assert journal.record_call(acme, {**CALL, "Number": "123456"}).contact_id is None


def test_a_call_makes_its_contact_the_most_recently_active(
    journal: Journal, store: SqlContactStore, acme: Integration
) -> None:
    old, new = (store.create(ACME, person("030 123456", name))[0] for name in ("Old", "New"))
    in_an_hour = datetime.now(timezone.utc) + timedelta(hours=1)
    order = [match.contact.id for match in store.find_by_number(ACME, "030123456")]
    assert order == [new.id, old.id]
    report = {**CALL, "EntityId": old.id, "CallEndTimeUTC": in_an_hour.isoformat()}
    journal.record_call(acme, report)
    order = [match.contact.id for match in store.find_by_number(ACME, "030123456")]
    assert order == [old.id, new.id]
    active = store.get(ACME, old.id)
    assert active is not None
    assert active.last_active_at is not None
    assert active.last_active_at < in_an_hour


def test_an_old_call_does_not_make_its_contact_less_active(
    journal: Journal, store: SqlContactStore, acme: Integration
) -> None:
    anna = store.create(ACME, ANNA)[0]
    old = {"CallStartTimeUTC": "2020-01-01 08:00", "CallEndTimeUTC": "2020-01-01 08:01"}
    journal.record_call(acme, {**CALL, **old})
    assert store.get(ACME, anna.id) == anna


# Automatic creation


def created(journal: Journal, auto: Integration, store: Any, **report: str) -> Contact:
    recorded = journal.record_call(auto, {**CALL, **report})
    contact = store.get(ACME, recorded.contact_id)
    assert isinstance(contact, Contact)
    return contact


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("Anna M\u00fcller", "Anna", "M\u00fcller"),
        ("Anna Maria M\u00fcller", "Anna", "Maria M\u00fcller"),
        ("Anna", "", "Anna"),
        ("", "", "+49 30 123456"),
        ("[Name]", "", "+49 30 123456"),
        ("+4930123456", "", "+49 30 123456"),
    ],
)
def test_an_unknown_caller_becomes_a_contact_where_that_is_on(
    *,
    journal: Journal,
    auto: Integration,
    store: SqlContactStore,
    name: str,
    first: str,
    last: str,
) -> None:
    contact = created(journal, auto, store, Name=name, Email="a@b.org")
    assert (contact.first_name, contact.last_name, contact.email) == (first, last, "a@b.org")
    assert [phone.number for phone in contact.phones] == ["+4930123456"]


def test_no_contact_is_created_where_that_is_off_or_the_number_withheld(
    database: Database, journal: Journal, integrations: Integrations, acme: Integration
) -> None:
    assert journal.record_call(acme, CALL).contact_id is None
    auto = integrations.change("acme", Change(settings={"auto_create_contacts": True}))
    assert journal.record_call(auto, {**CALL, "Number": "anonymous"}).contact_id is None
    assert kept(database, ContactRow) == []


def test_a_duplicate_creates_no_contact_and_names_that_of_the_first(
    database: Database, journal: Journal, auto: Integration, acme: Integration
) -> None:
    first = journal.record_call(auto, CALL)
    assert first.contact_id is not None
    assert journal.record_call(auto, CALL) == Recorded(first.id, first.contact_id, None, True)
    assert journal_events(database)[1].contact_id == first.contact_id
    assert len(kept(database, ContactRow)) == 1


def test_call_contact_and_event_are_kept_together_or_not_at_all(
    database: Database, journal: Journal, auto: Integration, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The event, written last, fails."""

    class FailingEvent(ended_call.Event):
        def row(self) -> EventRow:
            raise ZeroDivisionError

    monkeypatch.setattr(ended_call, "Event", FailingEvent)
    with pytest.raises(ZeroDivisionError):
        journal.record_call(auto, CALL)
    assert kept(database, CallRow) == []
    assert kept(database, ContactRow) == []
    monkeypatch.undo()
    assert journal.record_call(auto, CALL).duplicate is False


def test_a_store_elsewhere_gets_the_contact_too(database: Database, auto: Integration) -> None:
    store = MemoryContactStore()
    journal = Journal(database, store)
    contact = created(journal, auto, store, Name="Anna")
    assert contact.last_name == "Anna"
    assert journal.record_call(auto, {**CALL, "Agent": "7"}).contact_id == contact.id
