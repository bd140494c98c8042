"""Members of .NET values, found by the type of the value and by name, case and all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from callhelm_threecx.pbx import dotnet_clock, dotnet_strings
from callhelm_threecx.pbx.culture import Culture
from callhelm_threecx.pbx.dotnet_arguments import Method, as_double, as_format, show
from callhelm_threecx.pbx.dotnet_dates import format_datetime
from callhelm_threecx.pbx.dotnet_numbers import format_number
from callhelm_threecx.pbx.dotnet_timespans import format_timespan
from callhelm_threecx.pbx.errors import EvaluationError
from callhelm_threecx.pbx.values import DateTime, TimeSpan, Value, type_name

_Properties = dict[str, Callable[[Any], Value]]


def read_property(value: Value, name: str) -> Value:
    """Read a property such as ``Length``. Raises :class:`EvaluationError` when there is none."""
    _refuse_null(value, name)
    found = _tables(value)[0].get(name)
    if found is None:
        raise EvaluationError(f"{type_name(value)} has no property {name}.")
    return found(value)


def call_method(value: Value, name: str, arguments: tuple[Value, ...], culture: Culture) -> Value:
    """Call a method such as ``Replace``; ``get_Length()`` reads the property.

    Raises :class:`EvaluationError` for null, for an unknown method and for arguments that do not
    fit: on a PBX each of these throws, and the request is not made (reported from live PBXs).
    """
    _refuse_null(value, name)
    if name.startswith("get_") and not arguments:
        return read_property(value, name.removeprefix("get_"))
    if name == "ToString" and len(arguments) <= 1:
        return _to_string(value, arguments, culture)
    found = _tables(value)[1].get(name)
    if found is None:
        raise EvaluationError(f"{type_name(value)} has no method {name}.")
    if not found.fewest <= len(arguments) <= found.most:
        raise EvaluationError(
            f"{type_name(value)}.{name} does not take {len(arguments)} argument(s)."
        )
    result: Value = found.run(value, *arguments)
    return result


def _refuse_null(value: Value, name: str) -> None:
    if value is None:
        raise EvaluationError(f"{name} was asked of a variable that is null.")


def _to_string(value: Value, arguments: tuple[Value, ...], culture: Culture) -> str:
    if not arguments or isinstance(value, (str, bool)):
        return show(value, culture)
    pattern = as_format(arguments[0])
    if isinstance(value, DateTime):
        return format_datetime(value, pattern, culture)
    if isinstance(value, TimeSpan):
        return format_timespan(value, pattern, culture)
    if value is None:
        return ""
    return format_number(value, pattern, culture)


def _compare_numbers(number: float, other: Value) -> int:
    against = as_double(other)
    return (number > against) - (number < against)


_EQUALS = Method(lambda value, other: type(value) is type(other) and value == other, 1, 1)
_NUMBER_METHODS = {"CompareTo": Method(_compare_numbers, 1, 1), "Equals": _EQUALS}
_BOOLEAN_METHODS = {"Equals": _EQUALS}
_NONE: _Properties = {}


def _tables(value: Value) -> tuple[_Properties, dict[str, Method]]:
    if isinstance(value, str):
        return dotnet_strings.PROPERTIES, dotnet_strings.METHODS
    if isinstance(value, DateTime):
        return dotnet_clock.DATE_PROPERTIES, dotnet_clock.DATE_METHODS
    if isinstance(value, TimeSpan):
        return dotnet_clock.SPAN_PROPERTIES, dotnet_clock.SPAN_METHODS
    return _NONE, _BOOLEAN_METHODS if isinstance(value, bool) else _NUMBER_METHODS
