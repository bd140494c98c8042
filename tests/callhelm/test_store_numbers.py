"""A caller is found in a host's contacts, however the number is written there."""

from collections.abc import Iterator

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers import PhoneNumberFormat
from sqlalchemy import ARRAY, Text, bindparam, create_engine, func, select

from callhelm_threecx import phone
from callhelm_threecx.settings import database_url
from callhelm_threecx.stores.base import NewContact, Phone, PhoneType
from callhelm_threecx.stores.callhelm import numbers
from callhelm_threecx.testing import NUMBER_FORMS
from tests.callhelm.hosts import Host, new_host
from tests.servers import PostgresSource

AMERICAN = (
    *("(415) 555-2671", "4155552671", "+1 415 555 2671", "415.555.2671 x12", "1-415-555-2671"),
    *("tel:+1-415-555-2671;ext=12", "sip:+14155552671@10.0.0.1;user=phone", "415/555-2671"),
    *("+1 (415) 555-2671 ext. 12", "415 555 2671,,12", "(415) 555-2671 (x12)", "4155552671#12"),
    *("415\u00a0555\u20112671", "\u200e+1 415 555 2671\u200e", "011 1 415 555 2671"),
    *("+\u0661 \u0664\u0661\u0665 \u0665\u0665\u0665 \u0662\u0666\u0667\u0661", "Tel. 4155552671"),
)


@pytest.fixture(scope="module")
def host(
    host_databases: PostgresSource, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Host]:
    with new_host(host_databases, tmp_path_factory.mktemp("host")) as made:
        yield made


@pytest.mark.parametrize("searched", ["+14155552671", "4155552671", "5552671"])
@pytest.mark.parametrize("written", AMERICAN)
def test_a_number_that_people_typed_is_found(host: Host, written: str, searched: str) -> None:
    organization = host.organization("US")
    contact_id = host.contact(organization, written, last_name="Ito")
    found = host.store.find_by_number(organization, searched)
    assert [(m.contact.id, m.exact) for m in found] == [(contact_id, len(searched) > 7)]
    assert found[0].contact.phones[0].number == "+14155552671"


@pytest.mark.parametrize("written", NUMBER_FORMS)
def test_every_form_of_the_contract_is_found_as_stored_text(host: Host, written: str) -> None:
    organization = host.organization("DE")
    contact_id = host.contact(organization, written)
    found = host.store.find_by_number(organization, "+4930123456")
    assert [(match.contact.id, match.exact) for match in found] == [(contact_id, True)]


def test_letters_on_the_keypad_are_dialled(host: Host) -> None:
    organization = host.organization("US")
    contact_id = host.contact(organization, "1-800-FLOWERS")
    host.contact(organization, "030 123456 home")
    found = host.store.find_by_number(organization, "+18003569377")
    assert [(match.contact.id, match.exact) for match in found] == [(contact_id, True)]


def test_a_word_behind_a_number_does_not_hide_it(host: Host) -> None:
    organization = host.organization("DE")
    contact_id = host.contact(organization, "030 123456 (mobile)")
    assert host.store.find_by_number(organization, "030123456")[0].contact.id == contact_id


@pytest.mark.parametrize("written", ["", "unknown", "n/a", "\u2014"])
def test_a_text_without_a_number_is_nobodys(host: Host, written: str) -> None:
    organization = host.organization("US")
    host.contact(organization, written, first_name="Sam")
    for searched in ("", "0", "anonymous", "4155552671"):
        assert list(host.store.find_by_number(organization, searched)) == []
    assert host.store.search(organization, "sam")[0].phones == ()


def test_a_further_number_of_an_imported_contact_is_found(host: Host) -> None:
    organization = host.organization("DE")
    phones = (Phone("030 123456"), Phone("0171 2345678", PhoneType.MOBILE), Phone("2671"))
    contact, _ = host.store.create(organization, NewContact("Anna", phones=phones))
    for searched in ("+491712345678", "2345678", "2671"):
        assert host.store.find_by_number(organization, searched)[0].contact == contact


def test_contacts_with_one_number_come_by_their_last_change_or_call(host: Host) -> None:
    organization = host.organization("US")
    old, middle, new = (
        host.contact(organization, "4155552671", updated_at=f"2026-0{month}-01T00:00Z")
        for month in (1, 2, 3)
    )
    host.call(organization, old, "2026-02-15T00:00Z")
    found = host.store.find_by_number(organization, "4155552671")
    assert [match.contact.id for match in found] == [new, old, middle]


def test_an_owner_comes_first_among_very_many_whose_numbers_end_alike(host: Host) -> None:
    organization = host.organization("US")
    owner = host.contact(organization, "4152345678", updated_at="2020-01-01T00:00Z")
    host.own.execute(
        "INSERT INTO contacts (organization_id, phone_number)"
        " SELECT %s, (2120 + i)::text || '345678' FROM generate_series(1, 1000) i",
        (organization.id,),
    )
    assert host.store.find_by_number(organization, "+14152345678")[0].contact.id == owner


# Every spelling in which a number of each region may be stored and looked for.
def _spellings(number: phonenumbers.PhoneNumber) -> list[str]:
    formats = (
        PhoneNumberFormat.E164,
        PhoneNumberFormat.INTERNATIONAL,
        PhoneNumberFormat.NATIONAL,
        PhoneNumberFormat.RFC3966,
    )
    written = [phonenumbers.format_number(number, form) for form in formats]
    digits = written[0][1:]
    return [*written, digits, f"00{digits}", phonenumbers.national_significant_number(number)]


EXAMPLES = [
    (region, _spellings(number))
    for region in sorted(phonenumbers.SUPPORTED_REGIONS)
    for kind in phonenumbers.PhoneNumberType.values()
    if (number := phonenumbers.example_number_for_type(region, kind)) is not None
]


@pytest.fixture(scope="module")
def keys(host: Host) -> dict[str, str]:
    """The key that the server gives each spelling."""
    texts = sorted({text for _, spellings in EXAMPLES for text in spellings})
    every = func.unnest(bindparam("texts", texts, ARRAY(Text))).column_valued("text")
    engine = create_engine(database_url(host.url))
    with engine.connect() as connection:
        rows = connection.execute(select(every, numbers.number_key(every)))
        found = {text: key for text, key in rows}  # noqa: C416 - typed rows are no pairs
    engine.dispose()
    return found


@given(example=st.sampled_from(EXAMPLES), data=st.data())
def test_what_matches_has_one_of_the_keys_that_are_asked_for(
    keys: dict[str, str], example: tuple[str, list[str]], data: st.DataObject
) -> None:
    region, spellings = example
    stored = data.draw(st.sampled_from(spellings))
    kept = phone.parse(stored, region)
    assert kept is not None
    cut = [kept.digits[-length:] for length in range(6, len(kept.digits))]
    searched = data.draw(st.sampled_from([*spellings, *cut]))
    wanted = phone.candidates(searched, region)
    assert wanted is not None
    if wanted.rank(kept.digits) is not None:
        assert keys[stored] in numbers.keys_of_search(wanted, region)


def test_every_spelling_of_every_region_is_found(keys: dict[str, str]) -> None:
    for region, spellings in EXAMPLES:
        for stored in spellings:
            kept = phone.parse(stored, region)
            wanted = phone.candidates(spellings[0], region)
            assert kept is not None
            assert wanted is not None
            if wanted.rank(kept.digits) is not None:
                assert keys[stored] in numbers.keys_of_search(wanted, region), (region, stored)
