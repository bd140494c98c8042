"""Single values as a PBX writes them: text, placeholders, durations, instants.

Every reader is tolerant where the meaning is certain and raises `ValueError`, with a sentence that
can be shown, where it is not.
"""

import re
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from typing import Final

MAX_DURATION_S: Final = 2**31 - 1
"""Longest duration that is kept, in seconds (some 68 years)."""

_PLACEHOLDER: Final = re.compile(r"\[[\w:]+\]")
_UNKEEPABLE: Final = re.compile("[\x00\ud800-\udfff]")
_CLOCK: Final = re.compile(
    r"(?:(?P<days>\d{1,8})\.)?(?:(?P<hours>\d{1,6}):)?(?P<minutes>\d{1,3}):(?P<seconds>\d{2})"
    r"(?:[.,]\d{1,9})?",
    re.ASCII,
)
_SECONDS: Final = re.compile(r"(\d{1,12})(?:[.,]\d{1,9})?", re.ASCII)
_ISO: Final = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?)?"
    r"\s*(Z|[+-]\d{2}:?\d{2})?",
    re.ASCII | re.IGNORECASE,
)
_DOTNET: Final = re.compile(
    r"(\d{1,2})([/.\-])(\d{1,2})\2(\d{4})[,\s]+(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,]\d{1,7})?)?"
    r"(?:\s*([AP])\.?M\.?)?\s*(Z|[+-]\d{2}:?\d{2})?",
    re.ASCII | re.IGNORECASE,
)
_RFC1123: Final = re.compile(
    r"(?:[a-z]{3},? )?\d{1,2} [a-z]{3} (\d{4}) \d{1,2}:\d{2}:\d{2} ?(?:[a-z]{1,4}|[+-]\d{4})?",
    re.ASCII | re.IGNORECASE,
)
_JSON_DATE: Final = re.compile(r"/Date\((-?\d{1,16})(?:[+-]\d{4})?\)/", re.ASCII)
_MILLISECONDS: Final = re.compile(r"\d{12,14}", re.ASCII)


def clean(text: str) -> str:
    """A text without what no database keeps (NUL, lone surrogates), stripped at its ends."""
    if text.isascii() and "\0" not in text:  # most are; only others can have surrogates
        return text.strip()
    return _UNKEEPABLE.sub("", text).strip()


def present(text: str) -> str:
    """A clean text, empty when it is a placeholder that the PBX did not fill (``[Summary]``).

    A variable that a PBX version does not know arrives as its own placeholder (reported from live
    PBXs).
    """
    cleaned = clean(text)
    return "" if _PLACEHOLDER.fullmatch(cleaned) else cleaned


def duration(text: str) -> int:
    """A duration in whole seconds: ``hh:mm:ss``, ``d.hh:mm:ss``, ``mm:ss`` or seconds.

    A fraction of a second, which a .NET TimeSpan may carry, is cut off.
    """
    if match := _SECONDS.fullmatch(text):
        seconds = int(match[1])
    elif match := _CLOCK.fullmatch(text):
        seconds = _clock_seconds(match)
    else:
        raise ValueError("is not a duration such as 00:03:25")
    if seconds > MAX_DURATION_S:
        raise ValueError("is longer than any call")
    return seconds


def _clock_seconds(match: re.Match[str]) -> int:
    days, hours = int(match["days"] or 0), int(match["hours"] or 0)
    minutes, seconds = int(match["minutes"]), int(match["seconds"])
    if match["days"] and not match["hours"]:
        raise ValueError("is not a duration such as 1.02:03:25")
    if seconds > 59 or (match["hours"] and minutes > 59) or (match["days"] and hours > 23):
        raise ValueError("is not a duration: a part of it is out of range")
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds


def instant(text: str) -> datetime | None:
    """An instant in UTC, from ISO 8601 or from the ways in which .NET prints a DateTime.

    Without a zone it is UTC (the PBX's ``…UTC`` variables). ``11/22/2026 8:35:00`` is read month
    first, as .NET's invariant culture writes it, unless that is impossible; with dots
    (``22.11.2026 08:35:00``) the day is first. None for .NET's "no instant"
    (``0001-01-01T00:00:00``).
    """
    try:
        value = _read_instant(" ".join(text.split()))  # .NET puts a narrow space before AM
        if value.year < 2:  # whatever its zone, which may lead out of the calendar
            return None
        return value.astimezone(timezone.utc)
    except (ValueError, OverflowError):
        raise ValueError("is not an instant such as 2026-11-22T08:35:00Z") from None


def _read_instant(text: str) -> datetime:
    if match := _ISO.fullmatch(text):
        year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
        micros = int((match[7] or "0")[:6].ljust(6, "0"))
        return datetime(year, month, day, hour, minute, second, micros, tzinfo=_zone(match[8]))
    if match := _DOTNET.fullmatch(text):
        return _read_dotnet(match)
    if match := _JSON_DATE.fullmatch(text) or _MILLISECONDS.fullmatch(text):
        milliseconds = int(match[match.lastindex or 0])
        return datetime.fromtimestamp(0, timezone.utc) + timedelta(milliseconds=milliseconds)
    match = _RFC1123.fullmatch(text)  # .NET's "R"
    if match is None:
        raise ValueError("no form of an instant")
    if int(match[1]) == 1:  # the parser takes that for a year of two digits
        return datetime.min.replace(tzinfo=timezone.utc)
    value = parsedate_to_datetime(text)
    return value if value.tzinfo else value.replace(tzinfo=timezone.utc)


def _read_dotnet(match: re.Match[str]) -> datetime:
    first, second, year = int(match[1]), int(match[3]), int(match[4])
    hour = int(match[5])
    day_first = match[2] == "." or first > 12
    if match[8]:
        if not 1 <= hour <= 12:
            raise ValueError("an hour that no twelve-hour clock shows")
        hour = hour % 12 + (12 if match[8].upper() == "P" else 0)
    day, month = (first, second) if day_first else (second, first)
    zone = _zone(match[9])
    return datetime(year, month, day, hour, int(match[6]), int(match[7] or 0), tzinfo=zone)


def _zone(text: str | None) -> timezone:
    if not text or text.upper() == "Z":
        return timezone.utc
    minutes = int(text[1:3]) * 60 + int(text[-2:])
    return timezone(timedelta(minutes=-minutes if text[0] == "-" else minutes))
