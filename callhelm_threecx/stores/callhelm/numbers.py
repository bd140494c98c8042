"""Finding a number in free text, by an index on an expression.

A host keeps one number as somebody typed it: ``(415) 555-2671``, ``+49 (0)30 123456 x12``. All ways
to write a number end in the same digits, and the fewest of them that a numbering plan completes to
a full number are six: San Marino's and Guernsey's subscribers are written so, and Argentina's
mobile numbers have a 15 in front of theirs that an international caller does not dial. So the key
of a text is its last six digits (reversed, as `phone.PhoneNumber.tail` is), without the extension.
What has fewer digits is its own key. A lookup asks for the few keys that a searched number may
have, and every row that comes is then read by the phone convention, which decides.

The key being equal, not in a range, one index condition serves any number of readings, and the
planner knows how many rows to expect.

Expressions here are part of indexes: where one changes, the indexes have to be built anew.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from sqlalchemy import ColumnElement, Text, case, func, literal_column
from sqlalchemy.sql.functions import FunctionElement

from callhelm_threecx import phone

KEY: Final = 6
"""Digits of a key."""

# What `phone` takes for an extension, in the words of PostgreSQL's regular expressions; in the "C"
# collation letters beyond ASCII have one case.
_EXTENSION: Final = (
    "^(.*[0-9].*?)"
    "(?:(?<![[:alpha:]])(?:extension|extensi[\\u00f3\\u00d3]n|extn|ext|xtn|x|anexo|ramal|interno|int"
    "|poste|toestel|durchwahl|dw|\\u0434\\u043e\\u0431|\\u0414\\u041e\\u0411|\\u5185\\u7dda|\\uff03|#|~)"
    "[.:]?\\s*[0-9]{1,9}|[,;]+\\s*[0-9]{1,6})[\\s#)\\]]*$"
)
_PARAMETERS: Final = "([0-9][^;]*);\\s*[A-Za-z].*$"
_HOST: Final = "^([^@]*[0-9][^@]*)@.*$"
_VANITY: Final = "[0-9].*[A-Za-z].*[A-Za-z].*[A-Za-z]"

# Zeros of the scripts whose digits people type: ASCII's, Arabic's, Persian's, Devanagari's,
# Bengali's, Thai's and the full-width ones.
_ZEROS: Final = "\u0660\u06f0\u0966\u09e6\u0e50\uff10"
_FOREIGN_DIGITS: Final = "".join(chr(ord(zero) + i) for zero in _ZEROS for i in range(10))
_SIGNS: Final = "+ ()-./"
_KEYPAD: Final = ("abcdefghijklmnopqrstuvwxyz", "22233344455566677778889999")


def constant(text: str) -> ColumnElement[str]:
    """A text written into the statement: an index is used for the very same expression only. It is
    written in ASCII, so that no terminal or editor can alter it on its way into `psql`."""
    quoted = text.replace("'", "''")
    if text.isascii():
        return literal_column(f"'{quoted}'", Text())
    codes = (c if c.isascii() else f"\\+{ord(c):06x}" for c in quoted.replace("\\", "\\\\"))
    return literal_column(f"U&'{''.join(codes)}'", Text())


def is_ascii(text: Any) -> ColumnElement[bool]:
    """Whether there is nothing but ASCII in a text: that is quickly seen, and saves most work."""
    return func.octet_length(text) == func.char_length(text)


def plain_digits(text: Any) -> FunctionElement[str]:
    """A text with the digits of other scripts in ASCII."""
    return func.translate(text, constant(_FOREIGN_DIGITS), constant("0123456789" * len(_ZEROS)))


def only_digits(text: Any) -> FunctionElement[str]:
    """The ASCII digits of a text."""
    return func.regexp_replace(text, constant("[^0-9]+"), constant(""), constant("g"))


def without_extension(column: Any) -> ColumnElement[str]:
    """A written number without its extension, the parameters of a URI and the host behind it."""
    written = column.collate("C")
    text: ColumnElement[str] = case((is_ascii(column), written), else_=plain_digits(written))
    for pattern in (_HOST, _PARAMETERS, _EXTENSION):
        text = func.regexp_replace(text, constant(pattern), constant(r"\1"), constant("i"))
    return text


def number_digits(column: Any) -> ColumnElement[str]:
    """The digits of a written number. Most are digits and signs alone, and regular expressions
    take their time: they are for the others."""
    is_plain = func.translate(column, constant(f"0123456789{_SIGNS}"), constant("")) == constant("")
    plain = func.translate(column, constant(_SIGNS), constant(""))
    # The case of a "C" text and another one would have no collation to be compared in.
    return case((is_plain, plain.collate("C")), else_=only_digits(without_extension(column)))


def number_key(column: Any) -> FunctionElement[str]:
    """The key of a written number: an empty one for a text without a digit."""
    return _key(number_digits(column))


def has_letters(column: Any) -> ColumnElement[bool]:
    """Whether a text may be a number with letters to be dialled, ``1-800-FLOWERS``: few are."""
    letters: ColumnElement[bool] = column.op("~", is_comparison=True)(constant(_VANITY))
    return letters


def dialled_key(column: Any) -> FunctionElement[str]:
    """The key of a written number whose letters are dialled."""
    letters, digits = (constant(text) for text in _KEYPAD)
    return _key(only_digits(func.translate(func.lower(without_extension(column)), letters, digits)))


def _key(digits: ColumnElement[str]) -> FunctionElement[str]:
    return func.left(func.reverse(digits), literal_column(str(KEY)))


def keys_of_search(wanted: phone.Candidates, region: str) -> list[str]:
    """The keys that a text may have which `phone.candidates` takes for a match."""
    keys = [key for digits in wanted.exact for key in keys_of_digits(digits, region)]
    if wanted.suffix:
        keys.append(key_of(wanted.suffix))
        keys += _completed_by_plan(wanted.suffix, region)
    return list(dict.fromkeys(keys))


def keys_of_digits(digits: str, region: str) -> list[str]:
    """The keys that a text may have which `phone.parse` keeps as these digits."""
    return list(dict.fromkeys(key_of(form) for form in _forms(digits, region)))


def key_of(digits: str) -> str:
    """The key of digits."""
    return digits[::-1][:KEY]


def national_part(digits: str, region: str) -> str:
    """The digits with which every written form of a number ends, as a rule."""
    return min(_forms(digits, region), key=len)


def _forms(digits: str, region: str) -> Iterable[str]:
    number = phone.parse("+" + digits, region)
    if number is None or not number.is_e164 or number.digits != digits:
        return (digits,)
    *others, bare = phone.search_digits(number)
    # A number that is shorter than a key may have any trunk prefix in it; nearly all are a zero.
    return (*others, bare, "0" + bare) if len(bare) < KEY else (*others, bare)


def _completed_by_plan(suffix: str, region: str) -> Iterator[str]:
    """Keys of short numbers of the region whose full digits end in the suffix (``4002``, which is
    +683 4002 in Niue, ends in ``834002``)."""
    for length in range(1, KEY):
        for trunk in ("", "0"):
            number = phone.parse(trunk + suffix[-length:], region)
            if number is not None and number.is_e164 and number.digits.endswith(suffix):
                yield from keys_of_digits(number.digits, region)
