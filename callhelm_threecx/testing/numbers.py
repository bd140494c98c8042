"""Finding contacts by number."""

# ruff: noqa: S101 - a failed expectation of a test is an AssertionError

from collections.abc import Callable, Sequence
from typing import Final

import pytest

from callhelm_threecx.stores.base import (
    Contact,
    ContactStore,
    Organization,
    Phone,
    PhoneType,
)
from callhelm_threecx.testing.base import ANNA, StoreTests, found, person, texts

NUMBER_FORMS: Final = (
    "+4930123456",
    "+49 30 123456",
    "+49 (0)30 123456",
    "+49 (30) 1234-56",
    " 4930123456",
    "4930123456",
    "49 30 123456",
    "004930123456",
    "0049 30 123456",
    "030123456",
    "030/123456",
    "(030) 123 456",
    "30123456",
    "030 123456 x12",
    "+4930123456;ext=12",
    "tel:+49-30-123456",
    "+\uff14\uff19\uff13\uff10\uff11\uff12\uff13\uff14\uff15\uff16",
)
"""Ways in which a PBX, a person or an address book writes one German number in full; the leading
space is the plus that a URL lost, the last one is in full-width digits."""


class NumberTests(StoreTests):
    """A caller is found by their number."""

    def test_it_is_a_contact_store(self, store: ContactStore) -> None:
        """Every method of the protocol is there."""
        assert isinstance(store, ContactStore)

    @pytest.mark.parametrize("text", NUMBER_FORMS)
    def test_every_form_of_a_number_finds_its_owner(
        self, store: ContactStore, organization: Organization, text: str
    ) -> None:
        """Also forms with an extension, and with the plus that a URL turned into a space."""
        anna = self.add(store, organization, ANNA)
        assert found(store.find_by_number(organization, text)) == [(anna.id, True)]

    @pytest.mark.parametrize("stored", ["+1 415 555 2671", "(415) 555-2671", "1-415-555-2671"])
    @pytest.mark.parametrize("text", ["+14155552671", "4155552671", "14155552671", "415.555.2671"])
    def test_national_forms_are_those_of_the_organizations_region(
        self, store: ContactStore, stored: str, text: str
    ) -> None:
        """Both when a number is kept and when it is looked for."""
        organization = self.new_organization("US")
        contact = self.add(store, organization, person("Sam", stored))
        assert found(store.find_by_number(organization, text)) == [(contact.id, True)]

    @pytest.mark.parametrize("text", ["0123456", "123456", "12-34-56"])
    def test_the_last_digits_find_their_owner_inexactly(
        self, store: ContactStore, organization: Organization, text: str
    ) -> None:
        """A PBX may be set to send only the last N digits; six or more are enough."""
        anna = self.add(store, organization, ANNA)
        assert found(store.find_by_number(organization, text)) == [(anna.id, False)]

    @pytest.mark.parametrize("text", ["23456", "3456", "6", "+4989123456", "+4930123457", "930123"])
    def test_another_number_finds_nobody(
        self, store: ContactStore, organization: Organization, text: str
    ) -> None:
        """Fewer than six last digits, another area, another end, a middle part."""
        self.add(store, organization, ANNA)
        assert found(store.find_by_number(organization, text)) == []

    @pytest.mark.parametrize("text", ["", " ", "anonymous", "unknown caller", "+", "%", "_"])
    def test_text_without_a_digit_finds_nobody(
        self, store: ContactStore, organization: Organization, text: str
    ) -> None:
        """A withheld number is no number, also not for a contact that has none."""
        self.add(store, organization, ANNA)
        self.add(store, organization, person("Nobody"))
        assert found(store.find_by_number(organization, text)) == []

    def test_a_number_that_no_plan_knows_finds_itself(
        self, store: ContactStore, organization: Organization
    ) -> None:
        """Internal extensions and short codes are kept as their digits and match exactly."""
        contact = self.add(store, organization, person("Reception", "2671"))
        assert found(store.find_by_number(organization, "2671")) == [(contact.id, True)]
        assert found(store.find_by_number(organization, "671")) == []

    def test_an_exact_match_comes_before_a_more_recent_suffix_match(
        self, store: ContactStore, organization: Organization
    ) -> None:
        """A contact that is that number before one whose longer number ends in it."""
        exact = self.add(store, organization, person("Exact", "123456"))
        longer = self.add(store, organization, person("Longer", "+49 30 123456"))
        self.touch(store, organization, longer)
        matches = store.find_by_number(organization, "123456")
        assert found(matches) == [(exact.id, True), (longer.id, False)]

    def test_two_owners_of_a_number_both_come_the_most_recently_active_first(
        self, store: ContactStore, organization: Organization
    ) -> None:
        """A family or an office shares its number."""
        ids = self.add_in_turn(store, organization, ["Old", "Middle", "New"])
        found = store.find_by_number(organization, "+4930123456")
        assert [match.contact.id for match in found] == ids[::-1]

    def test_no_more_contacts_come_than_the_limit(
        self, store: ContactStore, organization: Organization
    ) -> None:
        """The limit counts contacts, not numbers, and keeps the first ones."""
        ids = self.add_in_turn(store, organization, ["One", "Two", "Three"])
        newest_first = ids[::-1]
        for limit in (1, 2, 3, 10):
            matches = store.find_by_number(organization, "030123456", limit=limit)
            assert [match.contact.id for match in matches] == newest_first[:limit]
            found = store.find_by_email(organization, "office@example.com", limit=limit)
            assert [contact.id for contact in found] == newest_first[:limit]
            found = store.search(organization, "office", limit=limit)
            assert [contact.id for contact in found] == newest_first[:limit]

    def test_a_contact_with_two_matching_numbers_comes_once(
        self, store: ContactStore, organization: Organization
    ) -> None:
        """And its best match counts."""
        contact = self.add(store, organization, person("Twice", "89123456", "+49 30 89123456"))
        assert found(store.find_by_number(organization, "89123456")) == [(contact.id, True)]

    def test_a_found_contact_carries_everything_that_was_kept(
        self, store: ContactStore, organization: Organization
    ) -> None:
        """All numbers, also those not asked for, in E.164 and with their types; texts as typed."""
        added = self.add(store, organization, ANNA)
        ways: Sequence[Callable[[], Contact | None]] = (
            lambda: store.find_by_number(organization, "030123456")[0].contact,
            lambda: store.find_by_email(organization, ANNA.email)[0],
            lambda: store.search(organization, "anna")[0],
            lambda: store.get(organization, added.id),
        )
        for way in ways:
            contact = way()
            assert contact is not None
            assert contact.id == added.id
            assert texts(contact) == texts(ANNA)
            assert sorted(contact.phones, key=lambda phone: phone.number) == [
                Phone("+491712345678", PhoneType.MOBILE),
                Phone("+4930123456", PhoneType.BUSINESS),
            ]
