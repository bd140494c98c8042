"""The contract of `EditableContacts` as tests: a capability that a store may have besides."""

# ruff: noqa: S101 - a failed expectation of a test is an AssertionError

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier
from typing import Any, Final

import pytest

from callhelm_threecx.errors import BadInputError, NotFoundError
from callhelm_threecx.stores.base import (
    Contact,
    InvalidContactError,
    NewContact,
    Organization,
    Phone,
    PhoneType,
)
from callhelm_threecx.stores.editing import (
    ContactChangedError,
    DuplicateContactError,
    EditableContacts,
    edition_of,
)
from callhelm_threecx.testing.base import ANNA, StoreTests, found, person

EDITORS: Final = 6
CHANGED: Final = NewContact(
    first_name="Annette",
    last_name="M\u00fcller-L\u00fcdenscheidt",
    company="Kr\u00f6ger AG",
    email="annette@example.org",
    phones=(
        Phone("030 999999", PhoneType.OTHER, "7"),
        Phone("+44 20 7946 0000", PhoneType.FAX),
        Phone("0171 2345678", PhoneType.MOBILE2),
    ),
    external_id="crm-1",
)


class EditingTests(StoreTests):
    """People look through the contacts, change them, delete them, and change their minds."""

    def test_it_is_an_editable_store(self, store: Any) -> None:
        """Every method of the protocol is there."""
        assert isinstance(store, EditableContacts)

    @pytest.mark.parametrize(("count", "limit"), [(0, 3), (2, 3), (3, 3), (4, 3), (7, 3)])
    def test_pages_show_every_contact_once_the_most_recently_active_first(
        self, store: Any, organization: Organization, count: int, limit: int
    ) -> None:
        """The last page has no cursor."""
        ids = self.add_in_turn(store, organization, [f"Name {n}" for n in range(count)])
        self.add(store, self.new_organization("DE"), ANNA)
        pages = pages_of(store, organization, limit)
        assert [contact.id for page in pages for contact in page] == list(reversed(ids))
        assert [len(page) for page in pages[:-1]] == [limit] * (len(pages) - 1)

    def test_a_page_goes_on_where_the_last_one_ended(
        self, store: Any, organization: Organization
    ) -> None:
        """Although a contact has been added on top meanwhile."""
        ids = self.add_in_turn(store, organization, ["One", "Two", "Three"])
        first = store.browse(organization, limit=2)
        self.add(store, organization, person("Newcomer", "030 777777"))
        second = store.browse(organization, limit=2, cursor=first.next_cursor)
        assert [contact.id for contact in second.contacts] == ids[:1]

    @pytest.mark.parametrize("cursor", ["x", "????", "AAAA", "\N{SNOWMAN}", "9" * 500])
    def test_a_cursor_of_nobody_is_refused(
        self, store: Any, organization: Organization, cursor: str
    ) -> None:
        """It is the caller's fault, not the store's."""
        with pytest.raises(BadInputError):
            store.browse(organization, cursor=cursor)

    def test_a_change_replaces_all_fields_and_phones(
        self, store: Any, organization: Organization
    ) -> None:
        """The id stays, and how recently the contact was active."""
        anna = self.add(store, organization, ANNA)
        changed = store.update(organization, anna.id, CHANGED)
        assert changed == Contact(
            id=anna.id,
            first_name=CHANGED.first_name,
            last_name=CHANGED.last_name,
            company=CHANGED.company,
            email=CHANGED.email,
            phones=(
                Phone("+4930999999", PhoneType.OTHER, "7"),
                Phone("+442079460000", PhoneType.FAX),
                Phone("+491712345678", PhoneType.MOBILE2),
            ),
            external_id="crm-1",
            last_active_at=anna.last_active_at,
            entity_type=anna.entity_type,
        )
        assert store.get(organization, anna.id) == changed

    def test_a_changed_contact_is_found_by_what_it_is_now(
        self, store: Any, organization: Organization
    ) -> None:
        """And no longer by what it was."""
        anna = self.add(store, organization, ANNA)
        store.update(organization, anna.id, CHANGED)
        assert found(store.find_by_number(organization, "+4930999999")) == [(anna.id, True)]
        assert found(store.find_by_number(organization, "+4930123456")) == []
        assert [c.id for c in store.find_by_email(organization, CHANGED.email)] == [anna.id]
        assert list(store.find_by_email(organization, ANNA.email)) == []
        assert [c.id for c in store.search(organization, "annette")] == [anna.id]
        assert list(store.search(organization, "sohne")) == []

    def test_a_change_to_what_is_there_changes_nothing(
        self, store: Any, organization: Organization
    ) -> None:
        """Numbers in another notation are the same numbers."""
        anna = self.add(store, organization, ANNA)
        phones = (Phone("+49 30 123456"), Phone("0171/2345678", PhoneType.MOBILE))
        assert store.update(organization, anna.id, replace(ANNA, phones=phones)) == anna

    @pytest.mark.parametrize("act", ["update", "delete"])
    def test_somebody_elses_change_is_not_overwritten(
        self, store: Any, organization: Organization, act: str
    ) -> None:
        """Whoever saw an older edition is shown the contact as it is now."""
        anna = self.add(store, organization, ANNA)
        current = store.update(organization, anna.id, CHANGED, edition=edition_of(anna))
        arguments = (ANNA,) if act == "update" else ()
        with pytest.raises(ContactChangedError) as caught:
            getattr(store, act)(organization, anna.id, *arguments, edition=edition_of(anna))
        assert caught.value.current == current
        assert store.get(organization, anna.id) == current

    def test_of_editors_at_the_same_time_one_succeeds(
        self, store: Any, organization: Organization
    ) -> None:
        """All of them saw the same edition."""
        anna = self.add(store, organization, ANNA)
        start = Barrier(EDITORS)

        def edit(number: int) -> bool:
            start.wait(30)
            change = replace(ANNA, company=f"Company {number}")
            try:
                store.update(organization, anna.id, change, edition=edition_of(anna))
            except ContactChangedError:
                return False
            return True

        with ThreadPoolExecutor(EDITORS) as pool:
            assert sum(pool.map(edit, range(EDITORS))) == 1

    @pytest.mark.parametrize("contact_id", ["", "unknown", "00000000-0000-0000-0000-000000000000"])
    @pytest.mark.parametrize("act", ["update", "delete"])
    def test_who_is_not_there_cannot_be_edited(
        self, store: Any, organization: Organization, act: str, contact_id: str
    ) -> None:
        """Also when the id cannot be one of this store's."""
        arguments = (ANNA,) if act == "update" else ()
        with pytest.raises(NotFoundError):
            getattr(store, act)(organization, contact_id, *arguments)

    @pytest.mark.parametrize("act", ["update", "delete"])
    def test_another_organizations_contact_cannot_be_edited(
        self, store: Any, organization: Organization, act: str
    ) -> None:
        """It is as if it were not there."""
        theirs = self.new_organization("DE")
        anna = self.add(store, theirs, ANNA)
        arguments = (CHANGED,) if act == "update" else ()
        with pytest.raises(NotFoundError):
            getattr(store, act)(organization, anna.id, *arguments)
        assert store.get(theirs, anna.id) == anna

    def test_a_contact_keeps_a_name(self, store: Any, organization: Organization) -> None:
        """Or at least a company: a PBX could not show it otherwise."""
        anna = self.add(store, organization, ANNA)
        with pytest.raises(InvalidContactError):
            store.update(organization, anna.id, NewContact(email="a@b.org"))
        assert store.get(organization, anna.id) == anna

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            (NewContact("Otto", phones=(Phone("112"), Phone("030/55 55 55"))), "phones.1"),
            (NewContact("OTTO", phones=(Phone("0171 5555555"),)), "phones.0"),
            (NewContact("Eva", email="EVA@example.com"), "email"),
            (NewContact("Nobody"), "firstName"),
            (NewContact(last_name="Nobody"), "lastName"),
        ],
    )
    def test_a_change_into_another_contact_is_refused(
        self, store: Any, organization: Organization, change: NewContact, field: str
    ) -> None:
        """The error names the field in which they meet, and whom it is about."""
        numbers = (Phone("030 555555"), Phone("0171 5555555"))
        others = [
            self.add(store, organization, NewContact("Otto", phones=numbers)).id,
            self.add(store, organization, NewContact("Eva", email="eva@example.com")).id,
            self.add(store, organization, NewContact("Nobody")).id,
        ]
        anna = self.add(store, organization, ANNA)
        with pytest.raises(DuplicateContactError) as caught:
            store.update(organization, anna.id, change)
        assert [error.field for error in caught.value.errors] == [field]
        assert caught.value.other_id in others
        assert store.get(organization, anna.id) == anna

    def test_an_external_id_belongs_to_one_contact(
        self, store: Any, organization: Organization
    ) -> None:
        """And to another one as soon as it is given up."""
        otto = self.add(store, organization, person("Otto", "030 555555"))
        anna = self.add(store, organization, ANNA)
        store.update(organization, otto.id, replace(person("Otto"), external_id="1"))
        with pytest.raises(DuplicateContactError) as caught:
            store.update(organization, anna.id, replace(ANNA, external_id="1"))
        assert [error.field for error in caught.value.errors] == ["externalId"]
        store.update(organization, otto.id, person("Otto"))
        assert store.update(organization, anna.id, replace(ANNA, external_id="1")).external_id

    def test_people_may_share_a_number_and_namesakes_may_differ_in_it(
        self, store: Any, organization: Organization
    ) -> None:
        """Only the same number and the same name are the same contact."""
        self.add(store, organization, person("Otto", "030 555555"))
        anna = self.add(store, organization, ANNA)
        shared = store.update(organization, anna.id, person("Anna", "030 555555"))
        assert shared.last_name == "Anna"
        namesake = store.update(organization, anna.id, person("Otto", "030 666666"))
        assert namesake.last_name == "Otto"

    def test_a_deleted_contact_is_gone(self, store: Any, organization: Organization) -> None:
        """Whatever is asked; the same can be created anew."""
        anna = self.add(store, organization, ANNA)
        deleted = store.delete(organization, anna.id, edition=edition_of(anna))
        assert deleted.contact == anna
        assert store.get(organization, anna.id) is None
        assert found(store.find_by_number(organization, "+4930123456")) == []
        assert list(store.find_by_email(organization, ANNA.email)) == []
        assert list(store.search(organization, "anna")) == []
        assert list(store.browse(organization).contacts) == []
        again, is_new = store.create(organization, ANNA)
        assert is_new
        assert again.id != anna.id

    def test_a_deleted_contact_comes_back_as_it_was(
        self, store: Any, organization: Organization
    ) -> None:
        """With its id, its activity and all that it is found by; twice changes nothing."""
        phones = (Phone("030 123456 x12"), Phone("2671", PhoneType.HOME))
        anna = self.add(store, organization, replace(ANNA, phones=phones))
        deleted = store.delete(organization, anna.id)
        for _ in range(2):
            assert store.restore(organization, deleted) == anna
        assert store.get(organization, anna.id) == anna
        assert found(store.find_by_number(organization, "030123456")) == [(anna.id, True)]
        assert found(store.find_by_number(organization, "2671")) == [(anna.id, True)]
        assert [c.id for c in store.search(organization, "anna 123456")] == [anna.id]
        assert store.create(organization, ANNA) == (anna, False)

    def test_a_contact_whose_place_was_taken_does_not_come_back(
        self, store: Any, organization: Organization
    ) -> None:
        """A call may have created it anew meanwhile."""
        anna = self.add(store, organization, ANNA)
        deleted = store.delete(organization, anna.id)
        successor, _ = store.create(organization, ANNA)
        with pytest.raises(DuplicateContactError) as caught:
            store.restore(organization, deleted)
        assert caught.value.other_id == successor.id
        assert [error.field for error in caught.value.errors] == ["phones.0"]


def pages_of(store: Any, organization: Organization, limit: int) -> list[Sequence[Contact]]:
    """Every page of a store's contacts."""
    page = store.browse(organization, limit=limit)
    pages = [page.contacts]
    while page.next_cursor:
        page = store.browse(organization, limit=limit, cursor=page.next_cursor)
        pages.append(page.contacts)
    return pages
