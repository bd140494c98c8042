"""What is shown, echoed, logged and searched of a number."""

import pytest

from callhelm_threecx import phone


@pytest.mark.parametrize(
    ("text", "echoed"),
    [
        ("+4930123456", "+4930123456"),
        (" 4930123456", "+4930123456"),
        (" 4930", "+4930"),
        (" 49 30 123456 ", "+49 30 123456 "),
        ("  4930123456", "+ 4930123456"),
        (" (49) 30", "+(49) 30"),
        ("4930123456", "4930123456"),
        ("030/123 456", "030/123 456"),
        ("sip:2671@pbx", "sip:2671@pbx"),
        ("\u00a04930", "\u00a04930"),
        (" +4930", " +4930"),
        (" anonymous", " anonymous"),
        (" ", " "),
        ("", ""),
    ],
)
def test_the_searched_text_is_echoed_with_its_lost_plus(text: str, echoed: str) -> None:
    assert phone.searched_text(text) == echoed


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("+4930123456", "+49•••••56"),
        (" 4930123456", "+49•••••56"),
        ("004930123456", "+49•••••56"),
        ("+49 (0)30 12 34 56", "+49•••••56"),
        ("+49 30 123456 x99", "+49•••••56"),
        ("+4930123456789", "+49•••••89"),
        ("+14155552671", "+1•••••71"),
        ("4155552671", "•••••71"),
        ("030123456", "•••••56"),
        ("+٤٩٣٠١٢٣٤٥٦", "+49•••••56"),
        ("sip:+4930123456@10.1.2.3", "+49•••••56"),
        ("+99912345678", "•••••78"),
        ("123456", "•••••56"),
        ("12345", "•••"),
        ("2671", "•••"),
        ("+290 23456", "•••"),
        ("1", "•••"),
        ("anonymous", "•••"),
        ("", "•••"),
    ],
)
def test_a_log_sees_the_country_and_two_digits_at_most(text: str, masked: str) -> None:
    assert phone.mask(text) == masked


@pytest.mark.parametrize(
    ("text", "region", "strings"),
    [
        ("+49 30 123456", "US", ("4930123456", "030123456", "30123456")),
        ("+1 415 555 2671", "US", ("14155552671", "4155552671")),
        ("02 1234567", "IT", ("39021234567", "021234567")),
        ("06 1 234 5678", "HU", ("3612345678", "0612345678", "12345678")),
        ("011 15-2345-6789", "AR", ("5491123456789", "0111523456789", "91123456789")),
        ("2671", "DE", ("2671",)),
        ("+999 12345678 x12", "DE", ("99912345678",)),
    ],
)
def test_a_number_is_searched_by_its_international_and_national_digits(
    text: str, region: str, strings: tuple[str, ...]
) -> None:
    number = phone.parse(text, region)

    assert number is not None
    assert phone.search_digits(number) == strings


@pytest.mark.parametrize(
    ("canonical", "shown"),
    [
        ("+4930123456", "+49 30 123456"),
        ("+14155552671", "+1 415-555-2671"),
        ("+80012345678", "+800 1234 5678"),
        ("2671", "2671"),
        ("", ""),
        ("+", "+"),
        ("+2671", "+2671"),
        ("+5215512345678", "+5215512345678"),
        ("+٤٩٣٠١٢٣٤٥٦", "+٤٩٣٠١٢٣٤٥٦"),
        ("+49 30 123456", "+49 30 123456"),
    ],
)
def test_e164_is_shown_spaced_and_anything_else_as_it_is(canonical: str, shown: str) -> None:
    assert phone.display(canonical) == shown


@pytest.mark.parametrize("region", ["US", "DE", "GB", "KZ", "XK"])
def test_a_region_is_an_iso_code_in_upper_case(region: str) -> None:
    assert phone.is_region(region)


@pytest.mark.parametrize("region", ["", "us", "USA", "UK", "ZZ", "001", "EU", " DE"])
def test_anything_else_is_no_region(region: str) -> None:
    assert not phone.is_region(region)
