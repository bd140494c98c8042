"""Creating contacts, getting single ones, and keeping organizations apart."""

# ruff: noqa: S101 - a failed expectation of a test is an AssertionError

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Final

import pytest

from callhelm_threecx.stores.base import (
    ContactStore,
    InvalidContactError,
    NewContact,
    Organization,
    Phone,
    PhoneType,
)
from callhelm_threecx.testing.base import ANNA, StoreTests, found, person, texts

THREADS: Final = 8


class CreatingTests(StoreTests):
    """A contact is kept once, for its organization alone."""

    @pytest.mark.parametrize(
        "contact_id",
        [
            *("", " ", "0", "-1", "unknown", "'", "../x", "%", "\N{SNOWMAN}", "9" * 400),
            *("00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"),
        ],
    )
    def test_an_unknown_or_malformed_id_gives_nothing(
        self, store: ContactStore, organization: Organization, contact_id: str
    ) -> None:
        """Ids come back from a PBX, which may have kept them from another CRM."""
        self.add(store, organization, ANNA)
        assert store.get(organization, contact_id) is None

    def test_organizations_are_sealed_off_from_each_other(self, store: ContactStore) -> None:
        """Whatever is asked, and although both keep the same person."""
        ours, theirs = self.new_organization("DE"), self.new_organization("DE")
        anna = self.add(store, ours, ANNA)
        assert store.get(theirs, anna.id) is None
        assert list(store.find_by_number(theirs, "+4930123456")) == []
        assert list(store.find_by_number(theirs, "123456")) == []
        assert list(store.find_by_email(theirs, ANNA.email)) == []
        assert list(store.search(theirs, "anna")) == []
        their_anna, is_new = store.create(theirs, ANNA)
        assert is_new
        assert their_anna.id != anna.id
        assert found(store.find_by_number(ours, "+4930123456")) == [(anna.id, True)]
        assert found(store.find_by_number(theirs, "+4930123456")) == [(their_anna.id, True)]

    def test_a_created_contact_is_there_at_once(
        self, store: ContactStore, organization: Organization
    ) -> None:
        """And the answer is what a later question gives."""
        contact, is_new = store.create(organization, ANNA)
        assert is_new
        assert contact.id
        assert store.get(organization, contact.id) == contact

    @pytest.mark.parametrize(
        "phone", [Phone("030 123456 x12"), Phone("030 123456", extension="12")]
    )
    def test_an_extension_is_kept_beside_its_number(
        self, store: ContactStore, organization: Organization, phone: Phone
    ) -> None:
        """Whether it was written with the number or given apart."""
        contact, _ = store.create(organization, NewContact("Anna", phones=(phone,)))
        kept = store.get(organization, contact.id)
        assert kept is not None
        assert kept.phones == (Phone("+4930123456", PhoneType.BUSINESS, "12"),)

    @pytest.mark.parametrize(
        "again",
        [
            ANNA,
            NewContact("Anna", "M\u00fcller", phones=(Phone("+49 30 123456"),)),
            NewContact(" anna", "MULLER ", phones=(Phone("0049 30 123456"),), email="new@x.org"),
            NewContact("Anna", "M\u00fcller", phones=(Phone("0171 2345678"),)),
        ],
    )
    def test_the_same_number_and_name_again_is_the_same_contact(
        self, store: ContactStore, organization: Organization, again: NewContact
    ) -> None:
        """In any form, and by any of the contact's numbers; what was kept stays as it is."""
        first, _ = store.create(organization, ANNA)
        second, is_new = store.create(organization, again)
        assert (second.id, is_new) == (first.id, False)
        assert store.get(organization, first.id) == first

    @pytest.mark.parametrize(
        "other",
        [
            NewContact("Anna", "M\u00fcller", phones=(Phone("030 999999"),)),
            NewContact("Berta", "M\u00fcller", phones=ANNA.phones),
        ],
    )
    def test_another_number_or_another_name_is_another_contact(
        self, store: ContactStore, organization: Organization, other: NewContact
    ) -> None:
        """Two people may share a number, and two numbers may belong to namesakes."""
        first, _ = store.create(organization, ANNA)
        second, is_new = store.create(organization, other)
        assert is_new
        assert second.id != first.id

    @pytest.mark.parametrize(
        "named", [NewContact("Anna"), NewContact(last_name="A"), NewContact(company="Acme")]
    )
    def test_one_name_or_the_company_is_enough(
        self, store: ContactStore, organization: Organization, named: NewContact
    ) -> None:
        """A contact without a number is created once, too."""
        contact, is_new = store.create(organization, named)
        assert is_new
        assert texts(contact) == texts(named)
        assert store.create(organization, named) == (contact, False)

    @pytest.mark.parametrize(
        "unnamed", [NewContact(), NewContact(email="a@b.org", phones=(Phone("030 123456"),))]
    )
    def test_a_contact_without_a_name_and_a_company_is_refused(
        self, store: ContactStore, organization: Organization, unnamed: NewContact
    ) -> None:
        """A PBX could not show it."""
        with pytest.raises(InvalidContactError):
            store.create(organization, unnamed)
        assert found(store.find_by_number(organization, "030123456")) == []

    def test_threads_that_create_the_same_contact_at_once_get_one(
        self, store: ContactStore, organization: Organization
    ) -> None:
        """Two agents press the button at the same time; others are creating other contacts."""
        self.add(store, organization, person("Somebody", "030 777777"))
        self.add(store, organization, person("Else", "030 888888"))
        start = Barrier(THREADS)

        def create(number: int) -> list[tuple[str, bool]]:
            start.wait(30)
            people = [person(f"Person {index}", f"030 12345{index}") for index in range(5)]
            people.append(person(f"Thread {number}", f"030 66666{number}"))
            kept = [store.create(organization, person) for person in people]
            return [(contact.id, is_new) for contact, is_new in kept]

        with ThreadPoolExecutor(THREADS) as pool:
            kept = [pair for pairs in pool.map(create, range(THREADS)) for pair in pairs]
        ids = [contact_id for contact_id, _ in kept]
        new = [contact_id for contact_id, is_new in kept if is_new]
        assert len(set(ids)) == 5 + THREADS
        assert sorted(new) == sorted(set(ids))
        assert len(store.search(organization, "person", limit=100)) == 5

    def test_a_store_that_answers_is_healthy(self, store: ContactStore) -> None:
        """It raises `StoreUnavailableError` when its backend does not answer."""
        store.health()
