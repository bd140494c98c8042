"""Finding contacts by e-mail address and by words, and withstanding hostile texts."""

# ruff: noqa: S101 - a failed expectation of a test is an AssertionError

from typing import Final

import pytest

from callhelm_threecx.stores.base import (
    ContactStore,
    NewContact,
    Organization,
)
from callhelm_threecx.testing.base import ANNA, StoreTests, person

HOSTILE_TEXTS: Final = (
    "'",
    '"',
    "';--",
    "' OR '1'='1",
    "\\",
    "\\' OR 1=1 --",
    "%",
    "_",
    "%%__%%",
    "*",
    "()[]{}",
    "(&(objectClass=*))",
    "{{7*7}}",
    "${jndi:ldap://x}",
    "<script>alert(1)</script>",
    "../../etc/passwd",
    "line\r\nbreak\ttab",
    "\u202eright to left",
    "\u0130stanbul stra\u00dfe \ufb03",
    "\N{PILE OF POO}",
    "e\u0301" * 100,
    "x" * 10_000,
    "9" * 10_000,
)
"""Texts that must be looked for as they are and do no harm. NUL and lone surrogates never reach a
store: the product takes them out."""


class SearchingTests(StoreTests):
    """A contact is found by what a person remembers of it."""

    @pytest.mark.parametrize(
        "address", [ANNA.email, "anna.mueller@example.com", "ANNA.MUELLER@EXAMPLE.COM"]
    )
    def test_an_address_finds_its_owner_whatever_its_case(
        self, store: ContactStore, organization: Organization, address: str
    ) -> None:
        """Mail servers ignore the case, and so do people."""
        anna = self.add(store, organization, ANNA)
        assert [c.id for c in store.find_by_email(organization, address)] == [anna.id]

    @pytest.mark.parametrize(
        "address", ["", " ", "example.com", "anna", "anna_mueller@example.com", "%@example.com"]
    )
    def test_only_the_whole_address_finds_its_owner(
        self, store: ContactStore, organization: Organization, address: str
    ) -> None:
        """No part, no pattern, and nobody for a blank one."""
        self.add(store, organization, ANNA)
        self.add(store, organization, person("Nobody"))
        assert list(store.find_by_email(organization, address)) == []

    @pytest.mark.parametrize(
        "query",
        [
            *("Anna", "anna", "ANNA", "ann", "nna", "M\u00fcller", "Muller", "muller anna"),
            *("anna.mueller@example.com", "@example.com", "Kr\u00f6ger", "KROGER", "kroger anna"),
            *("& S\u00f6hne", "100%_gmbh", "0%_g", "  anna   muller  "),
            *("030123456", "+4930123456", "030/12 34-56", "(030) 123456", "30123456", "1234"),
            *("0171 2345678", "+49 171 2345678", "0049 171 2345678", "anna 2345678"),
            *("anna 030/123456", "+49 (30) 12 34 56 anna", "muller 0049 30", "+49 (0)30 123456"),
        ],
    )
    def test_a_search_finds_who_has_every_word(
        self, store: ContactStore, organization: Organization, query: str
    ) -> None:
        """In a name, the company, the address or the digits of a number, in any order; case,
        accents and the punctuation of numbers do not matter."""
        anna = self.add(store, organization, ANNA)
        assert [c.id for c in store.search(organization, query)] == [anna.id]

    @pytest.mark.parametrize(
        "query",
        [
            *("anna schmidt", "annamuller", "a%a", "an_a", "m_ller", "%", "\\", "anna \\"),
            *("99999", "030123457", "anna 99999", "", " ", "anna' --"),
        ],
    )
    def test_a_search_does_not_find_who_lacks_a_word(
        self, store: ContactStore, organization: Organization, query: str
    ) -> None:
        """Every character means itself; there are no wildcards."""
        self.add(store, organization, person("Anna", "030 123456"))
        assert list(store.search(organization, query)) == []

    @pytest.mark.parametrize("mark", ["%", "_", "\\", "'", '"', "100%", "a_b", "c:\\d", "/", "//"])
    def test_a_search_for_a_sign_finds_who_has_that_sign(
        self, store: ContactStore, organization: Organization, mark: str
    ) -> None:
        """Signs that are wildcards, quotes or escapes elsewhere are letters here."""
        self.add(store, organization, person("Plain"))
        contact = self.add(store, organization, NewContact(last_name=f"x{mark}y"))
        found = store.search(organization, f"x{mark}y")
        assert [one.id for one in found] == [contact.id]

    @pytest.mark.parametrize("query", ["24/7", "24/7 pizza", "1&1", "3000"])
    def test_a_name_of_digits_and_signs_is_found(
        self, store: ContactStore, organization: Organization, query: str
    ) -> None:
        """Although the query looks like a number."""
        company = "1&1 24/7 Pizza 3000"
        contact = self.add(store, organization, NewContact(company=company))
        assert [one.id for one in store.search(organization, query)] == [contact.id]

    @pytest.mark.parametrize("text", HOSTILE_TEXTS)
    def test_hostile_texts_do_no_harm(
        self, store: ContactStore, organization: Organization, text: str
    ) -> None:
        """They are kept as they are, found again, and find nobody else."""
        anna = self.add(store, organization, ANNA)
        for ask in (store.find_by_number, store.find_by_email, store.search, store.get):
            ask(organization, text)
        contact = self.add(store, organization, NewContact(text[:200].strip(), company="Hostile"))
        kept = store.get(organization, contact.id)
        assert kept is not None
        assert kept.first_name == text[:200].strip()
        assert store.get(organization, anna.id) is not None
        assert [c.id for c in store.search(organization, "hostile")] == [contact.id]
