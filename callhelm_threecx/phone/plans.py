"""What the numbering plans of the world say about a string of digits.

The plans are those of the ``phonenumbers`` library. On top of it stand the few facts that it
leaves out: prefixes that PBXs write everywhere, and countries in which one subscriber is
presented under two different numbers.
"""

import re
from dataclasses import dataclass
from typing import Final

import phonenumbers

from callhelm_threecx.phone import regions

MAX_E164: Final = 15
"""Digits of the longest international number (ITU-T E.164)."""

MIN_SUBSCRIBER: Final = 6
"""Digits from which a text is taken for a subscriber's number.

Anything shorter is a short code or an extension, unless a plan positively knows it.
"""

_MAX_DIALLED: Final = 24  # an international number behind the longest international prefix
_ZEROS: Final = "00"

# Before 2019/2020 Mexicans dialled 01, 044 or 045 in front of the ten digits, and callers from
# abroad a 1 before a mobile number. Address books and carriers still have all of these.
_MEXICAN_PREFIX: Final = re.compile(r"52(?:1|01|044|045)(\d{10})")
_MEXICAN_TRUNK: Final = re.compile(r"(?:01|044|045)\d{10}")

# (number, the same subscriber's other presentation), both as international digits
_PRESENTATIONS: Final = (
    # Mexico: with and without the mobile 1 of before 2019
    (re.compile(r"52(\d{10})"), r"521\1"),
    # Argentina: the 9 marks a mobile number that is called from abroad; carriers drop it
    (re.compile(r"549([1-8]\d{9})"), r"54\1"),
    (re.compile(r"54([1-8]\d{9})"), r"549\1"),
    # Brazil: a ninth digit, always 9, was put before the mobile numbers (6 to 9) until 2016
    (re.compile(r"55(\d\d)9([6-9]\d{7})"), r"55\1\2"),
    (re.compile(r"55(\d\d)([6-9]\d{7})"), r"55\g<1>9\2"),
)


@dataclass(frozen=True, slots=True)
class Reading:
    """One meaning of a text: an international number.

    ``digits`` are those of E.164 without the plus; ``valid`` tells a number within an assigned
    range from one that merely has a possible length.
    """

    digits: str
    valid: bool


def is_region(region: str) -> bool:
    """Tell whether ``region`` is an ISO 3166 code, in upper case, that has a numbering plan."""
    return region in phonenumbers.SUPPORTED_REGIONS


def international(digits: str) -> Reading | None:
    """Read ``digits`` as an international number whose plus is not written."""
    if len(digits) > _MAX_DIALLED or digits.startswith("0"):
        return None
    old = _MEXICAN_PREFIX.fullmatch(digits)
    return _reading(regions.read_international("52" + old[1] if old else digits))


def national(digits: str, region: str) -> Reading | None:
    """Read ``digits`` as they are dialled within ``region``."""
    if len(digits) > _MAX_DIALLED or not is_region(region):
        return None
    if region == "MX" and _MEXICAN_TRUNK.fullmatch(digits):
        return international("52" + digits)
    if _own_prefix_length(digits, region):
        # The library would take the prefix off; here the digits are to be the national number.
        code = regions.plan_of_region(region).code
        reading = _reading(regions.read_international(f"{code}{digits}"))
    else:
        reading = _reading(regions.read_national(digits, region))
    if reading and not reading.valid and len(digits) < MIN_SUBSCRIBER:
        return None
    return reading


def country_code(digits: str) -> str:
    """Return the country code with which international digits begin; empty when with none."""
    return str(regions.calling_code(digits) or "")


def behind_international_prefix(digits: str, region: str) -> tuple[str, ...]:
    """Return what may follow the prefix of an international call; nothing when there is none.

    The prefix is ``00``, which 3CX templates with ``Prefix="Zeros"`` write in every country, or
    the region's own. The two can overlap: in Singapore, ``0065…`` is ``00`` and 65 or ``006`` and
    a country code that begins with 5. No country code begins with 0.
    """
    lengths = (len(_ZEROS) if digits.startswith(_ZEROS) else 0, _own_prefix_length(digits, region))
    rests = (digits[length:] for length in lengths if length)
    return tuple(dict.fromkeys(rest for rest in rests if rest and not rest.startswith("0")))


def other_presentations(digits: str) -> tuple[str, ...]:
    """Return other international digits under which the same subscriber may be presented."""
    return tuple(
        pattern.sub(replacement, digits)
        for pattern, replacement in _PRESENTATIONS
        if pattern.fullmatch(digits) and international(pattern.sub(replacement, digits))
    )


def national_digits(digits: str) -> tuple[str, str]:
    """Return the national digits of an international number: as dialled at home, and bare."""
    number = regions.read_international(digits)
    if number is None:
        return digits, digits
    return regions.plan_of_code(number.code).dialled(number.national), number.national


def spaced(digits: str) -> str:
    """Return the human-readable form of an international number: ``+49 30 123456``."""
    number = phonenumbers.parse("+" + digits)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def _own_prefix_length(digits: str, region: str) -> int:
    return regions.plan_of_region(region).international_prefix(digits) if is_region(region) else 0


def _reading(number: regions.Number | None) -> Reading | None:
    if number is None:
        return None
    # A subscriber number without its area code would be possible as well, but is no full number.
    is_possible = regions.plan_of_code(number.code).is_possible(number.national)
    if not is_possible or len(number.digits) > MAX_E164:
        return None
    valid = regions.is_valid(number)
    if not valid and regions.read_international(number.digits) != number:
        return None  # such as 0000000: with its country code, another zero would be taken off it
    return Reading(number.digits, valid)
