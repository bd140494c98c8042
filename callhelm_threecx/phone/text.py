"""What a written phone number consists of, before any numbering plan is asked.

People and machines write numbers in many costumes: other scripts' digits, invisible direction
marks, ``tel:`` and ``sip:`` URIs, extensions, letters on the keypad. This module takes the costume
off and hands on ASCII digits. It decides nothing that depends on a country.
"""

import re
import unicodedata
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

import phonenumbers

MAX_TEXT: Final = 256
"""Characters that are looked at. The library refuses texts of more than 250 by itself."""

_LEAD: Final = 32  # characters kept before the first digit of an overlong text
_MIN_LETTERS: Final = 3  # fewer letters than this spell nothing on a keypad ("030 123456 p")

_FULL_WIDTH: Final = range(0xFF01, 0xFF5F)
_FULL_WIDTH_OFFSET: Final = 0xFEE0
_PLUS_SIGNS: Final = "\N{SMALL PLUS SIGN}\N{SUPERSCRIPT PLUS SIGN}\N{SUBSCRIPT PLUS SIGN}"

_PLAIN: Final = re.compile(r"[+(]*\d[\d ()/.\-]*", re.ASCII)
_DIGIT: Final = re.compile(r"\d")
_NON_DIGITS: Final = re.compile(r"[^0-9]+")
_LETTER: Final = re.compile(r"[A-Za-z]")
_LOST_PLUS: Final = re.compile(r" \s*(?:[(\[]\s*)?\d")
_ESCAPED_PLUS: Final = re.compile(r"\s*%2B", re.IGNORECASE)
_URI: Final = re.compile(r"\b(?:sips?|tel|callto):(?://)?([^>]*)", re.IGNORECASE)
_PARAMETERS: Final = re.compile(r";\s*[A-Za-z]")
_EXT_PARAMETER: Final = re.compile(r";\s*ext\s*=\s*(\d+)", re.IGNORECASE)
_CONTEXT_PARAMETER: Final = re.compile(r";\s*phone-context\s*=\s*(\+[\d().-]+)", re.IGNORECASE)
_EXTENSION: Final = re.compile(
    r"(?:"
    # a word or sign that announces an extension, not the end of another word ("Fax 12")
    r"(?<![^\W\d_])(?:extension|extensi\u00f3n|extn|ext|xtn|x|anexo|ramal|interno|int|poste|toestel"
    r"|durchwahl|dw|\u0434\u043e\u0431|\u5185\u7dda|\uff03|\#|~)[.:]?\s*(?P<named>\d{1,9})"
    # or the pauses that a mobile phone dials before it
    r"|[,;]+\s*(?P<paused>\d{1,6})"
    r")[\s#)\]]*$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Written:
    """A number as it stands in a text.

    ``spellings`` holds digit strings, the plain one first; the others are what the text may also
    mean (without the bracketed trunk zero of ``+34 (0)91…``; with its letters dialled). ``plus``
    says that an explicit plus was written, ``lost_plus`` that a URL turned it into a space.
    """

    spellings: tuple[str, ...]
    plus: bool
    lost_plus: bool
    extension: str


def bounded(text: str) -> str:
    """Return the part of ``text`` worth looking at, at most ``MAX_TEXT`` characters."""
    if len(text) <= MAX_TEXT:
        return text
    first = _DIGIT.search(text)
    start = max(0, first.start() - _LEAD) if first else 0
    return text[start : start + MAX_TEXT]


def restore_plus(text: str) -> str:
    """Return ``text`` with the leading space that was a plus before a URL lost it put back."""
    return "+" + text[1:] if _LOST_PLUS.match(text) else text


def read(text: str) -> Written | None:
    """Take a bounded text apart; None when it has no digit."""
    if _PLAIN.fullmatch(text):  # most numbers are: nothing of what is looked for below is in it
        return Written(
            spellings=_spellings(text.lstrip("+("), has_letters=False),
            plus="+" in text,
            lost_plus=False,
            extension="",
        )
    text = _number_of_uri(_ascii(text))
    lost_plus = _LOST_PLUS.match(text) is not None
    number, extension = _split_extension(text)
    first = _DIGIT.search(number)
    if first is None:
        return None
    body = number[first.start() :]
    return Written(
        spellings=_spellings(body),
        plus="+" in number[: first.start()],
        lost_plus=lost_plus,
        extension=extension,
    )


def _ascii(text: str) -> str:
    return text if text.isascii() else "".join(map(_ascii_character, text))


def _ascii_character(character: str) -> str:
    if character.isascii():
        return character
    if character.isdecimal():
        return str(unicodedata.decimal(character))
    if ord(character) in _FULL_WIDTH:
        return chr(ord(character) - _FULL_WIDTH_OFFSET)
    if character in _PLUS_SIGNS:
        return "+"
    if unicodedata.category(character) == "Cf":  # direction marks, zero-width and soft hyphens
        return ""
    # Only a plain space can be a lost plus, so the other spaces must not turn into one.
    return "\t" if character.isspace() else character


def _number_of_uri(text: str) -> str:
    uri = _URI.search(text)
    if uri and _DIGIT.search(uri[1]):
        text = unquote(uri[1]) if "%" in uri[1] else uri[1]
    elif _ESCAPED_PLUS.match(text):
        text = unquote(text)
    before_host = text.partition("@")[0]
    return before_host if _DIGIT.search(before_host) else text


def _split_extension(text: str) -> tuple[str, str]:
    parameters = _PARAMETERS.search(text)
    if parameters and _DIGIT.search(text, 0, parameters.start()):
        return _apply_parameters(text[: parameters.start()], text[parameters.start() :])
    found = _EXTENSION.search(text)
    if found and _DIGIT.search(text, 0, found.start()):
        return text[: found.start()], found["named"] or found["paused"]
    return text, ""


def _apply_parameters(number: str, parameters: str) -> tuple[str, str]:
    """Read the parameters of RFC 3966: the extension, and the prefix of a local number."""
    context = _CONTEXT_PARAMETER.search(parameters)
    if context and "+" not in number:
        number = context[1] + number
    extension = _EXT_PARAMETER.search(parameters)
    if extension:
        return number, extension[1]
    return _split_extension(number)


def _spellings(body: str, *, has_letters: bool = True) -> tuple[str, ...]:
    spellings = [_NON_DIGITS.sub("", body)]
    if "(0)" in body:
        spellings.append(_NON_DIGITS.sub("", body.replace("(0)", "", 1)))
    if has_letters and len(_LETTER.findall(body)) >= _MIN_LETTERS:
        dialled = phonenumbers.convert_alpha_characters_in_number(body)
        spellings.append(_NON_DIGITS.sub("", dialled))
    return tuple(dict.fromkeys(spellings)) if len(spellings) > 1 else (spellings[0],)
