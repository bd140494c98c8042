"""A table of people as a CRM exports it: numbers of several countries in the spellings that people
use, most rows with an id, a few that no import takes."""

import csv
import random
from collections.abc import Iterator
from pathlib import Path

HEADER = (
    *("FirstName", "LastName", "Company", "Email", "PhoneBusiness", "PhoneMobile", "ExternalId"),
)
REFUSED_EVERY = 1000
"""One row of so many is refused: in turn one without a name and one without a digit."""

_SYLLABLES = (
    *("ba", "ber", "ce", "da", "el", "fo", "ge", "hof", "ka", "li", "ma", "no", "pa", "ri", "son"),
    *("ta", "ul", "ver", "win", "zé", "mü", "ñez"),
)
_COMPANY = ("GmbH", "Ltd", "SA", "AS", "KK", "& Co", "Inc")
# (spelling, digits of the part that is filled in): business numbers, then mobile ones. The region
# of the import is DE; what has no plus is a German number, or one behind 00.
_BUSINESS = (
    *(("030/{}", 8), ("+4930{}", 8), ("+49 (0)89 {}", 7), ("0221 {}", 7), ("0049 40 {}", 7)),
    *(("+44 20 7{}", 7), ("+33 1 4{}", 7), ("+1 (415) 5{}", 6), ("+39 06 4{}", 7)),
    *(("+4121 6{}", 6), ("+34 91 4{}", 6), ("+31 20 5{}", 6)),
)
_MOBILE = (
    *(("0171 {}", 7), ("+49 160 9{}", 6), ("+49175{}", 7), ("0151/2{}", 7), ("+447700 9{}", 5)),
    *(("+33 6 1{}", 7), ("+39 347 {}", 7), ("+41 79 {}", 7), ("+34 612 {}", 6)),
)


def write(path: Path, count: int, seed: int = 6) -> int:
    """Write so many rows below a header; how many of them no import takes."""
    refused = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        for is_taken, row in _rows(count, seed):
            refused += not is_taken
            writer.writerow(row)
    return refused


def _rows(count: int, seed: int) -> Iterator[tuple[bool, tuple[str, ...]]]:
    chance = random.Random(seed)
    for index in range(count):
        first, last = _word(chance, 2), _word(chance, 3)
        company = f"{_word(chance, 3)} {chance.choice(_COMPANY)}"
        email = f"{first}.{last}.{index}@{_word(chance, 2)}.example".lower()
        business = _number(chance, _BUSINESS)
        mobile = _number(chance, _MOBILE) if index % 2 else ""
        external_id = f"crm-{index:07}" if index % 3 else ""
        is_taken = index % REFUSED_EVERY != REFUSED_EVERY - 1
        if not is_taken and index // REFUSED_EVERY % 2:
            first = last = company = ""
        elif not is_taken:
            business = "unknown"
        yield is_taken, (first, last, company, email, business, mobile, external_id)


def _word(chance: random.Random, syllables: int) -> str:
    return "".join(chance.choice(_SYLLABLES) for _ in range(syllables)).capitalize()


def _number(chance: random.Random, spellings: tuple[tuple[str, int], ...]) -> str:
    spelling, digits = chance.choice(spellings)
    return spelling.format(f"{chance.randrange(10**digits):0{digits}}")
