"""Dates and lengths of time as text, against the examples of the .NET documentation."""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callhelm_threecx.pbx.culture import CULTURES, culture
from callhelm_threecx.pbx.dotnet_dates import format_datetime
from callhelm_threecx.pbx.dotnet_timespans import format_timespan
from callhelm_threecx.pbx.errors import EvaluationError, ParameterError
from callhelm_threecx.pbx.values import (
    MAX_DATE_TICKS,
    DateTime,
    TimeSpan,
)

WEST = timezone(timedelta(hours=-7))


def date(text: str, kind: str = "Unspecified", ticks: int = 0) -> DateTime:
    """A clock reading, and so many ticks more than whole microseconds can say."""
    seconds, _, fraction = text.partition(".")
    full = f"{seconds}.{fraction.ljust(6, '0')}+00:00"  # Python 3.10 reads six digits only
    aware = datetime.fromisoformat(full)
    return DateTime(DateTime.utc(aware).ticks + ticks, kind, WEST)


JUNE = date("2009-06-15T13:45:30")
DATES = [
    # the documentation's page on standard format strings
    (JUNE, "d", "en-US", "6/15/2009"),
    (JUNE, "d", "fr-FR", "15/06/2009"),
    (JUNE, "d", "", "06/15/2009"),
    (JUNE, "D", "en-US", "Monday, June 15, 2009"),
    (JUNE, "D", "de-DE", "Montag, 15. Juni 2009"),
    (JUNE, "D", "es-ES", "lunes, 15 de junio de 2009"),
    (JUNE, "D", "", "Monday, 15 June 2009"),
    (JUNE, "f", "en-US", "Monday, June 15, 2009 1:45 PM"),
    (JUNE, "F", "en-US", "Monday, June 15, 2009 1:45:30 PM"),
    (JUNE, "g", "en-US", "6/15/2009 1:45 PM"),
    (JUNE, "g", "es-ES", "15/06/2009 13:45"),
    (JUNE, "G", "en-US", "6/15/2009 1:45:30 PM"),
    (JUNE, "G", "", "06/15/2009 13:45:30"),
    (JUNE, "", "", "06/15/2009 13:45:30"),
    (JUNE, "", "de-DE", "15.06.2009 13:45:30"),
    (JUNE, "", "en-GB", "15/06/2009 13:45:30"),
    (JUNE, "M", "en-US", "June 15"),
    (JUNE, "m", "de-DE", "15. Juni"),
    (JUNE, "M", "it-IT", "15 giugno"),
    (JUNE, "O", "", "2009-06-15T13:45:30.0000000"),
    (date("2009-06-15T13:45:30", "Utc"), "o", "", "2009-06-15T13:45:30.0000000Z"),
    (date("2009-06-15T13:45:30", "Local"), "o", "de-DE", "2009-06-15T13:45:30.0000000-07:00"),
    (JUNE, "R", "de-DE", "Mon, 15 Jun 2009 13:45:30 GMT"),
    (JUNE, "r", "", "Mon, 15 Jun 2009 13:45:30 GMT"),
    (JUNE, "s", "de-DE", "2009-06-15T13:45:30"),
    (JUNE, "t", "en-US", "1:45 PM"),
    (JUNE, "t", "", "13:45"),
    (JUNE, "T", "en-US", "1:45:30 PM"),
    (JUNE, "u", "", "2009-06-15 13:45:30Z"),
    (date("2009-06-15T13:45:30", "Local"), "U", "en-US", "Monday, June 15, 2009 8:45:30 PM"),
    (JUNE, "Y", "en-US", "June 2009"),
    (JUNE, "y", "es-ES", "junio de 2009"),
    # the documentation's page on custom format strings
    (date("2009-06-01T13:45:30"), "%d", "", "1"),
    (date("2009-06-01T13:45:30"), "dd", "", "01"),
    (JUNE, "ddd", "en-US", "Mon"),
    (JUNE, "ddd", "fr-FR", "lun."),
    (JUNE, "dddd", "en-US", "Monday"),
    (JUNE, "ddddd", "", "Monday"),
    (date("2009-06-15T13:45:30.617"), "%f", "", "6"),
    (date("2009-06-15T13:45:30.617"), "ff", "", "61"),
    (date("2009-06-15T13:45:30.617"), "fff", "", "617"),
    (date("2009-06-15T13:45:30.6175"), "ffff", "", "6175"),
    (date("2009-06-15T13:45:30.617542"), "fffff", "", "61754"),
    (date("2009-06-15T13:45:30.617542"), "ffffff", "", "617542"),
    (date("2009-06-15T13:45:30.617542", ticks=5), "fffffff", "", "6175425"),
    (date("2009-06-15T13:45:30.617"), "%F", "", "6"),
    (date("2009-06-15T13:45:30.050"), "%F", "", ""),
    (date("2009-06-15T13:45:30.617"), "FF", "", "61"),
    (date("2009-06-15T13:45:30.005"), "FF", "", ""),
    (date("2009-06-15T13:45:30.617"), "FFF", "", "617"),
    (date("2009-06-15T13:45:30.5"), "ss.FFF", "", "30.5"),
    (JUNE, "ss.FFF", "", "30"),
    (JUNE, "ss.fff", "", "30.000"),
    (JUNE, "%g", "", "A.D."),
    (date("2009-06-15T01:45:30"), "%h", "", "1"),
    (JUNE, "%h", "", "1"),
    (date("2009-06-15T00:45:30"), "hh", "", "12"),
    (JUNE, "hh", "", "01"),
    (date("2009-06-15T01:45:30"), "%H", "", "1"),
    (date("2009-06-15T01:45:30"), "HH", "", "01"),
    (JUNE, "HHHH", "", "13"),
    (JUNE, "%K", "", ""),
    (date("2009-06-15T13:45:30", "Utc"), "%K", "", "Z"),
    (date("2009-06-15T13:45:30", "Local"), "%K", "", "-07:00"),
    (date("2009-06-15T01:09:30"), "%m", "", "9"),
    (date("2009-06-15T01:09:30"), "mm", "", "09"),
    (JUNE, "%M", "", "6"),
    (JUNE, "MM", "", "06"),
    (JUNE, "MMM", "en-US", "Jun"),
    (JUNE, "MMM", "fr-FR", "juin"),
    (JUNE, "MMMM", "en-US", "June"),
    (date("2009-06-15T13:45:09"), "%s", "", "9"),
    (date("2009-06-15T13:45:09"), "ss", "", "09"),
    (JUNE, "%t", "en-US", "P"),
    (JUNE, "tt", "en-US", "PM"),
    (JUNE, "tt", "en-GB", "pm"),
    (date("0900-01-01T00:00:00"), "%y", "", "0"),
    (JUNE, "%y", "", "9"),
    (JUNE, "yy", "", "09"),
    (date("0900-01-01T00:00:00"), "yyy", "", "900"),
    (JUNE, "yyyy", "", "2009"),
    (date("0001-01-01T00:00:00"), "yyyy", "", "0001"),
    (JUNE, "yyyyy", "", "02009"),
    (JUNE, "%z", "", "-7"),
    (JUNE, "zz", "", "-07"),
    (JUNE, "zzz", "", "-07:00"),
    (date("2009-06-15T13:45:30", "Utc"), "zzz", "", "+00:00"),
    (JUNE, "HH:mm", "de-DE", "13:45"),
    (JUNE, "dd/MM/yyyy", "de-DE", "15.06.2009"),
    (JUNE, "dd/MM/yyyy", "en-GB", "15/06/2009"),
    (JUNE, "dd-MM-yyyy", "de-DE", "15-06-2009"),
    (JUNE, "'arr:' h:m t", "en-US", "arr: 1:45 P"),
    (JUNE, '"arr:" h:m t', "en-US", "arr: 1:45 P"),
    (JUNE, "h \\h", "", "1 h"),
    (JUNE, "'it''s' HH", "", "its 13"),
    (JUNE, "'a\\'b'", "", "a'b"),
    (JUNE, "yyyy-MM-ddTHH:mm:ssZ", "", "2009-06-15T13:45:30Z"),
    (JUNE, "yyyyMMddHHmmss", "", "20090615134530"),
    (JUNE, "%/", "", "/"),
    (JUNE, "%x", "", "x"),
]


@pytest.mark.parametrize(("moment", "pattern", "name", "expected"), DATES)
def test_a_date_is_printed_as_documented(
    moment: DateTime, pattern: str, name: str, expected: str
) -> None:
    assert format_datetime(moment, pattern, culture(name)) == expected


@pytest.mark.parametrize("pattern", ["Q", "%", "%%", "y\\", "'open", "ffffffff", "d" * 1001, "1"])
def test_a_date_format_that_net_refuses_is_refused(pattern: str) -> None:
    with pytest.raises(EvaluationError):
        format_datetime(JUNE, pattern)


DAY = 24 * 3600
SPANS = [
    (0, "c", "", "00:00:00"),
    (1800, "c", "", "00:30:00"),
    (3 * DAY + 17 * 3600 + 25 * 60 + 30.5, "c", "", "3.17:25:30.5000000"),
    (3 * DAY + 17 * 3600 + 25 * 60 + 30.5, "", "", "3.17:25:30.5000000"),
    (DAY + 3 * 3600 + 16 * 60 + 50.5, "g", "en-US", "1:3:16:50.5"),
    (DAY + 3 * 3600 + 16 * 60 + 50.5, "g", "fr-FR", "1:3:16:50,5"),
    (DAY + 3 * 3600 + 16 * 60 + 50.599, "g", "fr-FR", "1:3:16:50,599"),
    (18 * 3600 + 30 * 60, "G", "en-US", "0:18:30:00.0000000"),
    (18 * 3600 + 30 * 60, "G", "fr-FR", "0:18:30:00,0000000"),
    (-65, "c", "", "-00:01:05"),
    (-65, "g", "", "-0:01:05"),
    (-65, "mm\\:ss", "", "01:05"),
    (65, "t", "", "00:01:05"),
    (6 * DAY + 14 * 3600 + 32 * 60 + 17.685, "%d", "", "6"),
    (6 * DAY + 14 * 3600 + 32 * 60 + 17.685, "ddd", "", "006"),
    (6 * DAY + 14 * 3600 + 32 * 60 + 17.685, "d\\.hh\\:mm", "", "6.14:32"),
    (6 * DAY + 14 * 3600 + 32 * 60 + 17.685, "%h", "", "14"),
    (8 * 3600, "hh", "", "08"),
    (8 * 60 + 5, "m\\:ss", "", "8:05"),
    (17.685, "ss\\.fff", "", "17.685"),
    (17.685, "%f", "", "6"),
    (17.5, "ss\\.FFF", "", "17.5"),
    (17, "s'.'F", "", "17."),
    (17, 'hh"h"mm"m"', "", "00h00m"),
    (90, "m'm 's's'", "", "1m 30s"),
]


@pytest.mark.parametrize(("seconds", "pattern", "name", "expected"), SPANS)
def test_a_length_of_time_is_printed_as_documented(
    seconds: float, pattern: str, name: str, expected: str
) -> None:
    span = TimeSpan.of(timedelta(seconds=seconds))
    assert format_timespan(span, pattern, culture(name)) == expected


@pytest.mark.parametrize("pattern", ["x", "hh:mm", "hhh", "'open", "ffffffff", "hh mm", "%"])
def test_a_length_format_that_net_refuses_is_refused(pattern: str) -> None:
    with pytest.raises(EvaluationError):
        format_timespan(TimeSpan(0), pattern)


def test_an_unknown_culture_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(ParameterError, match="de-DE"):
        culture("xx-XX")


@pytest.mark.parametrize("name", CULTURES)
def test_every_culture_names_all_days_and_months(name: str) -> None:
    one = culture(name.upper())
    assert len({one.day(day, short=short) for day in range(7) for short in (True, False)}) >= 7
    assert len({one.month(month, short=False) for month in range(1, 13)}) == 12
    assert all(one.month(month, short=True) for month in range(1, 13))


def test_dates_and_lengths_stay_within_what_net_can_hold() -> None:
    with pytest.raises(EvaluationError):
        DateTime(MAX_DATE_TICKS + 1)
    with pytest.raises(EvaluationError):
        TimeSpan(2**63)
    assert DateTime(MAX_DATE_TICKS).clock.year == 9999


def test_a_moment_has_two_clocks() -> None:
    noon = datetime(2026, 7, 1, 12, tzinfo=timezone.utc)
    local = DateTime.local(noon, WEST)
    assert local.clock.hour == 5
    assert local.to_utc() == DateTime.utc(noon)
    assert local.to_local() is local
    assert DateTime.utc(noon, WEST).to_local() == local
    assert local.unix_milliseconds == int(noon.timestamp() * 1000)


PATTERNS = st.text(alphabet="dfFgGhHKmMsStyzcCDeEFGNPRX0#.,%‰;'\"\\ /:-x", max_size=12)


@given(st.integers(0, MAX_DATE_TICKS), PATTERNS)
def test_any_date_format_prints_or_is_refused(ticks: int, pattern: str) -> None:
    _prints_or_refuses(lambda: format_datetime(DateTime(ticks), pattern))


@given(st.integers(-(2**62), 2**62), PATTERNS)
def test_any_length_format_prints_or_is_refused(ticks: int, pattern: str) -> None:
    _prints_or_refuses(lambda: format_timespan(TimeSpan(ticks), pattern))


def _prints_or_refuses(run: Callable[[], str]) -> None:
    with suppress(EvaluationError):
        assert isinstance(run(), str)
