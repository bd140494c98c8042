"""The members of System.DateTime and System.TimeSpan that templates use."""

from __future__ import annotations

import calendar
from collections.abc import Callable
from decimal import ROUND_HALF_EVEN, Decimal

from callhelm_threecx.pbx.dotnet_arguments import Method, as_date, as_double, as_integer, as_span
from callhelm_threecx.pbx.errors import EvaluationError
from callhelm_threecx.pbx.values import (
    TICKS_PER_DAY,
    TICKS_PER_HOUR,
    TICKS_PER_MILLISECOND,
    TICKS_PER_MINUTE,
    TICKS_PER_SECOND,
    DateTime,
    TimeSpan,
    Value,
)

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_TEN_THOUSAND_YEARS = 12 * 10_000


def _add_units(unit: int) -> Method:
    def add(moment: DateTime, count: Value) -> DateTime:
        ticks = (Decimal(as_double(count)) * unit).to_integral_value(ROUND_HALF_EVEN)
        return moment.plus(int(ticks))

    return Method(add, 1, 1)


def _add_months(moment: DateTime, count: Value) -> DateTime:
    """Keep the day where the new month has it, else take the month's last."""
    months = as_integer(count)
    if abs(months) > _TEN_THOUSAND_YEARS:
        raise EvaluationError(f"{months} months lead out of the years 1 to 9999.")
    clock = moment.clock
    year, month = divmod(clock.year * 12 + clock.month - 1 + months, 12)
    if not 1 <= year <= 9999:
        raise EvaluationError(f"{months} months lead out of the years 1 to 9999.")
    day = min(clock.day, calendar.monthrange(year, month + 1)[1])
    moved = clock.replace(year=year, month=month + 1, day=day)
    return moment.plus((moved - clock).days * TICKS_PER_DAY)


def _add_years(moment: DateTime, count: Value) -> DateTime:
    years = as_integer(count)
    return _add_months(moment, max(-10_001, min(years, 10_001)) * 12)


def _subtract(moment: DateTime, other: Value) -> DateTime | TimeSpan:
    if isinstance(other, TimeSpan):
        return moment.plus(-other.ticks)
    return TimeSpan(moment.ticks - as_date(other).ticks)


def _order(one: int, other: int) -> int:
    return (one > other) - (one < other)


def _total(unit: int) -> Callable[[TimeSpan], float]:
    return lambda span: span.ticks / unit


def _part(unit: int, limit: int) -> Callable[[TimeSpan], int]:
    return lambda span: span.part(unit, limit)


DATE_PROPERTIES: dict[str, Callable[[DateTime], Value]] = {
    "Date": lambda moment: moment.plus(-(moment.ticks % TICKS_PER_DAY)),
    "Day": lambda moment: moment.clock.day,
    "DayOfWeek": lambda moment: _DAYS[moment.clock.weekday()],
    "DayOfYear": lambda moment: moment.clock.timetuple().tm_yday,
    "Hour": lambda moment: moment.clock.hour,
    "Kind": lambda moment: moment.kind,
    "Millisecond": lambda moment: moment.ticks // TICKS_PER_MILLISECOND % 1000,
    "Minute": lambda moment: moment.clock.minute,
    "Month": lambda moment: moment.clock.month,
    "Second": lambda moment: moment.clock.second,
    "Ticks": lambda moment: moment.ticks,
    "TimeOfDay": lambda moment: TimeSpan(moment.ticks % TICKS_PER_DAY),
    "Year": lambda moment: moment.clock.year,
}

DATE_METHODS = {
    "Add": Method(lambda moment, span: moment.plus(as_span(span).ticks), 1, 1),
    "AddDays": _add_units(TICKS_PER_DAY),
    "AddHours": _add_units(TICKS_PER_HOUR),
    "AddMilliseconds": _add_units(TICKS_PER_MILLISECOND),
    "AddMinutes": _add_units(TICKS_PER_MINUTE),
    "AddMonths": Method(_add_months, 1, 1),
    "AddSeconds": _add_units(TICKS_PER_SECOND),
    "AddTicks": _add_units(1),
    "AddYears": Method(_add_years, 1, 1),
    "CompareTo": Method(lambda moment, other: _order(moment.ticks, as_date(other).ticks), 1, 1),
    "Equals": Method(
        lambda moment, other: isinstance(other, DateTime) and moment.ticks == other.ticks, 1, 1
    ),
    "Subtract": Method(_subtract, 1, 1),
    "ToLocalTime": Method(lambda moment: moment.to_local()),
    "ToUniversalTime": Method(lambda moment: moment.to_utc()),
}

SPAN_PROPERTIES: dict[str, Callable[[TimeSpan], Value]] = {
    "Days": lambda span: span.days,
    "Hours": _part(TICKS_PER_HOUR, 24),
    "Milliseconds": _part(TICKS_PER_MILLISECOND, 1000),
    "Minutes": _part(TICKS_PER_MINUTE, 60),
    "Seconds": _part(TICKS_PER_SECOND, 60),
    "Ticks": lambda span: span.ticks,
    "TotalDays": _total(TICKS_PER_DAY),
    "TotalHours": _total(TICKS_PER_HOUR),
    "TotalMilliseconds": _total(TICKS_PER_MILLISECOND),
    "TotalMinutes": _total(TICKS_PER_MINUTE),
    "TotalSeconds": _total(TICKS_PER_SECOND),
}

SPAN_METHODS = {
    "Add": Method(lambda span, other: TimeSpan(span.ticks + as_span(other).ticks), 1, 1),
    "CompareTo": Method(lambda span, other: _order(span.ticks, as_span(other).ticks), 1, 1),
    "Duration": Method(lambda span: TimeSpan(abs(span.ticks))),
    "Equals": Method(lambda span, other: span == other, 1, 1),
    "Negate": Method(lambda span: TimeSpan(-span.ticks)),
    "Subtract": Method(lambda span, other: TimeSpan(span.ticks - as_span(other).ticks), 1, 1),
}
