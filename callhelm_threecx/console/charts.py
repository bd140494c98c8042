"""Charts of days, as shapes for an SVG and as the rows of a table that says the same.

A chart is drawn on a sheet of `WIDTH` by `HEIGHT` units, its origin at the top left, which a page
scales. Looks are by class names; each series has a pattern of its own as well, so that nobody needs
colours to tell them apart.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

WIDTH: Final = 480
HEIGHT: Final = 200
_LEFT, _RIGHT, _TOP, _BOTTOM = 54, 462, 12, 172
"""Where the field of a chart ends."""

_MONTHS: Final = (
    *("Jan", "Feb", "Mar", "Apr", "May", "Jun"),
    *("Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
)
_GAP: Final = 0.28  # of a day's width is left free between two bars
_MOST_DOTS: Final = 31
_MOST_TICKS: Final = 4
_MOST_DATES: Final = 5


@dataclass(frozen=True, slots=True)
class Series:
    """What is drawn alike: ``look`` is its class, ``path`` its shape (SVG path data)."""

    label: str
    look: str
    total: int
    path: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A text at a place on an axis."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Column:
    """A day's part of the field, and what is said where a pointer rests on it."""

    at: float
    width: float
    text: str


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart that is ready to be drawn. ``key`` is unique on a page. ``line`` and ``area`` are the
    paths of a line and of what lies below it, ``dots`` are (x, y); all are empty for bars."""

    key: str
    title: str
    description: str
    series: Sequence[Series]
    scale: Sequence[Mark]
    dates: Sequence[Mark]
    columns: Sequence[Column]
    headings: Sequence[str]
    rows: Sequence[tuple[str, Sequence[str]]]
    line: str = ""
    area: str = ""
    dots: Sequence[tuple[float, float]] = ()

    left, right, top, bottom = _LEFT, _RIGHT, _TOP, _BOTTOM
    width, height = WIDTH, HEIGHT


def day_name(day: date) -> str:
    """A day for people: ``9 Nov``."""
    return f"{day.day} {_MONTHS[day.month - 1]}"


def stacked_bars(
    key: str,
    title: str,
    description: str,
    days: Sequence[date],
    parts: Sequence[tuple[str, str, Sequence[int]]],
) -> Chart:
    """A bar for each day, of parts (label, look, a number for each day) one upon the other."""
    sums = [sum(numbers) for numbers in zip(*(numbers for _, _, numbers in parts), strict=True)]
    top = _nice_top(max(sums, default=0))
    base = [0] * len(days)
    series = []
    for label, look, numbers in parts:
        path = "".join(
            _bar(_left_of(place, len(days)), _slot(len(days)), _y(low + number, top), _y(low, top))
            for place, (low, number) in enumerate(zip(base, numbers, strict=True))
            if number
        )
        base = [low + number for low, number in zip(base, numbers, strict=True)]
        series.append(Series(label, look, sum(numbers), path))
    rows = [
        (day_name(day), [_grouped(numbers[place]) for _, _, numbers in parts])
        for place, day in enumerate(days)
    ]
    labels = [label for label, _, _ in parts]
    return Chart(
        key=key,
        title=title,
        description=description,
        series=series,
        scale=[Mark(_y(step, top), _short(step)) for step in _steps(top)],
        dates=_dates(days),
        columns=_columns(labels, rows),
        headings=labels,
        rows=rows,
    )


def share_line(
    key: str, title: str, description: str, label: str, shares: Sequence[tuple[date, float | None]]
) -> Chart:
    """A line of shares from 0 to 1, one a day; it is broken where a day has none."""
    runs: list[list[tuple[float, float]]] = [[]]
    for place, (_, share) in enumerate(shares):
        if share is None:
            runs.append([])
        else:
            middle = _left_of(place, len(shares)) + _slot(len(shares)) / 2
            runs[-1].append((round(middle, 1), _y(share, 1)))
    days = [day for day, _ in shares]
    rows = [(day_name(day), [percent(share)]) for day, share in shares]
    alone = [run[0] for run in runs if len(run) == 1]
    every = [point for run in runs for point in run]
    return Chart(
        key=key,
        title=title,
        description=description,
        series=[],
        scale=[Mark(_y(step / 4, 1), f"{step * 25} %") for step in range(5)],
        dates=_dates(days),
        columns=_columns([label], rows),
        headings=[label],
        rows=rows,
        line="".join(_line(run) for run in runs if len(run) > 1),
        area="".join(_area(run) for run in runs if len(run) > 1),
        dots=every if len(shares) <= _MOST_DOTS else alone,
    )


def _bar(left: float, width: float, upper: float, lower: float) -> str:
    gap = width * _GAP
    return f"M{left + gap / 2:.1f} {lower:.1f}V{upper:.1f}h{width - gap:.1f}V{lower:.1f}z"


def _line(run: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:g} {y:g}" for x, y in run)


def _area(run: Sequence[tuple[float, float]]) -> str:
    return f"{_line(run)}V{_BOTTOM}H{run[0][0]:g}z"


def _slot(days: int) -> float:
    return (_RIGHT - _LEFT) / max(days, 1)


def _left_of(place: int, days: int) -> float:
    return _LEFT + place * _slot(days)


def _y(value: float, top: float) -> float:
    return round(_BOTTOM - (_BOTTOM - _TOP) * value / top, 1)


def _nice_top(highest: int) -> int:
    """The end of a scale of whole numbers that has at most `_MOST_TICKS` steps."""
    step = _step(highest)
    return max(-(-highest // step), 1) * step


def _steps(top: int) -> range:
    return range(0, top + 1, _step(top))


def _step(highest: int) -> int:
    """1, 2 or 5, or one of them with zeros behind it."""
    magnitude = 1
    while True:
        for step in (magnitude, 2 * magnitude, 5 * magnitude):
            if highest <= step * _MOST_TICKS:
                return step
        magnitude *= 10


def _dates(days: Sequence[date]) -> list[Mark]:
    """A few of the days, the last one among them, each at the middle of its bar."""
    every = max(-(-len(days) // _MOST_DATES), 1)
    return [
        Mark(round(_left_of(place, len(days)) + _slot(len(days)) / 2, 1), day_name(day))
        for place, day in enumerate(days)
        if (len(days) - 1 - place) % every == 0
    ]


def _columns(labels: Sequence[str], rows: Sequence[tuple[str, Sequence[str]]]) -> list[Column]:
    return [
        Column(
            round(_left_of(place, len(rows)), 1),
            round(_slot(len(rows)), 1),
            f"{name}: " + ", ".join(map(_told, labels, texts)),
        )
        for place, (name, texts) in enumerate(rows)
    ]


def _told(label: str, text: str) -> str:
    return f"{label.lower()} {text or 'none'}"


def percent(share: float | None) -> str:
    """A share for people: ``87 %``; nothing for none."""
    return "" if share is None else f"{share:.0%}".replace("%", " %")


def _grouped(number: int) -> str:
    return f"{number:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def _short(number: int) -> str:
    """A number at an axis: ``1 500``, from ten thousand on ``15k``."""
    if number >= 1_000_000:
        return f"{number / 1_000_000:g}M"
    return f"{number / 1000:g}k" if number >= 10_000 else _grouped(number)
