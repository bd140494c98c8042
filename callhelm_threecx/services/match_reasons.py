"""Why a contact was found: which of its fields matched, and which part of them.

A search folds what it looks in and what it looks for (case, accents, the notation of numbers); here
each match is traced back to the text as people see it.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from callhelm_threecx import phone
from callhelm_threecx.stores import folding
from callhelm_threecx.stores.base import Contact, Phone

Span = tuple[int, int]
_FIELDS: Final = (
    ("firstName", "first_name"),
    ("lastName", "last_name"),
    ("company", "company"),
    ("email", "email"),
)
_WORD: Final = re.compile(r"\S+")


class MatchKind(str, Enum):
    """How a field matched: a part of it was looked for, all of it was, or a number ends in the
    digits that a PBX sent."""

    PART = "part"
    WHOLE = "whole"
    LAST_DIGITS = "last_digits"


@dataclass(frozen=True, slots=True)
class Reason:
    """A field that matched.

    ``field`` is the field of an answer (``firstName``, ``company``), or ``phones.1`` for the second
    of the contact's phones. ``text`` is what to show of it, a number in its international notation;
    ``spans`` are the matched parts as (start, end) offsets in it, in order and apart from each
    other. They are empty where the match is no part of what is shown, such as the trunk zero of a
    number.
    """

    field: str
    text: str
    spans: tuple[Span, ...]
    kind: MatchKind = MatchKind.PART


def of_search(query: str, contact: Contact) -> list[Reason]:
    """Why a search found a contact: every field in which a word of the query occurs. Empty for a
    contact in which one of the words does not."""
    terms = folding.search_terms(query)
    texts = {field: getattr(contact, name) for field, name in _FIELDS}
    found: dict[str, list[Span]] = {}
    for term in terms:
        matches = {field: _in_text(term, text) for field, text in texts.items()}
        for place, item in enumerate(contact.phones):
            matches[f"phones.{place}"] = _in_number(term, item)
        hits = {field: spans for field, spans in matches.items() if spans is not None}
        if not hits:
            return []
        for field, spans in hits.items():
            found.setdefault(field, []).extend(spans)
    texts |= {f"phones.{place}": _shown(item) for place, item in enumerate(contact.phones)}
    return [Reason(name, texts[name], _merged(found[name])) for name in texts if name in found]


def of_number(text: str, contact: Contact, region: str) -> list[Reason]:
    """Why a lookup by number found a contact: the phones that it may mean, the best first."""
    wanted = phone.candidates(text, region)
    if wanted is None:
        return []
    ranked: list[tuple[int, Reason]] = []
    for place, item in enumerate(contact.phones):
        digits = _digits_of(item)
        rank = wanted.rank(digits)
        if rank is None:
            continue
        is_whole = rank < len(wanted.exact)
        length = len(digits) if is_whole else len(wanted.suffix)
        span = _of_digits(_shown(item), len(digits) - length, len(digits))
        kind = MatchKind.WHOLE if is_whole else MatchKind.LAST_DIGITS
        ranked.append((rank, Reason(f"phones.{place}", _shown(item), (span,), kind)))
    return [reason for _, reason in sorted(ranked, key=lambda pair: pair[0])]


def of_email(address: str, contact: Contact) -> list[Reason]:
    """Why a lookup by address found a contact."""
    if not contact.email or contact.email.casefold() != address.strip().casefold():
        return []
    whole = (0, len(contact.email))
    return [Reason("email", contact.email, (whole,), MatchKind.WHOLE)]


def _shown(item: Phone) -> str:
    return phone.display(item.number)


def _digits_of(item: Phone) -> str:
    return item.number.removeprefix("+")


def _in_text(term: str, text: str) -> list[Span] | None:
    """Where a term occurs in a text as people see it, None when it does not."""
    folded, origins = _folded(text)
    spans = [_origin(origins, text, start, end) for start, end in _occurrences(term, folded)]
    if term.isdecimal():
        spans += _in_numeric_words(term, text, folded, origins)
    return spans or None


def _in_numeric_words(term: str, text: str, folded: str, origins: Sequence[int]) -> list[Span]:
    """A query of digits is looked for in the digits of words such as ``24/7``, too."""
    spans = []
    for word in _WORD.finditer(folded):
        if not folding.is_numeric(word[0]):
            continue
        places = [word.start() + n for n, char in enumerate(word[0]) if char.isdigit()]
        for start, end in _occurrences(term, folding.digits_in(word[0])):
            spans.append(_origin(origins, text, places[start], places[end - 1] + 1))
    return spans


def _folded(text: str) -> tuple[str, list[int]]:
    """A text folded character by character, and for each folded one the offset of its origin."""
    pieces: list[str] = []
    origins: list[int] = []
    for offset, char in enumerate(text):
        piece = folding.fold_character(char)
        pieces.append(piece)
        origins += [offset] * len(piece)
    return "".join(pieces), origins


def _origin(origins: Sequence[int], text: str, start: int, end: int) -> Span:
    """The part of a text that a part of its folded form comes from, with the marks on its last
    letter."""
    first, last = origins[start], origins[end - 1] + 1
    while last < len(text) and not folding.fold_character(text[last]):
        last += 1
    return first, last


def _in_number(term: str, item: Phone) -> list[Span] | None:
    """Where digits occur in a number as it is shown, None when they do not in any of its forms."""
    if not term.isdecimal():
        return None
    (_, number), *_ = folding.numbers_of(Contact("", phones=(item,)))
    forms = [form for form in phone.search_digits(number) if term in form]
    if not forms:
        return None
    shown, digits = _shown(item), number.digits
    spans: list[Span] = []
    for form in forms:
        common = _common_end(form, digits)
        ahead = len(form) - common  # digits that are not part of the international form
        for start, end in _occurrences(term, form):
            if end > ahead:
                behind = len(digits) - len(form)
                spans.append(_of_digits(shown, max(start, ahead) + behind, end + behind))
        if spans:
            break  # the forms are the same digits: the fullest of them says where
    return spans


def _common_end(form: str, digits: str) -> int:
    common = 0
    for one, other in zip(reversed(form), reversed(digits), strict=False):
        if one != other:
            break
        common += 1
    return common


def _of_digits(shown: str, start: int, end: int) -> Span:
    """The part of a shown number from one of its digits to another."""
    places = [offset for offset, char in enumerate(shown) if char.isdigit()]
    if end > len(places):  # a store of another kind keeps numbers as they were typed
        return 0, len(shown)
    first = places[start]
    if start == 0 and shown.startswith("+"):
        first = 0
    return first, places[end - 1] + 1


def _occurrences(term: str, text: str) -> Iterable[Span]:
    start = text.find(term)
    while start >= 0:
        yield start, start + len(term)
        start = text.find(term, start + len(term))


def _merged(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Spans in order, those that touch or overlap made one."""
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((start, end))
    return tuple(merged)
