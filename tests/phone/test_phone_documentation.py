"""The page for administrators shows what the code does."""

import re
from pathlib import Path

import pytest

from callhelm_threecx import phone

PAGE = Path(__file__).parents[2] / "docs" / "phone-numbers.md"
LOST_PLUS = "␠"  # how the page shows a leading space


def table(first_column: str) -> list[list[str]]:
    """Return the rows of the page's table whose head begins with ``first_column``."""
    lines = iter(PAGE.read_text(encoding="utf-8").splitlines())
    rows: list[list[str]] = []
    for line in lines:
        if line.startswith(f"| {first_column} |"):
            next(lines)
            for row in lines:
                if not row.startswith("|"):
                    break
                rows.append([cell.strip() for cell in row.strip("|").split("|")])
    assert rows, f"no table {first_column!r}"
    return rows


def code(cell: str) -> str:
    return cell.strip("`").replace(LOST_PLUS, " ")


@pytest.mark.parametrize("row", table("Typed in the CRM"), ids=lambda row: row[0])
def test_a_number_is_kept_as_documented(row: list[str]) -> None:
    typed, region, canonical, shown, extension = row
    number = phone.parse(code(typed), region)

    assert number is not None
    assert number.canonical == code(canonical)
    assert phone.display(number.canonical) == shown
    assert number.extension == extension


@pytest.mark.parametrize("row", table("Searched"), ids=lambda row: row[0])
def test_a_search_means_what_is_documented(row: list[str]) -> None:
    searched, region, exact, suffix = row
    candidates = phone.candidates(code(searched), region)

    assert candidates is not None
    assert list(candidates.exact) == re.findall(r"`(\d+)`", exact)
    assert candidates.suffix == ("" if suffix == "none" else code(suffix))


@pytest.mark.parametrize("row", table("Number"), ids=lambda row: row[0])
def test_a_number_is_masked_as_documented(row: list[str]) -> None:
    number, masked = row

    assert phone.mask(code(number)) == code(masked)
