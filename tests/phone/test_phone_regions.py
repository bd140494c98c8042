"""Our reading of digits is the library's: of every region, on its examples and what is left of them
when digits are changed, added and lost."""

import random
from collections.abc import Iterator

import phonenumbers
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from callhelm_threecx.phone import regions

REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS)
CODES = sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE)
DIGITS = st.text("0123456789", min_size=1, max_size=24)


def library(number: str, region: str | None) -> tuple[object, ...] | None:
    """What the library says of a number: its parts, possible or not, valid or not, at home."""
    try:
        parsed = phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException:
        return None
    reason = phonenumbers.is_possible_number_with_reason(parsed)
    national = phonenumbers.format_number(parsed, PhoneNumberFormat.NATIONAL)
    return (
        parsed.country_code,
        phonenumbers.national_significant_number(parsed),
        reason == phonenumbers.ValidationResult.IS_POSSIBLE,
        phonenumbers.is_valid_number(parsed),
        phonenumbers.normalize_digits_only(national),
    )


def ours(number: regions.Number | None) -> tuple[object, ...] | None:
    """The same by our own reading."""
    if number is None:
        return None
    plan = regions.plan_of_code(number.code)
    return (
        *number,
        plan.is_possible(number.national),
        regions.is_valid(number),
        plan.dialled(number.national),
    )


def examples(region: str) -> Iterator[tuple[str, str]]:
    """(international, as dialled at home) digits of each kind of number of a region."""
    for kind in PhoneNumberType.values():
        number = phonenumbers.example_number_for_type(region, kind)
        if number is not None:
            national = phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL)
            bare = phonenumbers.national_significant_number(number)
            yield f"{number.country_code}{bare}", phonenumbers.normalize_digits_only(national)


def variants(digits: str, chance: random.Random) -> Iterator[str]:
    """The digits, and others like them."""
    yield digits
    for length in (1, 2, 3):
        yield digits[:-length]
        yield digits + "".join(chance.choices("0123456789", k=length))
        yield digits[length:]
    for _ in range(5):
        place = chance.randrange(len(digits))
        yield digits[:place] + chance.choice("0123456789") + digits[place + 1 :]
    for prefix in ("0", "1", "8", "15"):
        yield prefix + digits


def agree(digits: str, region: str) -> None:
    """Whatever is dialled in a region, abroad and at home, both say the same of it."""
    assert ours(regions.read_international(digits)) == library(f"+{digits}", None)
    if not regions.plan_of_region(region).international_prefix(digits):
        assert ours(regions.read_national(digits, region)) == library(digits, region)


@pytest.mark.parametrize("region", REGIONS)
def test_every_kind_of_number_of_every_region_reads_as_in_the_library(region: str) -> None:
    chance = random.Random(region)
    code = str(regions.plan_of_region(region).code)
    for abroad, at_home in examples(region):
        for digits in variants(at_home, chance):
            agree(digits, region)
        for digits in variants(abroad[len(code) :], chance):
            agree(code + digits, region)


@pytest.mark.parametrize("code", sorted(phonenumbers.COUNTRY_CODES_FOR_NON_GEO_REGIONS))
def test_numbers_of_no_region_read_as_in_the_library(code: int) -> None:
    number = phonenumbers.example_number_for_non_geo_entity(code)
    assert number is not None
    for digits in variants(phonenumbers.national_significant_number(number), random.Random(code)):
        agree(f"{code}{digits}", "DE")


@given(DIGITS, st.sampled_from(REGIONS))
@example("0" * 7, "IT")
@example("9" * 24, "US")
@example("1", "US")
def test_any_digits_read_as_in_the_library(digits: str, region: str) -> None:
    agree(digits, region)


@given(st.sampled_from(CODES), DIGITS, st.sampled_from(REGIONS))
def test_any_digits_behind_a_calling_code_read_as_in_the_library(
    code: int, digits: str, region: str
) -> None:
    agree(f"{code}{digits}", region)


@given(st.sampled_from(REGIONS), DIGITS)
def test_a_prefix_of_international_calls_is_as_long_as_in_the_library(
    region: str, digits: str
) -> None:
    metadata = phonenumbers.PhoneMetadata.metadata_for_region(region, None)
    assert metadata is not None
    prefix = phonenumbers.re_util.re_compile(metadata.international_prefix or "(?!)").match(digits)
    assert regions.plan_of_region(region).international_prefix(digits) == (
        prefix.end() if prefix else 0
    )
