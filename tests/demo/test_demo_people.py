"""The invented contacts."""

from collections import Counter

import phonenumbers

from callhelm_threecx.demo.people import COUNTRIES, contacts
from callhelm_threecx.stores.base import PhoneType

# Kept for films and examples by their regulators, and not valid for that very reason.
RESERVED = ("+447700900", "+3532091", "+3363998")

PEOPLE = list(contacts())
NUMBERS = Counter(phone.number for person in PEOPLE for phone in person.phones)


def test_they_are_some_two_hundred_from_a_dozen_countries_and_more() -> None:
    assert 190 <= len(PEOPLE) <= 220
    assert len({country.region for country in COUNTRIES}) >= 12


def test_they_are_the_same_at_each_run() -> None:
    assert list(contacts()) == PEOPLE


def test_nobody_is_there_twice() -> None:
    assert len({person.external_id for person in PEOPLE}) == len(PEOPLE)
    assert len({(person.first_name, person.last_name) for person in PEOPLE}) == len(PEOPLE)


def test_every_number_is_valid_in_its_country_or_reserved_there() -> None:
    for country in COUNTRIES:
        people = [p for p in PEOPLE if p.external_id.startswith(country.region)]
        for number in (phone.number for person in people for phone in person.phones):
            parsed = phonenumbers.parse(number)
            assert phonenumbers.is_possible_number(parsed), number
            if not number.startswith(RESERVED):
                assert phonenumbers.is_valid_number(parsed), number
                assert phonenumbers.region_code_for_number(parsed) == country.region


def test_every_kind_of_number_is_there() -> None:
    kinds = {phone.type for person in PEOPLE for phone in person.phones}
    assert kinds == set(PhoneType)
    assert {len(person.phones) for person in PEOPLE} == {1, 2, 3}


def test_colleagues_share_numbers() -> None:
    assert sum(owners > 1 for owners in NUMBERS.values()) >= len(COUNTRIES)


def test_the_last_six_digits_of_the_one_who_rings_are_hers_alone() -> None:
    number = PEOPLE[0].phones[0].number
    assert [other for other in NUMBERS if other.endswith(number[-6:])] == [number]


def test_addresses_belong_to_nobody() -> None:
    for person in PEOPLE:
        assert person.email.isascii()
        assert person.email.endswith(".example")
        assert " " not in person.email
