"""DateTime as text: .NET's standard and custom format strings.

Written from the .NET documentation, "Standard date and time format strings" and "Custom date and
time format strings".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

from callhelm_threecx.pbx.culture import INVARIANT, Culture
from callhelm_threecx.pbx.errors import EvaluationError
from callhelm_threecx.pbx.values import TICKS_PER_SECOND, DateTime

_UTC_PATTERN = "ddd, dd MMM yyyy HH':'mm':'ss 'GMT'"
_ROUND_TRIP = "yyyy'-'MM'-'dd'T'HH':'mm':'ss'.'fffffffK"
_SORTABLE = "yyyy'-'MM'-'dd'T'HH':'mm':'ss"
_UNIVERSAL = "yyyy'-'MM'-'dd HH':'mm':'ss'Z'"
_SPECIFIERS = frozenset("dfFgHhKmMstyz")
_LONGEST_FORMAT = 1_000

Token = tuple[str, str]
"""A specifier letter with its whole run, or ``"literal"`` with the characters to copy."""


def format_datetime(moment: DateTime, pattern: str = "", culture: Culture = INVARIANT) -> str:
    """Print a DateTime as ``ToString(pattern)`` does; an empty pattern is the general one.

    Raises :class:`EvaluationError` for a pattern at which .NET throws a FormatException.
    """
    if len(pattern) <= 1:
        return _standard(moment, pattern or "G", culture)
    return _custom(moment, pattern, culture)


def _standard(moment: DateTime, letter: str, culture: Culture) -> str:
    if letter == "U":
        return _custom(moment.to_utc(), f"{culture.long_date} {culture.long_time}", culture)
    neutral = {"O": _ROUND_TRIP, "o": _ROUND_TRIP, "R": _UTC_PATTERN, "r": _UTC_PATTERN}
    neutral |= {"s": _SORTABLE, "u": _UNIVERSAL}
    if letter in neutral:
        return _custom(moment, neutral[letter], INVARIANT)
    patterns = {
        "d": culture.short_date,
        "D": culture.long_date,
        "f": f"{culture.long_date} {culture.short_time}",
        "F": f"{culture.long_date} {culture.long_time}",
        "g": f"{culture.short_date} {culture.short_time}",
        "G": f"{culture.short_date} {culture.long_time}",
        "m": culture.month_day,
        "M": culture.month_day,
        "t": culture.short_time,
        "T": culture.long_time,
        "y": culture.year_month,
        "Y": culture.year_month,
    }
    if letter not in patterns:
        raise EvaluationError(f'"{letter}" is not a format for a DateTime.')
    return _custom(moment, patterns[letter], culture)


def _custom(moment: DateTime, pattern: str, culture: Culture) -> str:
    clock = moment.clock
    printed: list[str] = []
    for letter, run in split_pattern(pattern, _SPECIFIERS, "DateTime"):
        if letter == "literal":
            printed.append(run)
        elif letter == "separator":
            printed.append(culture.date_separator if run == "/" else culture.time_separator)
        elif letter in "fF":
            _fraction(printed, letter, len(run), moment.ticks)
        elif letter in "Kz":
            printed.append(_zone(moment, letter, len(run)))
        else:
            printed.append(_FIELDS[letter](clock, len(run), culture))
    return "".join(printed)


def _fraction(printed: list[str], letter: str, digits: int, ticks: int) -> None:
    """Print a fraction of a second; trailing zeros of F go, and a point in front of nothing."""
    text = fraction(ticks % TICKS_PER_SECOND, digits, "DateTime")
    if letter == "F":
        text = text.rstrip("0")
        if not text and printed and printed[-1].endswith("."):
            printed[-1] = printed[-1][:-1]
    printed.append(text)


def fraction(ticks: int, digits: int, kind: str) -> str:
    """Print so many digits of a second's fraction, cut and not rounded."""
    if digits > 7:
        raise EvaluationError(f"A {kind} has no more than seven digits behind the second.")
    return f"{ticks:07d}"[:digits]


def _zone(moment: DateTime, letter: str, length: int) -> str:
    if letter == "K" and moment.kind != "Local":
        return "Z" if moment.kind == "Utc" else ""
    minutes = int(moment.offset.total_seconds()) // 60
    sign = "-" if minutes < 0 else "+"
    hours, minutes = divmod(abs(minutes), 60)
    if letter == "K" or length >= 3:
        return f"{sign}{hours:02d}:{minutes:02d}"
    return f"{sign}{hours:0{length}d}"


def _day(clock: datetime, length: int, culture: Culture) -> str:
    if length <= 2:
        return f"{clock.day:0{length}d}"
    return culture.day(clock.isoweekday() % 7, short=length == 3)


def _month(clock: datetime, length: int, culture: Culture) -> str:
    if length <= 2:
        return f"{clock.month:0{length}d}"
    return culture.month(clock.month, short=length == 3)


def _year(clock: datetime, length: int, _culture: Culture) -> str:
    year = clock.year % 100 if length <= 2 else clock.year
    return f"{year:0{length}d}"


def _noon(clock: datetime, length: int, culture: Culture) -> str:
    name = culture.am if clock.hour < 12 else culture.pm
    return name[:1] if length == 1 else name


def _padded(read: Callable[[datetime], int]) -> Callable[[datetime, int, Culture], str]:
    return lambda clock, length, _culture: f"{read(clock):0{min(length, 2)}d}"


_FIELDS: dict[str, Callable[[datetime, int, Culture], str]] = {
    "d": _day,
    "M": _month,
    "y": _year,
    "t": _noon,
    "g": lambda _clock, _length, culture: culture.era,
    "h": _padded(lambda clock: clock.hour % 12 or 12),
    "H": _padded(lambda clock: clock.hour),
    "m": _padded(lambda clock: clock.minute),
    "s": _padded(lambda clock: clock.second),
}


def split_pattern(pattern: str, specifiers: frozenset[str], kind: str) -> Iterator[Token]:
    """Split a custom format into runs of specifiers, literals and separators.

    A quotation, a backslash or a percent sign that leads nowhere raises EvaluationError.
    """
    if len(pattern) > _LONGEST_FORMAT:
        raise EvaluationError(
            f"The format of a {kind} is longer than {_LONGEST_FORMAT} characters."
        )
    place = 0
    while place < len(pattern):
        letter = pattern[place]
        if letter in specifiers:
            end = place
            while end < len(pattern) and pattern[end] == letter:
                end += 1
            yield letter, pattern[place:end]
            place = end
        elif letter in "'\"":
            literal, place = quoted(pattern, place, kind)
            yield "literal", literal
        elif letter in "\\%":
            yield _escaped(pattern, place, specifiers, kind)
            place += 2
        else:
            yield ("separator" if letter in "/:" else "literal"), letter
            place += 1


def quoted(pattern: str, place: int, kind: str) -> tuple[str, int]:
    """Read the literal whose quotation mark stands at ``place``; also say where it ends."""
    mark, literal = pattern[place], []
    place += 1
    while place < len(pattern) and pattern[place] != mark:
        if pattern[place] == "\\":
            place += 1
        literal.append(pattern[place : place + 1])
        place += 1
    if place >= len(pattern):
        raise EvaluationError(f"The format of a {kind} has a quotation that is not closed.")
    return "".join(literal), place + 1


def _escaped(pattern: str, place: int, specifiers: frozenset[str], kind: str) -> Token:
    following = pattern[place + 1 : place + 2]
    if not following or (pattern[place] == "%" and following == "%"):
        raise EvaluationError(f'The format of a {kind} has "{pattern[place]}" before nothing.')
    if pattern[place] == "\\":
        return "literal", following
    if following in specifiers:
        return following, following
    return ("separator" if following in "/:" else "literal"), following
