"""TimeSpan as text: .NET's standard and custom format strings.

Written from the .NET documentation, "Standard TimeSpan format strings" and "Custom TimeSpan format
strings". Unlike a DateTime's, a custom format here must quote or escape every other character.
"""

from __future__ import annotations

from callhelm_threecx.pbx.culture import INVARIANT, Culture
from callhelm_threecx.pbx.dotnet_dates import fraction, split_pattern
from callhelm_threecx.pbx.errors import EvaluationError
from callhelm_threecx.pbx.values import (
    TICKS_PER_DAY,
    TICKS_PER_HOUR,
    TICKS_PER_MINUTE,
    TICKS_PER_SECOND,
    TimeSpan,
)

_SPECIFIERS = frozenset("dhmsfF")
_UNITS = {
    "d": (TICKS_PER_DAY, 2**63, 8),
    "h": (TICKS_PER_HOUR, 24, 2),
    "m": (TICKS_PER_MINUTE, 60, 2),
    "s": (TICKS_PER_SECOND, 60, 2),
}
"""For each letter: the unit in ticks, where it turns over, and how often it may be repeated."""


def format_timespan(span: TimeSpan, pattern: str = "", culture: Culture = INVARIANT) -> str:
    """Print a TimeSpan as ``ToString(pattern)`` does; an empty pattern is the constant one.

    Raises :class:`EvaluationError` for a pattern at which .NET throws a FormatException.
    """
    if len(pattern) > 1:
        return _custom(span, pattern)
    if pattern in ("", "c", "t", "T"):
        return _constant(span)
    if pattern in ("g", "G"):
        return _general(span, culture, long=pattern == "G")
    raise EvaluationError(f'"{pattern}" is not a format for a TimeSpan.')


def _parts(span: TimeSpan) -> tuple[str, int, int, int, int, int]:
    ticks = abs(span.ticks)
    return (
        "-" if span.ticks < 0 else "",
        ticks // TICKS_PER_DAY,
        ticks // TICKS_PER_HOUR % 24,
        ticks // TICKS_PER_MINUTE % 60,
        ticks // TICKS_PER_SECOND % 60,
        ticks % TICKS_PER_SECOND,
    )


def _constant(span: TimeSpan) -> str:
    sign, days, hours, minutes, seconds, ticks = _parts(span)
    date = f"{days}." if days else ""
    rest = f".{ticks:07d}" if ticks else ""
    return f"{sign}{date}{hours:02d}:{minutes:02d}:{seconds:02d}{rest}"


def _general(span: TimeSpan, culture: Culture, *, long: bool) -> str:
    sign, days, hours, minutes, seconds, ticks = _parts(span)
    digits = f"{ticks:07d}"
    if long:
        clock = f"{days}:{hours:02d}:{minutes:02d}:{seconds:02d}"
        return f"{sign}{clock}{culture.decimal}{digits}"
    date = f"{days}:" if days else ""
    rest = f"{culture.decimal}{digits.rstrip('0')}" if ticks else ""
    return f"{sign}{date}{hours}:{minutes:02d}:{seconds:02d}{rest}"


def _custom(span: TimeSpan, pattern: str) -> str:
    ticks = abs(span.ticks)
    printed: list[str] = []
    place = 0
    for letter, run in split_pattern(pattern, _SPECIFIERS, "TimeSpan"):
        if letter in ("literal", "separator"):
            _refuse_bare(pattern, place, run)
            printed.append(run)
        elif letter in "fF":
            text = fraction(ticks % TICKS_PER_SECOND, len(run), "TimeSpan")
            printed.append(text.rstrip("0") if letter == "F" else text)
        else:
            unit, limit, longest = _UNITS[letter]
            if len(run) > longest:
                raise EvaluationError(f'"{run}" is not a part of a TimeSpan format.')
            printed.append(f"{ticks // unit % limit:0{len(run)}d}")
        place = _behind(pattern, place, run, letter)
    return "".join(printed)


def _refuse_bare(pattern: str, place: int, run: str) -> None:
    if pattern[place] not in "'\"\\":
        raise EvaluationError(f'A TimeSpan format must quote or escape "{run}".')


def _behind(pattern: str, place: int, run: str, letter: str) -> int:
    """Say where the token that began at ``place`` ends in the pattern."""
    opening = pattern[place]
    if opening in "'\"":
        place += 1
        while pattern[place] != opening:
            place += 2 if pattern[place] == "\\" else 1
        return place + 1
    if opening in "\\%":
        return place + 2
    return place + (len(run) if letter in _SPECIFIERS else 1)
