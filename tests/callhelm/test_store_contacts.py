"""What the store reads of a host's contacts, what it writes, and whose they are."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

from callhelm_threecx.errors import BadInputError
from callhelm_threecx.stores.base import (
    BulkContacts,
    CheckedAtStart,
    NewContact,
    Organization,
    Phone,
    PhoneType,
    TransactionalContacts,
)
from tests.callhelm.hosts import Host, new_host
from tests.servers import PostgresSource


@pytest.fixture(scope="module")
def host(
    host_databases: PostgresSource, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Host]:
    with new_host(host_databases, tmp_path_factory.mktemp("host")) as made:
        yield made


def test_it_does_what_a_store_in_the_products_database_can_do(host: Host) -> None:
    for protocol in (TransactionalContacts, BulkContacts, CheckedAtStart):
        assert isinstance(host.store, protocol)


# What an agent must know


@pytest.mark.parametrize(
    ("status", "company", "shown"),
    [
        ("active", "Acme", "Acme"),
        ("active", None, ""),
        ("do_not_call", "Acme", "DO NOT CALL \u00b7 Acme"),
        ("do_not_call", None, "DO NOT CALL"),
        ("inactive", "Acme", "Inactive \u00b7 Acme"),
    ],
)
def test_the_company_line_says_who_is_not_to_be_called(
    host: Host, status: str, company: str | None, shown: str
) -> None:
    organization = host.organization()
    number, email = "4155552671", "sam@example.com"
    contact_id = host.contact(
        organization, number, first_name="Sam", company=company, status=status, email=email
    )
    store = host.store
    found = [
        store.find_by_number(organization, number)[0].contact,
        store.find_by_email(organization, email)[0],
        store.search(organization, "sam")[0],
        store.get(organization, contact_id),
    ]
    assert [contact.company for contact in found if contact] == [shown] * 4


def test_the_mark_is_not_taken_for_the_company(host: Host) -> None:
    organization = host.organization()
    contact_id = host.contact(
        organization, "4155552671", first_name="Sam", company="Acme", status="do_not_call"
    )
    again, is_new = host.store.create(
        organization, NewContact("Sam", company="Acme", phones=(Phone("4155552671"),))
    )
    assert (again.id, is_new, again.company) == (contact_id, False, "Acme")
    assert [contact.company for contact in host.store.export(organization)] == ["Acme"]
    assert list(host.store.search(organization, "do not call")) == []


# Words


@pytest.mark.parametrize(
    "query",
    [
        *("J\u00fcrgen", "jurgen", "GRO\u00df", "gross", "strasse", "\u0130stanbul", "istanbul"),
        *("\u039f\u0394\u039f\u03a3", "\u03bf\u03b4\u03bf\u03c2", "24/7", "247", "juergen@x.org"),
        *("030123", "4930123456", "+49 30 123456", "0049301234", "30123456", "930123", "23456"),
        *("jurgen 030", "\u0660\u0663\u0660\u0661\u0662\u0663", "\u304b\u3099"),
    ],
)
def test_words_are_found_without_accents_and_numbers_in_any_notation(
    host: Host, query: str
) -> None:
    organization = host.organization("DE")
    host.contact(organization, "030 999999", first_name="Somebody", last_name="Else")
    contact_id = host.contact(
        organization,
        "030 / 12 34 56",
        first_name="J\u00fcrgen",
        last_name="Gro\u00df",
        company="Stra\u00dfe 24/7 \u0130stanbul \u039f\u03b4\u03cc\u03c2 \u304c",
        email="juergen@x.org",
    )
    assert [contact.id for contact in host.store.search(organization, query)] == [contact_id]


@pytest.mark.parametrize(
    "stored", ["+49 30 123456", "0049 30 123456", "030 123456", "030/12-34-56"]
)
@pytest.mark.parametrize("query", ["030123456", "+4930123456", "0301", "4930", "493012", "30 1234"])
def test_digits_are_found_whichever_way_the_number_is_written(
    host: Host, stored: str, query: str
) -> None:
    organization = host.organization("DE")
    contact_id = host.contact(organization, stored)
    assert [contact.id for contact in host.store.search(organization, query)] == [contact_id]


def test_names_come_before_companies_then_the_latest(host: Host) -> None:
    organization = host.organization()
    names = [("Maple", None), ("Anna", "Maple Ltd"), ("Ben", "Maple Ltd"), ("Maplewood", None)]
    ids = {
        name: host.contact(
            organization, "", first_name=name, company=company, updated_at=f"2026-01-0{day}T00:00Z"
        )
        for day, (name, company) in enumerate(names, 1)
    }
    found = [contact.id for contact in host.store.search(organization, "maple")]
    assert found == [ids[name] for name in ("Maplewood", "Maple", "Ben", "Anna")]


# Keeping


def test_a_created_contact_is_a_row_as_the_host_would_write_it(host: Host) -> None:
    organization = host.organization("DE")
    new = NewContact("Anna", "", "Acme", phones=(Phone("030 123456 x12"),), source="3cx")
    contact, _ = host.store.create(organization, new)
    row = host.row(contact.id)
    assert row["phone_number"] == "+4930123456 x12"
    assert (row["first_name"], row["last_name"], row["email"]) == ("Anna", None, None)
    assert (row["full_name"], row["status"], row["created_by"]) == ("Anna", "active", None)
    assert row["metadata"] == {"threecx": {"source": "3cx"}}


def test_what_the_host_has_no_room_for_is_kept_in_the_metadata(host: Host) -> None:
    organization = host.organization("DE")
    name = "Ann\u00e4 " + "x" * 150
    phones = (Phone("0171 2345678", PhoneType.MOBILE), Phone("030 123456 x7"))
    new = NewContact(name, "Ito", "Acme", phones=phones, external_id="A-1")
    contact, _ = host.store.create(organization, new)
    assert contact.first_name == name
    assert contact.external_id == "A-1"
    assert [(item.type, item.extension) for item in contact.phones] == [
        (PhoneType.MOBILE, ""),
        (PhoneType.BUSINESS, "7"),
    ]
    assert host.row(contact.id)["first_name"] == name[:100]
    assert host.store.search(organization, "x" * 120) == [contact]
    assert host.store.search(organization, "030123456") == [contact]


def test_what_the_host_edits_counts(host: Host) -> None:
    organization = host.organization("DE")
    new = NewContact("x" * 150, phones=(Phone("0171 2345678", PhoneType.MOBILE),))
    contact, _ = host.store.create(organization, new)
    host.own.execute(
        "UPDATE contacts SET first_name = 'Anna', phone_number = '030 123456' WHERE id = %s",
        (contact.id,),
    )
    edited = host.store.get(organization, contact.id)
    assert edited is not None
    assert edited.first_name == "Anna"
    assert [item.number for item in edited.phones] == ["+4930123456"]
    assert list(host.store.find_by_number(organization, "01712345678")) == []


@pytest.mark.parametrize(
    "metadata",
    ['{"threecx": 1}', '{"threecx": []}', '{"threecx": {"phones": [1, {"number": 2}], "type": 3}}'],
)
def test_foreign_metadata_do_no_harm(host: Host, metadata: str) -> None:
    organization = host.organization()
    contact_id = host.contact(organization, "4155552671", first_name="Sam", metadata=metadata)
    assert host.store.find_by_number(organization, "4155552671")[0].contact.id == contact_id
    assert [contact.id for contact in host.store.search(organization, "sam")] == [contact_id]


def test_a_contact_of_the_host_is_not_created_again(host: Host) -> None:
    organization = host.organization("US")
    contact_id = host.contact(organization, "(415) 555-2671", first_name="Sam", last_name="Ito")
    new = NewContact(" SAM", "\u00cdto", phones=(Phone("+1 415 555 2671"),), email="new@x.org")
    contact, is_new = host.store.create(organization, new)
    assert (contact.id, is_new) == (contact_id, False)
    assert host.row(contact_id)["email"] is None


def test_an_import_adds_who_is_missing_and_changes_nobody(host: Host) -> None:
    organization = host.organization("US")
    contact_id = host.contact(organization, "415-555-2671", first_name="Sam", company="Old")
    batch = [
        NewContact("Sam", company="New", phones=(Phone("4155552671"),)),
        NewContact("Ann", phones=(Phone("4155550001"),), external_id="1"),
        NewContact("Ann", phones=(Phone("4155550001"),), external_id="2"),
        NewContact(email="nobody@example.com"),
        NewContact(company="Acme"),
        NewContact(company="ACME"),
    ]
    report = host.store.import_batch(organization, batch)
    assert (report.created, report.unchanged, report.updated) == (3, 2, 0)
    assert [index for index, _ in report.refused] == [3]
    again = host.store.import_batch(organization, batch)
    assert (again.created, again.unchanged) == (0, 5)
    assert host.row(contact_id)["company"] == "Old"
    assert len(list(host.store.export(organization))) == 4


def test_imports_and_creations_at_once_keep_everybody_once(host: Host) -> None:
    organization = host.organization("DE")
    people = [NewContact(f"P{i}", phones=(Phone(f"030 12345{i}"),)) for i in range(10)]
    start = Barrier(4)

    def keep(number: int) -> None:
        start.wait(30)
        if number % 2:
            host.store.import_batch(organization, people)
        else:
            for person in people:
                host.store.create(organization, person)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(keep, range(4)))
    assert sorted(c.first_name for c in host.store.export(organization)) == [
        f"P{i}" for i in range(10)
    ]


def test_every_page_of_an_export_comes_once(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("callhelm_threecx.stores.callhelm.store.EXPORT_PAGE", 2)
    organization = host.organization()
    ids = {host.contact(organization, f"415555267{i}") for i in range(5)}
    exported = [contact.id for contact in host.store.export(organization)]
    assert len(exported) == 5
    assert set(exported) == ids


# Two tenants' worth of care

Ask = Callable[[Host, Organization, str], Any]
WAYS: dict[str, Ask] = {
    "number": lambda host, who, _: list(host.store.find_by_number(who, "4155552671")),
    "last digits": lambda host, who, _: list(host.store.find_by_number(who, "5552671")),
    "further number": lambda host, who, _: list(host.store.find_by_number(who, "4155550002")),
    "letters": lambda host, who, _: list(host.store.find_by_number(who, "18003569377")),
    "e-mail": lambda host, who, _: list(host.store.find_by_email(who, "sam@example.com")),
    "name": lambda host, who, _: list(host.store.search(who, "Sam")),
    "word": lambda host, who, _: list(host.store.search(who, "acme")),
    "digits": lambda host, who, _: list(host.store.search(who, "555")),
    "id": lambda host, who, contact_id: host.store.get(who, contact_id),
    "export": lambda host, who, _: list(host.store.export(who)),
    "members": lambda host, who, _: list(host.store.members(who)),
}
NOBODYS = ("acme", "", "%", "0" * 32, "ffffffff-ffff-ffff-ffff-ffffffffffff", "'; --")


@pytest.fixture(scope="module")
def contact_of_ours(host: Host) -> tuple[Organization, str]:
    ours = host.organization("US")
    phones = tuple(Phone(number) for number in ("4155552671", "4155550002"))
    new = NewContact("Sam", company="Acme", email="sam@example.com", phones=phones)
    host.contact(ours, "1-800-FLOWERS")
    return ours, host.store.create(ours, new)[0].id


@pytest.mark.parametrize("way", WAYS)
def test_another_organization_finds_nothing_of_ours(
    host: Host, contact_of_ours: tuple[Organization, str], way: str
) -> None:
    ours, contact_id = contact_of_ours
    if way != "members":
        assert WAYS[way](host, ours, contact_id)
    assert not WAYS[way](host, host.organization("US"), contact_id)


@pytest.mark.parametrize("organization_id", NOBODYS)
@pytest.mark.parametrize("way", WAYS)
def test_an_id_that_is_no_organization_of_the_host_finds_nothing(
    host: Host, contact_of_ours: tuple[Organization, str], way: str, organization_id: str
) -> None:
    nobody = Organization(organization_id, "US")
    assert not WAYS[way](host, nobody, contact_of_ours[1])


@pytest.mark.parametrize("organization_id", NOBODYS)
def test_nothing_is_kept_for_an_organization_that_the_host_has_not(
    host: Host, organization_id: str
) -> None:
    nobody = Organization(organization_id, "US")
    with pytest.raises(BadInputError):
        host.store.create(nobody, NewContact("Sam"))
    with pytest.raises(BadInputError):
        host.store.import_batch(nobody, [NewContact("Sam")])
