"""The members of System.String that templates use."""

from __future__ import annotations

from collections.abc import Callable

from callhelm_threecx.pbx.dotnet_arguments import (
    MAX_TEXT,
    Method,
    as_char,
    as_integer,
    as_text,
    checked,
)
from callhelm_threecx.pbx.errors import EvaluationError
from callhelm_threecx.pbx.values import Value

_WHITE_SPACE = None


def _replace(text: str, old: Value, new: Value) -> str:
    wanted = as_text(old)
    if not wanted:
        raise EvaluationError("Replace cannot look for an empty text.")
    put = "" if new is None else as_text(new)
    growth = len(put) - len(wanted)
    if growth > 0 and len(text) + text.count(wanted) * growth > MAX_TEXT:
        raise EvaluationError(f"The text is longer than {MAX_TEXT:,} characters.")
    return text.replace(wanted, put)


def _substring(text: str, start: Value, length: Value = None) -> str:
    begin = as_integer(start)
    count = len(text) - begin if length is None else as_integer(length)
    if not 0 <= begin <= len(text) or count < 0 or begin + count > len(text):
        raise EvaluationError(
            f"Substring({begin}, {count}) reaches outside a text of {len(text)} characters."
        )
    return text[begin : begin + count]


def _pad_left(text: str, width: Value, filler: Value = " ") -> str:
    return text.rjust(_width(width), as_char(filler))


def _pad_right(text: str, width: Value, filler: Value = " ") -> str:
    return text.ljust(_width(width), as_char(filler))


def _width(value: Value) -> int:
    width = as_integer(value)
    if not 0 <= width <= MAX_TEXT:
        raise EvaluationError(f"A width of {width} is out of bounds.")
    return width


def _insert(text: str, place: Value, piece: Value) -> str:
    index = as_integer(place)
    if not 0 <= index <= len(text):
        raise EvaluationError(f"Insert at {index} lies outside a text of {len(text)} characters.")
    return checked(text[:index] + as_text(piece) + text[index:])


def _remove(text: str, start: Value, count: Value = None) -> str:
    begin = as_integer(start)
    length = len(text) - begin if count is None else as_integer(count)
    if not 0 <= begin <= len(text) or length < 0 or begin + length > len(text):
        raise EvaluationError(
            f"Remove({begin}, {length}) reaches outside a text of {len(text)} characters."
        )
    return text[:begin] + text[begin + length :]


def _index_of(text: str, wanted: Value, start: Value = 0) -> int:
    begin = as_integer(start)
    if not 0 <= begin <= len(text):
        raise EvaluationError(f"IndexOf from {begin} is outside a text of {len(text)} characters.")
    return text.find(as_text(wanted), begin)


def _trimmed(side: str) -> Method:
    def trim(text: str, *characters: Value) -> str:
        unwanted = "".join(as_text(each) for each in characters) or _WHITE_SPACE
        return {"": text.strip, "Start": text.lstrip, "End": text.rstrip}[side](unwanted)

    return Method(trim, 0, 16)


def _compare(text: str, other: Value) -> int:
    against = "" if other is None else as_text(other)
    return (text > against) - (text < against)


def _chars(text: str, place: Value) -> str:
    index = as_integer(place)
    if not 0 <= index < len(text):
        raise EvaluationError(f"A text of {len(text)} characters has none at {index}.")
    return text[index]


PROPERTIES: dict[str, Callable[[str], Value]] = {"Length": len}

METHODS = {
    "Chars": Method(_chars, 1, 1),
    "CompareTo": Method(_compare, 1, 1),
    "Contains": Method(lambda text, piece: as_text(piece) in text, 1, 1),
    "EndsWith": Method(lambda text, piece: text.endswith(as_text(piece)), 1, 1),
    "Equals": Method(lambda text, other: text == other, 1, 1),
    "IndexOf": Method(_index_of, 1, 2),
    "Insert": Method(_insert, 2, 2),
    "LastIndexOf": Method(lambda text, piece: text.rfind(as_text(piece)), 1, 1),
    "PadLeft": Method(_pad_left, 1, 2),
    "PadRight": Method(_pad_right, 1, 2),
    "Remove": Method(_remove, 1, 2),
    "Replace": Method(_replace, 2, 2),
    "StartsWith": Method(lambda text, piece: text.startswith(as_text(piece)), 1, 1),
    "Substring": Method(_substring, 1, 2),
    "ToLower": Method(lambda text: text.lower()),
    "ToLowerInvariant": Method(lambda text: text.lower()),
    "ToString": Method(lambda text: text),
    "ToUpper": Method(lambda text: checked(text.upper())),
    "ToUpperInvariant": Method(lambda text: checked(text.upper())),
    "Trim": _trimmed(""),
    "TrimEnd": _trimmed("End"),
    "TrimStart": _trimmed("Start"),
}
