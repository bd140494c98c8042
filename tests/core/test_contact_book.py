"""Contacts in the hands of an administrator."""

import json
from dataclasses import replace
from typing import Any

import pytest

from callhelm_threecx.db import Database
from callhelm_threecx.errors import BadInputError, NotFoundError
from callhelm_threecx.services.audit import Actor
from callhelm_threecx.services.contact_book import ContactBook, PhoneEntry, read_form
from callhelm_threecx.services.events import Event, EventType
from callhelm_threecx.stores.base import (
    Contact,
    ContactStore,
    NewContact,
    Organization,
    Phone,
    PhoneType,
)
from callhelm_threecx.stores.editing import ContactChangedError, DuplicateContactError, edition_of
from callhelm_threecx.stores.memory import MemoryContactStore
from callhelm_threecx.stores.sql import SqlContactStore
from tests.core.statements import recorded

ACME = Organization("acme", "DE")
OLGA = Actor("user", origin="192.0.2.1", user_id="u1", user_name="Olga")
ANNA = NewContact("Anna", "Müller", phones=(Phone("030 123456"),), email="anna@example.com")


@pytest.fixture
def events() -> list[Event]:
    return []


@pytest.fixture
def book(store: SqlContactStore, events: list[Event]) -> ContactBook:
    return ContactBook(store, events.append)


def test_every_act_is_an_event_with_who_did_it_and_no_names(
    book: ContactBook, events: list[Event]
) -> None:
    anna = book.add(ACME, ANNA, by=OLGA)
    changed = book.change(
        ACME, anna.id, replace(ANNA, company="Acme"), edition=edition_of(anna), by=OLGA
    )
    deleted = book.delete(ACME, anna.id, edition=edition_of(changed), by=OLGA)
    book.undo(ACME, deleted, by=OLGA)
    assert [event.raw_data["action"] for event in events] == [
        "add_contact",
        "change_contact",
        "delete_contact",
        "restore_contact",
    ]
    for event in events:
        assert (event.organization_id, event.type) == ("acme", EventType.SETUP)
        assert event.contact_id == anna.id
        assert event.raw_data.items() >= OLGA.detail().items()
        assert "Anna" not in str(event.raw_data)


def test_what_was_deleted_comes_back_from_a_text(book: ContactBook) -> None:
    anna = book.add(ACME, ANNA)
    deleted = book.delete(ACME, anna.id)
    with pytest.raises(NotFoundError):
        book.get(ACME, anna.id)
    assert book.undo(ACME, deleted) == anna
    assert book.get(ACME, anna.id) == anna


@pytest.mark.parametrize(
    "change",
    [
        lambda _: "no json",
        lambda _: "[]",
        lambda content: {**content, "organization": "other"},
        lambda content: {**content, "contact": {}},
        lambda content: {**content, "contact": {**content["contact"], "id": "not ours"}},
        lambda content: {**content, "contact": {**content["contact"], "colour": "red"}},
        lambda content: {**content, "created_at": "yesterday"},
        lambda content: {**content, "created_at": "2026-11-22T08:35:00"},
        lambda content: {**content, "typed": ["1", "2", "3"]},
    ],
)
def test_only_what_was_deleted_here_is_brought_back(book: ContactBook, change: Any) -> None:
    deleted = json.loads(book.delete(ACME, book.add(ACME, ANNA).id))
    changed = change(deleted)
    with pytest.raises(BadInputError):
        book.undo(ACME, changed if isinstance(changed, str) else json.dumps(changed))


def test_a_contact_is_added_once(book: ContactBook, events: list[Event]) -> None:
    anna = book.add(ACME, ANNA)
    with pytest.raises(DuplicateContactError) as caught:
        book.add(ACME, ANNA)
    assert caught.value.other_id == anna.id
    assert len(events) == 1


def test_a_form_that_is_out_of_date_is_not_written(book: ContactBook, events: list[Event]) -> None:
    anna = book.add(ACME, ANNA)
    book.change(ACME, anna.id, replace(ANNA, company="Acme"), edition=edition_of(anna))
    with pytest.raises(ContactChangedError) as caught:
        book.change(ACME, anna.id, replace(ANNA, email=""), edition=edition_of(anna))
    assert caught.value.current.company == "Acme"
    assert len(events) == 2


def test_a_search_and_a_lookup_say_why(book: ContactBook) -> None:
    anna = book.add(ACME, ANNA)
    (found,) = book.search(ACME, "muller 1234")
    assert (found.contact, [reason.field for reason in found.reasons]) == (
        anna,
        ["lastName", "phones.0"],
    )
    for matches in (book.lookup(ACME, "123456"), book.lookup_email(ACME, "ANNA@example.com")):
        assert [(each.contact, len(each.reasons)) for each in matches] == [(anna, 1)]


@pytest.mark.parametrize("query", ["", "a", "x" * 257])
def test_a_query_has_the_length_that_the_pbx_may_send(book: ContactBook, query: str) -> None:
    with pytest.raises(BadInputError, match="2 to 256"):
        book.search(ACME, query)


@pytest.mark.parametrize("limit", [0, 101])
def test_a_page_has_bounds(book: ContactBook, limit: int) -> None:
    with pytest.raises(BadInputError, match="between 1 and 100"):
        book.browse(ACME, limit=limit)


def test_a_page_is_one_statement_on_the_index_by_activity(
    book: ContactBook, database: Database, store: SqlContactStore
) -> None:
    store.import_batch(ACME, [NewContact(f"Name {n}") for n in range(400)])
    first = book.browse(ACME, limit=10)
    with recorded(database) as statements:
        second = book.browse(ACME, limit=10, cursor=first.next_cursor)
    assert len(second.contacts) == 10
    assert len([each for each in statements if "SELECT" in each]) == 1


def test_a_store_that_is_not_edited_here_says_so() -> None:
    book = ContactBook(OnlyAsked(), [].append)
    assert not book.is_editable
    with pytest.raises(BadInputError, match="edited where they live"):
        book.browse(ACME)


class OnlyAsked:
    """A store without any capability."""

    def find_by_number(self, *_arguments: Any, **_options: Any) -> list[Any]:
        return []

    find_by_email = search = find_by_number

    def get(self, *_arguments: Any) -> None:
        return None

    def create(self, *_arguments: Any) -> tuple[Contact, bool]:
        return Contact("1"), True

    def health(self) -> None:
        return None


def test_the_memory_store_is_edited_like_the_default_one() -> None:
    store: ContactStore = MemoryContactStore()
    assert ContactBook(store, [].append).is_editable


def test_a_form_is_read_with_any_number_of_phones() -> None:
    texts = {"firstName": " Anna ", "lastName": "", "externalId": "7", "colour": "red"}
    phones = [
        PhoneEntry("030 123456", "phoneBusiness", "12"),
        PhoneEntry(" "),
        *(PhoneEntry(f"0171 234567{n}", "phoneMobile") for n in range(8)),
    ]
    contact = read_form(texts, phones, "DE")
    assert (contact.first_name, contact.external_id, contact.source) == ("Anna", "7", "console")
    assert contact.phones[0] == Phone("030 123456", PhoneType.BUSINESS, "12")
    assert len(contact.phones) == 9


@pytest.mark.parametrize(
    ("texts", "phones", "fields"),
    [
        ({}, [], ["firstName"]),
        ({"email": "a@b.org"}, [PhoneEntry("112")], ["firstName"]),
        ({"company": "x" * 321}, [], ["company"]),
        ({"company": "A"}, [PhoneEntry("none")], ["phones.0.number"]),
        ({"company": "A"}, [PhoneEntry("", extension="1")], ["phones.0.number"]),
        ({"company": "A"}, [PhoneEntry("1" * 129)], ["phones.0.number"]),
        ({"company": "A"}, [PhoneEntry("112"), PhoneEntry("112", "?")], ["phones.1.number"]),
        (
            {"company": "A"},
            [PhoneEntry("030 1234567"), PhoneEntry("+49 30 1234567")],
            ["phones.1.number"],
        ),
        ({"company": "A"}, [PhoneEntry("112", "pager")], ["phones.0.type"]),
        ({"company": "A"}, [PhoneEntry("112", extension="ext")], ["phones.0.extension"]),
        ({"company": "A"}, [PhoneEntry("112")] * 51, ["phones"]),
        ({}, [PhoneEntry(""), PhoneEntry("x")], ["firstName", "phones.1.number"]),
    ],
)
def test_every_field_at_fault_is_named(
    texts: dict[str, str], phones: list[PhoneEntry], fields: list[str]
) -> None:
    with pytest.raises(BadInputError) as caught:
        read_form(texts, phones, "DE")
    assert [error.field for error in caught.value.errors] == fields
