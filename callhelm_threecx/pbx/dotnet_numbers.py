"""Numbers as text: .NET's standard format strings, and the plain form without one.

Written from the .NET documentation, "Standard numeric format strings". Digits come from the exact
value and round half away from zero, as .NET Core 3.0 and later do.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Context, Decimal

from callhelm_threecx.pbx.culture import INVARIANT, Culture
from callhelm_threecx.pbx.dotnet_custom import format_custom
from callhelm_threecx.pbx.errors import EvaluationError

Number = int | float

_STANDARD = re.compile(r"([A-Za-z])(\d{0,9})")
_MAX_PRECISION = 1_000
_EXACT = Context(prec=2_000, rounding=ROUND_HALF_UP)
_MOST_DIGITS = 1_500
_INTEGER_FORMATS = frozenset("DX")


def format_number(number: Number, pattern: str = "", culture: Culture = INVARIANT) -> str:
    """Print a number as ``ToString(pattern)`` does; an empty pattern is the general one.

    Raises :class:`EvaluationError` for a pattern at which .NET throws a FormatException.
    """
    special = _not_finite(number)
    if special:
        return special
    if isinstance(number, int) and number.bit_length() > 4_000:
        raise EvaluationError("The number is too large.")
    standard = _STANDARD.fullmatch(pattern or "G")
    if standard is None:
        return format_custom(Decimal(number), pattern, culture)
    letter, precision = standard.group(1), int(standard.group(2) or -1)
    if precision > _MAX_PRECISION:
        raise EvaluationError(f'"{pattern}" asks for more than {_MAX_PRECISION} digits.')
    printer = _PRINTERS.get(letter.upper())
    if printer is None or (letter.upper() in _INTEGER_FORMATS and isinstance(number, float)):
        raise EvaluationError(f'"{pattern}" is not a format for this number.')
    return printer(number, letter, precision, culture)


def rounded(number: Decimal, places: int) -> Decimal:
    """Round half away from zero to so many digits behind the point."""
    return number.quantize(Decimal(1).scaleb(-places), context=_EXACT)


def grouped(digits: str, separator: str) -> str:
    """Set a separator between groups of three digits."""
    head = len(digits) % 3
    groups = [digits[:head]] if head else []
    groups += [digits[place : place + 3] for place in range(head, len(digits), 3)]
    return separator.join(groups)


def _not_finite(number: Number) -> str:
    if isinstance(number, int) or number - number == 0:
        return ""
    if number != number:  # noqa: PLR0124 - the one value that differs from itself
        return "NaN"
    return "Infinity" if number > 0 else "-Infinity"


def _fixed(number: Decimal, places: int, culture: Culture, *, group: bool) -> str:
    """Print the absolute value with so many digits behind the point."""
    whole, _, rest = f"{abs(rounded(number, places)):f}".partition(".")
    if group:
        whole = grouped(whole, culture.group)
    return f"{whole}{culture.decimal}{rest}" if rest else whole


def _minus(number: Number) -> str:
    negative = number < 0 or (isinstance(number, float) and str(number).startswith("-"))
    return "-" if negative else ""


def _currency(number: Number, _letter: str, precision: int, culture: Culture) -> str:
    digits = _fixed(Decimal(number), 2 if precision < 0 else precision, culture, group=True)
    shape = culture.negative_currency if _minus(number) else culture.currency
    return shape.format(digits)


def _decimal(number: Number, _letter: str, precision: int, _culture: Culture) -> str:
    return f"{_minus(number)}{str(abs(int(number))).zfill(max(precision, 1))}"


def _exponential(number: Number, letter: str, precision: int, culture: Culture) -> str:
    places = 6 if precision < 0 else precision
    digits, exponent = _significant(Decimal(number), places + 1)
    rest = f"{culture.decimal}{digits[1:].ljust(places, '0')}" if places else ""
    sign = "-" if exponent < 0 else "+"
    return f"{_minus(number)}{digits[0]}{rest}{letter}{sign}{abs(exponent):03d}"


def _fixed_point(number: Number, _letter: str, precision: int, culture: Culture) -> str:
    places = 2 if precision < 0 else precision
    return f"{_minus(number)}{_fixed(Decimal(number), places, culture, group=False)}"


def _thousands(number: Number, _letter: str, precision: int, culture: Culture) -> str:
    places = 2 if precision < 0 else precision
    return f"{_minus(number)}{_fixed(Decimal(number), places, culture, group=True)}"


def _percent(number: Number, _letter: str, precision: int, culture: Culture) -> str:
    places = 2 if precision < 0 else precision
    digits = _fixed(_EXACT.multiply(Decimal(number), 100), places, culture, group=True)
    return f"{_minus(number)}{culture.percent.format(digits)}"


def _hexadecimal(number: Number, letter: str, precision: int, _culture: Culture) -> str:
    width = 32 if -(2**31) <= number < 2**31 else 64
    digits = f"{int(number) % 2**width:x}".zfill(max(precision, 1))
    return digits.upper() if letter == "X" else digits


def _general(number: Number, letter: str, precision: int, culture: Culture) -> str:
    """Print the shortest text that reads back as the number, or so many significant digits."""
    if isinstance(number, int) and precision <= 0:
        return str(number)
    exact = Decimal(repr(number)) if precision <= 0 else Decimal(number)
    digits, exponent = _significant(exact, precision if precision > 0 else _MOST_DIGITS)
    digits = digits.rstrip("0") or "0"
    limit = precision if precision > 0 else 15
    if -5 < exponent < limit:
        return _minus(number) + _positional(digits, exponent, culture)
    rest = f"{culture.decimal}{digits[1:]}" if len(digits) > 1 else ""
    mark = "e" if letter == "g" else "E"
    return (
        f"{_minus(number)}{digits[0]}{rest}{mark}{'-' if exponent < 0 else '+'}{abs(exponent):02d}"
    )


def _positional(digits: str, exponent: int, culture: Culture) -> str:
    if exponent < 0:
        return f"0{culture.decimal}{'0' * (-exponent - 1)}{digits}"
    whole = digits[: exponent + 1].ljust(exponent + 1, "0")
    rest = digits[exponent + 1 :]
    return f"{whole}{culture.decimal}{rest}" if rest else whole


def _significant(number: Decimal, count: int) -> tuple[str, int]:
    """Round to so many significant digits; give them and the power of ten of the first."""
    if not number:
        return "0", 0
    short = Context(prec=count, rounding=ROUND_HALF_UP).plus(abs(number))
    return "".join(map(str, short.as_tuple().digits)), short.adjusted()


_PRINTERS: dict[str, Callable[[Number, str, int, Culture], str]] = {
    "C": _currency,
    "D": _decimal,
    "E": _exponential,
    "F": _fixed_point,
    "G": _general,
    "N": _thousands,
    "P": _percent,
    "R": lambda number, _letter, _precision, culture: _general(number, "G", -1, culture),
    "X": _hexadecimal,
}
