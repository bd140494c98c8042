"""How the arguments of a .NET method are read: what was written in a template, made to fit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from callhelm_threecx.pbx.culture import Culture
from callhelm_threecx.pbx.dotnet_dates import format_datetime
from callhelm_threecx.pbx.dotnet_numbers import format_number
from callhelm_threecx.pbx.dotnet_timespans import format_timespan
from callhelm_threecx.pbx.errors import EvaluationError
from callhelm_threecx.pbx.values import DateTime, TimeSpan, Value, type_name

MAX_TEXT = 1_000_000
"""Characters that any text made by the engine may have."""

_MAX_INT32 = 2**31 - 1


@dataclass(frozen=True)
class Method:
    """A .NET method: what it does, and how many arguments it may have."""

    run: Callable[..., Value]
    fewest: int = 0
    most: int = 0


def show(value: Value, culture: Culture) -> str:
    """Print a value as a PBX does when it stands in a text by itself; null prints nothing."""
    if value is None:
        return ""
    if isinstance(value, (str, bool)):
        return str(value)
    if isinstance(value, DateTime):
        return format_datetime(value, "", culture)
    if isinstance(value, TimeSpan):
        return format_timespan(value, "", culture)
    return format_number(value, "", culture)


def checked(text: str) -> str:
    """Let a text through unless it has grown out of bounds. Raises :class:`EvaluationError`."""
    if len(text) > MAX_TEXT:
        raise EvaluationError(f"The text is longer than {MAX_TEXT:,} characters.")
    return text


def as_text(value: Value) -> str:
    """Read an argument of type String or Char."""
    if isinstance(value, str):
        return value
    if isinstance(value, (bool, int)):
        return str(value)
    raise EvaluationError(f"A String is expected, not {type_name(value)}.")


def as_format(value: Value) -> str:
    """Read a format string; null is the same as none."""
    return "" if value is None else as_text(value)


def as_char(value: Value) -> str:
    """Read an argument of type Char."""
    text = as_text(value)
    if len(text) != 1:
        raise EvaluationError(f'One character is expected, not "{text[:20]}".')
    return text


def as_integer(value: Value) -> int:
    """Read an argument of type Int32."""
    if isinstance(value, bool):
        raise EvaluationError("A whole number is expected, not Boolean.")
    try:
        number = int(value) if isinstance(value, (int, str)) and len(str(value)) < 20 else None
    except ValueError:
        number = None
    if number is None or abs(number) > _MAX_INT32:
        raise EvaluationError(f"A whole number is expected, not {_quoted(value)}.")
    return number


def as_double(value: Value) -> float:
    """Read an argument of type Double, written with a point."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    try:
        number = float(value) if isinstance(value, str) else float("nan")
    except ValueError:
        number = float("nan")
    if number - number != 0:
        raise EvaluationError(f"A number is expected, not {_quoted(value)}.")
    return number


def as_span(value: Value) -> TimeSpan:
    """Read an argument of type TimeSpan."""
    if isinstance(value, TimeSpan):
        return value
    raise EvaluationError(f"A TimeSpan is expected, not {type_name(value)}.")


def as_date(value: Value) -> DateTime:
    """Read an argument of type DateTime."""
    if isinstance(value, DateTime):
        return value
    raise EvaluationError(f"A DateTime is expected, not {type_name(value)}.")


def _quoted(value: Value) -> str:
    return f'"{value[:20]}"' if isinstance(value, str) else type_name(value)
