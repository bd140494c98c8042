"""What holds for every text, and for a number of every kind in every region."""

import time
from collections.abc import Iterator

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from callhelm_threecx import phone
from callhelm_threecx.phone.text import read

REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS)
SHORTEST_CUT = 6

regions = st.sampled_from([*REGIONS, "", "us", "ZZ"])
phone_like = st.text(alphabet="0123456789 +-()./xX#,;=~*%@:<>extABCsiptl\u00a0\u202a\u0664\uff10")
texts = st.one_of(st.text(), phone_like, st.text(alphabet="0123456789+ ", max_size=20))


def examples(region: str) -> Iterator[tuple[str, phonenumbers.PhoneNumber]]:
    """Give the library's example numbers of each kind that are full international numbers."""
    for kind in PhoneNumberType.values():
        number = phonenumbers.example_number_for_type(region, kind)
        if number is None:
            continue
        e164 = phonenumbers.format_number(number, PhoneNumberFormat.E164)
        kept = phone.parse(e164, region)
        if kept is not None and kept.is_e164:
            yield e164, number


def rank(searched: str, region: str, digits: str) -> tuple[int, bool]:
    """Return the rank at which a search finds the digits, and whether that is an exact match."""
    candidates = phone.candidates(searched, region)
    assert candidates is not None
    found = candidates.rank(digits)
    assert found is not None, f"{searched!r} in {region} does not find {digits}"
    return found, found < len(candidates.exact)


@pytest.mark.parametrize("region", REGIONS)
def test_a_number_is_found_by_each_of_its_renderings(region: str) -> None:
    for e164, number in examples(region):
        digits = e164[1:]
        renderings = {
            e164: {region, "US", "DE"},
            digits: {region, "US", "DE"},
            " " + digits: {region, "US", "DE"},
            "00" + digits: {region, "US", "DE"},
            phonenumbers.format_number(number, PhoneNumberFormat.RFC3966): {region, "US"},
            phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL): {region, "US"},
            phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL): {region},
        }
        for rendering, homes in renderings.items():
            for home in homes:
                assert rank(rendering, home, digits)[1], (rendering, home)


@pytest.mark.parametrize("region", REGIONS)
def test_a_number_is_found_by_its_last_digits(region: str) -> None:
    for e164, _ in examples(region):
        digits = e164[1:]
        for length in range(SHORTEST_CUT, len(digits) + 1):
            rank(digits[-length:], region, digits)


@pytest.mark.parametrize("region", REGIONS)
def test_a_written_country_makes_the_number_the_first_meaning(region: str) -> None:
    for e164, _ in examples(region):
        for text in (e164, " " + e164[1:], "00" + e164[1:]):
            assert rank(text, region, e164[1:]) == (0, True)


@pytest.mark.parametrize("region", REGIONS)
def test_a_number_typed_in_its_national_form_is_kept_as_e164(region: str) -> None:
    for e164, number in examples(region):
        national = phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL)
        kept = phone.parse(national, region)

        assert kept is not None
        assert kept.canonical == e164


@given(texts, regions)
@settings(max_examples=200)
def test_no_text_raises(text: str, region: str) -> None:
    number = phone.parse(text, region)
    candidates = phone.candidates(text, region)
    phone.mask(text)
    phone.display(text)
    phone.searched_text(text)

    assert (number is None) == (candidates is None)
    if number is not None:
        phone.display(number.canonical)
        assert phone.search_digits(number)[0] == number.digits


@given(texts, regions)
@settings(max_examples=200)
def test_a_number_is_digits_and_finds_itself(text: str, region: str) -> None:
    number = phone.parse(text, region)
    if number is None:
        return

    assert number.digits.isascii()
    assert number.digits.isdecimal()
    assert number.canonical == ("+" if number.is_e164 else "") + number.digits
    rank(text, region, number.digits)
    assert rank(number.canonical, region, number.digits)[1]


@given(texts, regions)
@settings(max_examples=200)
def test_e164_is_kept_as_it_is_in_any_region(text: str, region: str) -> None:
    number = phone.parse(text, region)
    if number is None or not number.is_e164:
        return

    for other in (region, "US", "DE", ""):
        again = phone.parse(number.canonical, other)
        assert again is not None
        assert again.canonical == number.canonical


@given(st.text(alphabet="0123456789 -/()", min_size=1), regions)
@settings(max_examples=200)
def test_digits_that_are_no_number_stay_so(text: str, region: str) -> None:
    number = phone.parse(text, region)
    if number is None or number.is_e164:
        return

    again = phone.parse(number.canonical, region)
    assert again is not None
    assert again.canonical == number.canonical


@given(texts, regions)
@settings(max_examples=200)
def test_the_readings_are_distinct_digits_and_the_suffix_is_long_enough(
    text: str, region: str
) -> None:
    candidates = phone.candidates(text, region)
    if candidates is None:
        return

    assert candidates.exact
    assert len(set(candidates.exact)) == len(candidates.exact)
    assert all(digits.isascii() and digits.isdecimal() for digits in candidates.exact)
    assert candidates.suffix == "" or len(candidates.suffix) >= SHORTEST_CUT


@given(texts, regions, st.text(alphabet="0123456789", min_size=1, max_size=20))
@settings(max_examples=200)
def test_ranks_and_index_ranges_agree(text: str, region: str, digits: str) -> None:
    candidates = phone.candidates(text, region)
    if candidates is None:
        return
    for stored in (digits, digits + candidates.suffix, *candidates.exact):
        tail = stored[::-1]
        bounds = candidates.tail_range
        by_index = tail in candidates.exact_tails or (
            bounds is not None and bounds[0] <= tail < bounds[1]
        )
        assert (candidates.rank(stored) is not None) == by_index


@given(texts)
@settings(max_examples=200)
def test_a_mask_shows_no_more_than_the_country_and_two_digits(text: str) -> None:
    masked = phone.mask(text)

    assert masked == "•••" or masked[-2:].isdecimal()
    assert len(masked) <= len("+999•••••56")


@pytest.mark.parametrize(
    "text",
    [
        "9" * 1_000_000,
        " " * 1_000_000 + "1",
        "(" * 1_000_000 + "1",
        "+" * 1_000_000 + "1",
        "1 x1" * 250_000,
        "1,;" * 300_000,
        "1" + ",;" * 127,
        "x1" + " " * 250 + "a",
        "1 (0)" * 50,
        "tel:" * 60 + "1",
        "\u0664" * 1_000_000,
    ],
    ids=lambda text: f"{text[:6]!a} x {len(text)}",
)
def test_hostile_texts_are_handled_in_no_time(text: str) -> None:
    started = time.process_time()

    phone.parse(text, "US")
    phone.candidates(text, "US")
    phone.mask(text)
    phone.searched_text(text)

    assert time.process_time() - started < 1  # seconds; a quadratic reader takes hours


@given(st.from_regex(r"\A[+(]{0,3}[0-9][0-9 ()/.\-]{0,20}\Z"))
def test_a_plain_number_is_taken_apart_like_one_in_costume(text: str) -> None:
    in_costume = text + "\N{ZERO WIDTH SPACE}"
    assert read(text) == read(in_costume)
