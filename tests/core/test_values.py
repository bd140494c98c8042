"""Texts, durations and instants as PBXs write them."""

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callhelm_threecx.services import values

BELOW_ALL = datetime(2, 1, 1, tzinfo=timezone.utc)
LONGEST = 2**31 - 1

DURATIONS = {
    "0": 0,
    "00:00:00": 0,
    "00:00": 0,
    "0:05": 5,
    "00:03:25": 205,
    "3:25": 205,
    "03:25": 205,
    "1:02:03": 3723,
    "23:59:59": 86399,
    "24:00:00": 86400,
    "100:00:00": 360000,
    "1.00:00:00": 86400,
    "1.02:03:25": 93805,
    "10.00:00:01": 864001,
    "00:03:25.9999999": 205,
    "00:03:25,5": 205,
    "1.02:03:25.1234567": 93805,
    "75:10": 4510,
    "205": 205,
    "205.9": 205,
    "205,9": 205,
    "000205": 205,
    "2147483647": LONGEST,
    "24855.03:14:07": LONGEST,
}

BAD_DURATIONS = (
    *("", " ", "x", "-1", "-00:00:01", "+5", "1h", "5 min", "00:60:00", "00:00:60", "1.24:00:00"),
    *("1:2", "1:2:3", "::", ":05", "5:", "1.2:03", "1..02:03:04", "1:02:03:04", "00:00:01.", "1e3"),
    *("\u0661\u0662", "12\n", " 12", "0x10", "NaN", "Infinity", "None", "[Duration]", "9" * 5000),
    *("2147483648", "24855.03:14:08", "99999999.00:00:00", "00:03:25.12345678901"),
)


@pytest.mark.parametrize("text", DURATIONS)
def test_a_duration_is_read_in_whole_seconds(text: str) -> None:
    assert values.duration(text) == DURATIONS[text]


@pytest.mark.parametrize("text", BAD_DURATIONS)
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is "):
        values.duration(text)


def at(*parts: int, micros: int = 0) -> datetime:
    year, month, day, hour, minute, second = (*parts, 0, 0, 0)[:6]
    return datetime(year, month, day, hour, minute, second, micros, tzinfo=timezone.utc)


INSTANTS = {
    # ISO 8601
    "2026-11-22T08:35:00Z": at(2026, 11, 22, 8, 35),
    "2026-11-22t08:35:00z": at(2026, 11, 22, 8, 35),
    "2026-11-22T08:35:00": at(2026, 11, 22, 8, 35),
    "2026-11-22 08:35:00": at(2026, 11, 22, 8, 35),
    "2026-11-22 08:35": at(2026, 11, 22, 8, 35),
    "2026-11-22 8:35": at(2026, 11, 22, 8, 35),
    "2026-11-22": at(2026, 11, 22),
    "2026-11-22T08:35:00.1234567Z": at(2026, 11, 22, 8, 35, micros=123456),
    "2026-11-22T08:35:00,5Z": at(2026, 11, 22, 8, 35, micros=500000),
    "2026-11-22T08:35:00+01:00": at(2026, 11, 22, 7, 35),
    "2026-11-22T08:35:00+0100": at(2026, 11, 22, 7, 35),
    "2026-11-22T08:35:00 -05:30": at(2026, 11, 22, 14, 5),
    "2026-01-01T00:30:00+01:00": at(2025, 12, 31, 23, 30),
    "2024-02-29T00:00:00Z": at(2024, 2, 29),
    # .NET, invariant and American: month first, unless that is impossible
    "11/22/2026 08:35:00": at(2026, 11, 22, 8, 35),
    "11/22/2026 8:35:00 AM": at(2026, 11, 22, 8, 35),
    "11/22/2026 8:35:00 PM": at(2026, 11, 22, 20, 35),
    "11/22/2026 8:35:00\u202fPM": at(2026, 11, 22, 20, 35),
    "11/22/2026 8:35:00\u00a0p.m.": at(2026, 11, 22, 20, 35),
    "11/22/2026 12:00:00 AM": at(2026, 11, 22),
    "11/22/2026 12:00:00 PM": at(2026, 11, 22, 12),
    "11/22/2026, 8:35 AM": at(2026, 11, 22, 8, 35),
    "5/6/2026 8:35:00 AM": at(2026, 5, 6, 8, 35),
    "05/06/2026 08:35:00": at(2026, 5, 6, 8, 35),
    "22/11/2026 08:35:00": at(2026, 11, 22, 8, 35),
    "11/22/2026 08:35:00 +01:00": at(2026, 11, 22, 7, 35),
    # .NET, German and others: day first
    "22.11.2026 08:35:00": at(2026, 11, 22, 8, 35),
    "5.6.2026 8:35": at(2026, 6, 5, 8, 35),
    "05.06.2026 08:35:00": at(2026, 6, 5, 8, 35),
    "22-11-2026 08:35:00": at(2026, 11, 22, 8, 35),
    "22.11.2026 08:35:00,1234567": at(2026, 11, 22, 8, 35),
    # .NET "R", JSON dates, milliseconds
    "Sun, 22 Nov 2026 08:35:00 GMT": at(2026, 11, 22, 8, 35),
    "Sun, 22 Nov 2026 09:35:00 +0100": at(2026, 11, 22, 8, 35),
    "22 Nov 2026 08:35:00": at(2026, 11, 22, 8, 35),
    "/Date(1795336500000)/": at(2026, 11, 22, 8, 35),
    "/Date(1795336500000+0100)/": at(2026, 11, 22, 8, 35),
    "/Date(-1000)/": at(1969, 12, 31, 23, 59, 59),
    "1795336500000": at(2026, 11, 22, 8, 35),
    # .NET's DateTime.MinValue is "no instant"
    "0001-01-01T00:00:00": None,
    "0001-01-01T00:00:00Z": None,
    "0001-01-01T00:00:00.0000000+01:00": None,
    "0001-01-01T00:00:00-05:00": None,
    "01/01/0001 00:00:00": None,
    "1/1/0001 12:00:00 AM": None,
    "01.01.0001 00:00:00": None,
    "Mon, 01 Jan 0001 00:00:00 GMT": None,
    # and its MaxValue is the last instant there is
    "9999-12-31T23:59:59.9999999Z": at(9999, 12, 31, 23, 59, 59, micros=999999),
}


BAD_INSTANTS = (
    *("", " ", "x", "yesterday", "[CallStartTimeUTC]", "2026", "2026-11", "08:35", "08:35:00"),
    *("2026-13-01", "2026-02-30", "2025-02-29", "2026-11-22T25:00:00", "2026-11-22T08:60:00"),
    *("2026-11-22T08:35:61Z", "2026-11-22T08:35:00X", "2026-11-22T08:35:00+99:00", "20261122"),
    *("13/13/2026 08:35:00", "32.01.2026 08:35:00", "22.13.2026 08:35", "22/11-2026 08:35:00"),
    *("11/22/2026 13:00:00 PM", "11/22/2026 0:30:00 AM", "11/22/26 08:35:00", "0000-01-01"),
    *(
        "9999-12-31T23:59:59-05:00",
        "/Date(9999999999999999)/",
        "/Date()/",
        "22 Nov 26 08:35:00 GMT",
    ),
    *("\uff12\uff10\uff12\uff16-11-22", "2026-11-22T08:35:00Z junk", "9" * 5000),
)


@pytest.mark.parametrize("text", INSTANTS)
def test_an_instant_is_read_in_utc(text: str) -> None:
    assert values.instant(text) == INSTANTS[text]


@pytest.mark.parametrize("text", BAD_INSTANTS)
def test_what_is_no_instant_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not an instant"):
        values.instant(text)


@pytest.mark.parametrize(
    "placeholder", ["[Summary]", " [Contact::EntityId] ", "[a_1]", "[]", "[a b]"]
)
def test_an_unresolved_placeholder_is_absent(placeholder: str) -> None:
    is_placeholder = placeholder.strip() not in {"[]", "[a b]"}
    assert values.present(placeholder) == ("" if is_placeholder else placeholder)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("  Anna\t", "Anna"),
        ("a\x00b", "ab"),
        ("\x00 a", "a"),
        ("\ud800x\udfff", "x"),
        ("\N{PILE OF POO}", "\N{PILE OF POO}"),
        ("[Summary] of it", "[Summary] of it"),
    ],
)
def test_a_text_loses_what_no_database_keeps(text: str, kept: str) -> None:
    assert values.clean(text) == kept
    assert values.present(text) == kept


texts = st.one_of(
    st.text(),
    st.text(alphabet="0123456789:.,-/+TZ AMPDate()GMTNov"),
    st.from_regex(values._ISO, fullmatch=True),
    st.from_regex(values._DOTNET, fullmatch=True),
    st.from_regex(values._JSON_DATE, fullmatch=True),
)


@given(texts)
def test_an_instant_of_any_text_is_utc_or_refused(text: str) -> None:
    try:
        value = values.instant(text)
    except ValueError as ex:
        assert str(ex).startswith("is not an instant")  # noqa: PT017 - both ways are right
    else:
        assert value is None or (value.tzinfo is timezone.utc and value >= BELOW_ALL)


@given(st.one_of(st.text(), st.text(alphabet="0123456789:.,"), st.from_regex(values._CLOCK)))
def test_a_duration_of_any_text_is_seconds_or_refused(text: str) -> None:
    try:
        seconds = values.duration(text)
    except ValueError as ex:
        assert "is " in str(ex)  # noqa: PT017 - both ways are right
    else:
        assert 0 <= seconds <= LONGEST


@given(st.datetimes(min_value=datetime(2, 1, 2), max_value=datetime(9999, 12, 30)))  # noqa: DTZ001
def test_every_instant_is_read_back(moment: datetime) -> None:
    moment = moment.replace(tzinfo=timezone.utc)
    assert values.instant(moment.isoformat()) == moment
    whole = moment.replace(microsecond=0)
    for form in ("{0:%m/%d/}{0.year:04}{0: %H:%M:%S}", "{0:%d.%m.}{0.year:04}{0: %H:%M:%S}"):
        assert values.instant(form.format(whole)) == whole


@given(st.integers(0, LONGEST))
def test_every_duration_is_read_back(seconds: int) -> None:
    days, rest = divmod(seconds, 86400)
    clock = str(timedelta(seconds=rest))
    assert values.duration(f"{days}.{clock.zfill(8)}") == seconds
    assert values.duration(str(seconds)) == seconds
