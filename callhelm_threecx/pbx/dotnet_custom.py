"""Numbers as text by a custom format: ``0 # . , % ‰ E0``, quotations and up to three sections.

Written from the .NET documentation, "Custom numeric format strings".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Context, Decimal

from callhelm_threecx.pbx.culture import Culture
from callhelm_threecx.pbx.errors import EvaluationError

_EXACT = Context(prec=2_000, rounding=ROUND_HALF_UP)
_LONGEST_FORMAT = 1_000


@dataclass
class _Section:
    """One section of a custom format, read into placeholders and literals."""

    whole: list[str] = field(default_factory=list)  # "0", "#", or a literal behind a NUL mark
    rest: list[str] = field(default_factory=list)
    point: bool = False
    grouped: bool = False
    scale: int = 0  # power of ten to multiply the number by
    exponent: str = ""  # such as "E+00"


def format_custom(number: Decimal, pattern: str, culture: Culture) -> str:
    """Print a number by a custom format. Raises EvaluationError for an overlong one."""
    if len(pattern) > _LONGEST_FORMAT:
        raise EvaluationError(f"The format is longer than {_LONGEST_FORMAT} characters.")
    sections = [_read(part) for part in _split(pattern)]
    chosen, minus = _choose(sections, number)
    digits = _digits(abs(number), chosen)
    if not any(digits[0] + digits[1]) or set(digits[0] + digits[1]) <= {"0"}:
        # A number that rounds to zero is printed by the section for zero, without a sign.
        zero = sections[2] if len(sections) > 2 else sections[0]
        if number and chosen is not zero:
            chosen, digits = zero, _digits(Decimal(0), zero)
        minus = ""
    return minus + _print(chosen, digits, culture)


def _choose(sections: list[_Section], number: Decimal) -> tuple[_Section, str]:
    if number < 0:
        if len(sections) > 1 and (sections[1].whole or sections[1].rest):
            return sections[1], ""
        return sections[0], "-"
    if number == 0 and len(sections) > 2:
        return sections[2], ""
    return sections[0], ""


def _split(pattern: str) -> list[str]:
    """Split at the semicolons that are neither quoted nor escaped."""
    parts, current, quote, place = [], "", "", 0
    while place < len(pattern):
        letter = pattern[place]
        if letter == "\\" and not quote:
            current += pattern[place : place + 2]
            place += 2
            continue
        if letter in "'\"" and quote in ("", letter):
            quote = "" if quote else letter
        if letter == ";" and not quote:
            parts.append(current)
            current = ""
        else:
            current += letter
        place += 1
    return [*parts, current][:3]


def _read(text: str) -> _Section:
    section = _Section()
    place = 0
    while place < len(text):
        place += _read_one(section, text, place)
    _settle_commas(section)
    return section


def _read_one(section: _Section, text: str, place: int) -> int:
    """Read what stands at ``place``; give the number of characters that it takes."""
    letter = text[place]
    items = section.rest if section.point else section.whole
    if letter in "0#,":
        items.append(letter)
        return 1
    if letter == ".":
        section.point = True
        return 1
    if letter in "eE" and (taken := _exponent(text, place)):
        section.exponent = text[place : place + taken]
        items.append("e")
        return taken
    if letter in "'\"":
        end = text.find(letter, place + 1)
        end = len(text) if end < 0 else end
        items.extend("\0" + literal for literal in text[place + 1 : end])
        return end + 1 - place
    if letter == "\\":
        items.append("\0" + text[place + 1 : place + 2])
        return 2
    if letter in "%‰":
        section.scale += 2 if letter == "%" else 3
    items.append("\0" + letter)
    return 1


def _exponent(text: str, place: int) -> int:
    """Say how long the ``E0``, ``E+00`` or ``E-0`` at ``place`` is; 0 when it is none."""
    end = place + 1
    if text[end : end + 1] in ("+", "-"):
        end += 1
    zeros = len(text[end:]) - len(text[end:].lstrip("0"))
    return end + zeros - place if zeros else 0


def _settle_commas(section: _Section) -> None:
    """A comma between digits groups them; commas right before the point divide by thousands."""
    places = [place for place, item in enumerate(section.whole) if item in ("0", "#")]
    for place, item in enumerate(section.whole):
        if item != "," or not places or place < places[0]:
            continue
        if place > places[-1]:
            section.scale -= 3
        else:
            section.grouped = True
    section.whole = [item for item in section.whole if item != ","]
    section.rest = [item for item in section.rest if item != ","]


def _digits(number: Decimal, section: _Section) -> tuple[str, str, int]:
    """Give the digits before and behind the point, and the exponent."""
    places = sum(item in ("0", "#") for item in section.rest)
    scaled = number.scaleb(section.scale, context=_EXACT)
    exponent = 0
    if section.exponent and scaled:
        wanted = max(sum(item in ("0", "#") for item in section.whole), 1)
        short = Context(prec=wanted + places, rounding=ROUND_HALF_UP).plus(scaled)
        exponent = short.adjusted() - wanted + 1
        scaled = short.scaleb(-exponent)
    fixed = scaled.quantize(Decimal(1).scaleb(-places), context=_EXACT)
    whole, _, rest = f"{fixed:f}".partition(".")
    return whole.lstrip("0"), rest, exponent


def _print(section: _Section, digits: tuple[str, str, int], culture: Culture) -> str:
    whole, rest, exponent = digits
    printed = _print_whole(section, whole, culture, exponent)
    behind = _print_rest(section, rest, exponent)
    shown = any(mark and mark[0] == "digit" for mark in behind)
    text = "".join(value for _, value in behind)
    return printed + (culture.decimal if shown else "") + text


def _print_whole(section: _Section, digits: str, culture: Culture, exponent: int) -> str:
    """Fill the placeholders before the point from the right; the first takes what is left."""
    items = section.whole
    places = [place for place, item in enumerate(items) if item in ("0", "#")]
    first_zero = next((place for place in places if items[place] == "0"), len(items))
    needed = sum(place >= first_zero for place in places)
    digits = digits.rjust(needed, "0")
    printed: list[str] = []
    left = len(digits)
    for place, item in enumerate(items):
        if item not in ("0", "#"):
            printed.append(_literal(section, item, exponent))
            continue
        following = sum(later > place for later in places)
        while left > following:
            printed.append(digits[len(digits) - left])
            left -= 1
            if section.grouped and left and left % 3 == 0:
                printed.append(culture.group)
    if not places and any(item in ("0", "#") for item in section.rest):
        printed.append(digits)
    return "".join(printed)


def _print_rest(section: _Section, digits: str, exponent: int) -> list[tuple[str, str]]:
    """Fill the placeholders behind the point; only a 0 in the format shows a zero at the end."""
    zeros = [n for n, item in enumerate(i for i in section.rest if i in ("0", "#")) if item == "0"]
    kept = max(len(digits.rstrip("0")), zeros[-1] + 1 if zeros else 0)
    printed: list[tuple[str, str]] = []
    index = 0
    for item in section.rest:
        if item not in ("0", "#"):
            printed.append(("literal", _literal(section, item, exponent)))
            continue
        if index < kept:
            printed.append(("digit", digits[index]))
        index += 1
    return printed


def _literal(section: _Section, item: str, exponent: int) -> str:
    if item != "e":
        return item[1:]
    mark = section.exponent
    zeros = mark.count("0")
    sign = "-" if exponent < 0 else "+" if mark[1] == "+" else ""
    return f"{mark[0]}{sign}{str(abs(exponent)).zfill(zeros)}"
