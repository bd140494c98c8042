"""The number table: what is found by what, country by country."""

import csv
from pathlib import Path

import pytest

from callhelm_threecx import phone

TABLE = Path(__file__).with_name("numbers.csv")


def rows() -> list[dict[str, str]]:
    lines = TABLE.read_text(encoding="utf-8").splitlines()
    return list(csv.DictReader(line for line in lines if line and not line.startswith("#")))


def outcome(stored: str, region: str, searched: str) -> str:
    number = phone.parse(stored, region)
    candidates = phone.candidates(searched, region)
    assert number is not None
    assert candidates is not None
    rank = candidates.rank(number.digits)
    if rank is None:
        return "none"
    return "exact" if rank < len(candidates.exact) else "suffix"


@pytest.mark.parametrize(
    "row", rows(), ids=lambda row: f"{row['region']} {row['stored']!a} by {row['searched']!a}"
)
def test_a_searched_text_finds_a_stored_number_as_the_table_says(row: dict[str, str]) -> None:
    assert outcome(row["stored"], row["region"], row["searched"]) == row["expected"]


def test_the_table_covers_the_world() -> None:
    table = rows()

    assert len(table) >= 220
    assert len({row["region"] for row in table}) >= 30
    assert sum(row["expected"] == "none" for row in table) >= 30


def test_the_table_names_only_known_regions_and_outcomes() -> None:
    for row in rows():
        assert phone.is_region(row["region"])
        assert row["expected"] in {"exact", "suffix", "none"}
