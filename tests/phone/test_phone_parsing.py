"""How a typed number is kept."""

import pytest

from callhelm_threecx import phone
from callhelm_threecx.phone import PhoneNumber

BERLIN = "+4930123456"
SAN_FRANCISCO = "+14155552671"


def kept(text: str, region: str) -> PhoneNumber:
    number = phone.parse(text, region)
    assert number is not None
    return number


@pytest.mark.parametrize(
    ("text", "region", "canonical"),
    [
        ("+4930123456", "US", BERLIN),
        ("+49 30 123456", "US", BERLIN),
        ("+49\u00a030\u202f123456", "US", BERLIN),
        ("+49-30-12.34/56", "US", BERLIN),
        ("(+49) 30 123456", "US", BERLIN),
        ("+(49) 30 123456", "US", BERLIN),
        ("++49 30 123456", "US", BERLIN),
        ("+49 (0)30 123456", "US", BERLIN),
        ("+49 (0) 30 [123456]", "US", BERLIN),
        ("0049 30 123456", "US", BERLIN),
        ("+0049 30 123456", "US", BERLIN),
        ("011 49 30 123456", "US", BERLIN),
        ("0011 49 30 123456", "AU", BERLIN),
        ("8~10 49 30 123456", "RU", BERLIN),
        ("030 123456", "DE", BERLIN),
        ("+030 123456", "DE", BERLIN),
        ("49 30 123456", "DE", BERLIN),
        ("49 30 123456", "FR", BERLIN),
        ("030 123456 privat", "DE", BERLIN),
        ("Tel.: 030 123456", "DE", BERLIN),
        ("(415) 555-2671", "US", SAN_FRANCISCO),
        ("415.555.2671", "US", SAN_FRANCISCO),
        ("4155552671", "US", SAN_FRANCISCO),
        ("1 415 555 2671", "US", SAN_FRANCISCO),
        ("14155552671", "DE", "+4914155552671"),  # the region's reading first
        ("442079460958", "US", "+442079460958"),
        ("1-800-FLOWERS", "US", "+18003569377"),
        ("+1 (800) flowers", "DE", "+18003569377"),
        ("02 1234567", "IT", "+39021234567"),
        ("27 20 12 34 56", "CI", "+2252720123456"),
        ("+800 1234 5678", "DE", "+80012345678"),
    ],
)
def test_a_full_number_is_kept_as_e164(text: str, region: str, canonical: str) -> None:
    number = kept(text, region)

    assert number.canonical == canonical
    assert number.digits == canonical[1:]
    assert number.is_e164


@pytest.mark.parametrize(
    ("text", "region", "digits"),
    [
        ("2671", "US", "2671"),
        ("2671", "DE", "2671"),
        ("12345", "DE", "12345"),  # a possible German number, but no assigned one
        ("112", "DE", "112"),
        ("911", "US", "911"),
        ("001", "US", "001"),
        ("*21#", "US", "21"),
        ("5552671", "US", "5552671"),  # a subscriber without the area code
        ("+1 555 0123", "US", "15550123"),
        ("+999 12345678", "DE", "99912345678"),
        ("+30123456", "DE", "30123456"),  # an explicit plus does not fall back on the region
        ("0000000", "US", "0000000"),
        ("0000000", "AE", "0000000"),  # "+971 000000" would lose another zero
        ("12345678901234567890", "US", "12345678901234567890"),
        ("+49 1234567890123456", "US", "491234567890123456"),
        ("030 123456", "XX", "030123456"),  # no such region, no national reading
        ("030 123456", "", "030123456"),
    ],
)
def test_anything_else_is_kept_as_its_digits(text: str, region: str, digits: str) -> None:
    number = kept(text, region)

    assert number.canonical == number.digits == digits
    assert not number.is_e164


@pytest.mark.parametrize(
    ("text", "region", "canonical"),
    [
        (" 4930123456", "US", BERLIN),
        (" 49 30 123456", "US", BERLIN),
        ("  4930123456", "US", BERLIN),
        (" (49) 30 123456", "US", BERLIN),
        (" 030 123456", "DE", BERLIN),  # no country code begins with 0
        (" 0049 30 123456", "US", BERLIN),
        (" 5552671", "US", "5552671"),
        ("\u00a04155552671", "US", SAN_FRANCISCO),  # only a plain space can be a lost plus
        ("\t4155552671", "US", SAN_FRANCISCO),
    ],
)
def test_a_leading_space_is_a_lost_plus(text: str, region: str, canonical: str) -> None:
    assert kept(text, region).canonical == canonical


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("tel:+49-30-123456", BERLIN),
        ("tel:030123456;phone-context=+49", BERLIN),
        ("TEL:30123456;phone-context=+49;isub=77", BERLIN),
        ("tel:+4930123456;phone-context=example.com", BERLIN),
        ("callto://+4930123456", BERLIN),
        ("sip:+4930123456@pbx.example.com", BERLIN),
        ("sips:030123456@pbx.example.com:5061;transport=tls", BERLIN),
        ("sip:%2B4930123456@10.1.2.3", BERLIN),
        ("sip:+4930123456;isub=12@10.1.2.3;user=phone", BERLIN),
        ('"Anna, 2nd floor" <sip:+4930123456@10.1.2.3>', BERLIN),
        ("+4930123456@pbx.example.com", BERLIN),
        ("%2B4930123456", BERLIN),
        ("sip:2671@pbx.example.com", "2671"),
        ("tel:2671;phone-context=pbx.example.com", "2671"),
        ("sip:anna@10.1.2.3", "10123"),
    ],
)
def test_a_uri_gives_its_number(text: str, canonical: str) -> None:
    assert kept(text, "DE").canonical == canonical


@pytest.mark.parametrize(
    "text",
    [
        "\u202a+49 30 123456\u202c",  # pasted from a contact card
        "\u200e030\u200b123456\ufeff",
        "030\u00ad123456",
        "\uff0b\uff14\uff19 30 123456",
        "\u207a4930123456",
        "+\u0664\u0669 \u0663\u0660 \u0661\u0662\u0663\u0664\u0665\u0666",  # Arabic-Indic
        "+\u096a\u096f\u0969\u0966123456",  # Devanagari
        "\U0001d7ce30 123456",  # mathematical bold zero
        "030\u2013123456",
        "030 \u2212 123456",
    ],
)
def test_other_scripts_and_invisible_characters_do_not_matter(text: str) -> None:
    assert kept(text, "DE").canonical == BERLIN


@pytest.mark.parametrize(
    ("text", "extension"),
    [
        ("+1 415 555 2671 x12", "12"),
        ("+1 415 555 2671x12", "12"),
        ("+1 415 555 2671 X 12", "12"),
        ("+1 415 555 2671 ext. 12", "12"),
        ("+1 415 555 2671 Ext: 0012", "0012"),
        ("+1 415 555 2671, extension 12", "12"),
        ("+1 415 555 2671 (ext 12)", "12"),
        ("+1 415 555 2671;ext=12", "12"),
        ("tel:+1-415-555-2671;ext=12", "12"),
        ("tel:+1-415-555-2671;ext=12;isub=7", "12"),
        ("+1 415 555 2671#12", "12"),
        ("+1 415 555 2671,,12#", "12"),
        ("+1 415 555 2671;12", "12"),
        ("+1 415 555 2671 доб. 12", "12"),
        ("+1 415 555 2671 \uff58\uff11\uff12", "12"),
        ("+1 415 555 2671", ""),
        ("+1 415 555 2671 #", ""),
        ("Fax +1 415 555 2671", ""),
        ("x +1 415 555 2671", ""),
    ],
)
def test_an_extension_is_kept_beside_the_number(text: str, extension: str) -> None:
    number = kept(text, "US")

    assert number.canonical == SAN_FRANCISCO
    assert number.extension == extension


def test_a_number_that_no_plan_knows_may_have_an_extension() -> None:
    number = kept("+999 12345678 x12", "US")

    assert (number.canonical, number.extension) == ("99912345678", "12")


@pytest.mark.parametrize("text", ["x12", "ext. 12", "#12", "Fax 12"])
def test_an_extension_alone_is_the_number(text: str) -> None:
    number = kept(text, "US")

    assert (number.canonical, number.extension) == ("12", "")


@pytest.mark.parametrize(
    ("text", "region"),
    [
        ("+52 1 55 1234 5678", "US"),
        ("+52 55 1234 5678", "US"),
        ("+52 044 55 1234 5678", "US"),
        ("01 55 1234 5678", "MX"),
        ("045 55 1234 5678", "MX"),
        ("5215512345678", "MX"),
    ],
)
def test_mexican_numbers_are_kept_without_the_prefixes_of_old(text: str, region: str) -> None:
    assert kept(text, region).canonical == "+525512345678"


@pytest.mark.parametrize("text", ["", " ", "anonymous", "+", "---", "\u202a\u202c", "x", "\u00b2"])
def test_a_text_without_a_digit_is_no_number(text: str) -> None:
    assert phone.parse(text, "US") is None
    assert phone.candidates(text, "US") is None


def test_the_raw_text_is_kept_stripped() -> None:
    assert kept("  (030) 12 34 56 \n", "DE").raw == "(030) 12 34 56"


def test_the_tail_is_the_digits_reversed() -> None:
    assert kept("+49 30 123456", "DE").tail == "6543210394"


def test_a_number_far_inside_a_long_text_is_found() -> None:
    number = kept("-" * 5000 + "+49 30 123456" + " " * 5000, "US")

    assert number.canonical == BERLIN
    assert len(number.raw) <= 256
