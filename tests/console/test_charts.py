"""Charts: shapes that stay on their sheet, and tables that say the same."""

import re
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callhelm_threecx.console.charts import Chart, percent, share_line, stacked_bars

THIN = "\N{NARROW NO-BREAK SPACE}"
FIRST = date(2026, 12, 30)
NUMBERS = st.integers(0, 10**9)
SHARES = st.none() | st.floats(0, 1)


def days(number: int) -> list[date]:
    return [FIRST + timedelta(days=place) for place in range(number)]


def bars(*parts: list[int]) -> Chart:
    named = [(f"Part {place}", "one", numbers) for place, numbers in enumerate(parts)]
    return stacked_bars("key", "Title", "Text", days(len(parts[0])), named)


def line(*shares: float | None) -> Chart:
    pairs = list(zip(days(len(shares)), shares, strict=True))
    return share_line("key", "Title", "Text", "Answered", pairs)


def heights(path: str) -> list[float]:
    """Of the bars of a path, in units."""
    ends = re.findall(r"M\S+ (\S+?)V(\S+?)h", path)
    return [round(float(lower) - float(upper), 1) for lower, upper in ends]


@pytest.mark.parametrize(
    ("highest", "scale"),
    [
        (0, ["0", "1"]),
        (1, ["0", "1"]),
        (4, ["0", "1", "2", "3", "4"]),
        (5, ["0", "2", "4", "6"]),
        (9, ["0", "5", "10"]),
        (60, ["0", "20", "40", "60"]),
        (61, ["0", "20", "40", "60", "80"]),
        (
            4500,
            [
                "0",
                "2\N{NARROW NO-BREAK SPACE}000",
                "4\N{NARROW NO-BREAK SPACE}000",
                "6\N{NARROW NO-BREAK SPACE}000",
            ],
        ),
        (70_000, ["0", "20k", "40k", "60k", "80k"]),
        (3_000_000, ["0", "1M", "2M", "3M"]),
    ],
)
def test_a_scale_ends_at_a_round_number_that_holds_the_highest(
    highest: int, scale: list[str]
) -> None:
    assert [mark.text for mark in bars([0, highest]).scale] == scale


@given(st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS), min_size=1, max_size=90))
def test_bars_stay_in_their_field_and_scale_with_their_numbers(
    rows: list[tuple[int, int, int]],
) -> None:
    chart = bars(*(list(numbers) for numbers in zip(*rows, strict=True)))
    field = chart.bottom - chart.top
    assert 2 <= len(chart.scale) <= 5
    for series, numbers in zip(chart.series, zip(*rows, strict=True), strict=True):
        drawn = heights(series.path)
        assert len(drawn) == sum(number > 0 for number in numbers)
        assert all(0 <= height <= field + 0.1 for height in drawn)
        assert series.total == sum(numbers)


def test_parts_stand_upon_each_other() -> None:
    chart = bars([1, 0, 2], [3, 2, 0])
    lower, upper = chart.series
    assert heights(lower.path) == [40.0, 80.0]
    assert heights(upper.path) == [120.0, 80.0]
    first_top = re.findall(r"V(\S+?)h", lower.path)[0]
    assert re.findall(r"M\S+ (\S+?)V", upper.path)[0] == first_top


@given(st.lists(SHARES, min_size=1, max_size=90))
def test_a_line_stays_in_its_field_and_is_broken_where_nothing_is_known(
    shares: list[float | None],
) -> None:
    chart = line(*shares)
    points = [(float(x), float(y)) for x, y in re.findall(r"([\d.]+) ([\d.]+)", chart.line)]
    for x, y in [*points, *chart.dots]:
        assert chart.left <= x <= chart.right
        assert chart.top <= y <= chart.bottom
    runs = [
        run for run in re.split("n+", "".join("n" if s is None else "s" for s in shares)) if run
    ]
    assert chart.line.count("M") == sum(len(run) > 1 for run in runs)
    assert len(chart.dots) >= sum(len(run) == 1 for run in runs)


def test_a_table_says_what_the_chart_shows() -> None:
    chart = bars([1200, 0], [3, 4])
    assert chart.headings == ["Part 0", "Part 1"]
    assert chart.rows == [
        ("30 Dec", [f"1{THIN}200", "3"]),
        ("31 Dec", ["0", "4"]),
    ]
    assert line(0.755, None).rows == [("30 Dec", ["76 %"]), ("31 Dec", [""])]


def test_a_pointer_is_told_the_numbers_of_a_day() -> None:
    assert [column.text for column in bars([1, 0], [3, 4]).columns] == [
        "30 Dec: part 0 1, part 1 3",
        "31 Dec: part 0 0, part 1 4",
    ]
    assert line(None).columns[0].text == "30 Dec: answered none"


@pytest.mark.parametrize("number", [1, 2, 7, 14, 30, 90])
def test_a_few_days_are_named_the_last_among_them(number: int) -> None:
    marks = [mark.text for mark in bars([1] * number).dates]
    last = FIRST + timedelta(days=number - 1)
    assert 1 <= len(marks) <= 5
    assert marks[-1].startswith(f"{last.day} ")


@pytest.mark.parametrize(
    ("share", "text"), [(None, ""), (0.0, "0 %"), (0.5, "50 %"), (0.996, "100 %"), (1.0, "100 %")]
)
def test_a_share_is_told_in_percent(share: float | None, text: str) -> None:
    assert percent(share) == text
