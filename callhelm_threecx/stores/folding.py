"""How names and numbers are folded so that people find them: one convention for every store."""

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from callhelm_threecx import phone
from callhelm_threecx.stores.base import Contact, NewContact, Phone, PhoneType

_NON_DIGITS: Final = re.compile(r"[^0-9]+")

ParsedPhone = tuple[PhoneType, phone.PhoneNumber]


def parsed_phones(contact: NewContact, region: str) -> list[ParsedPhone]:
    """The numbers of a contact, read in its organization's region; texts without a digit fall out,
    and so does the same number a second time."""
    parsed: dict[str, ParsedPhone] = {}
    for item in contact.phones:
        number = phone.parse(item.number, region)
        if number is not None:
            if item.extension and not number.extension:
                number = replace(number, extension=item.extension)
            parsed.setdefault(number.digits, (item.type, number))
    return list(parsed.values())


def kept(
    contact_id: str,
    contact: NewContact,
    numbers: Iterable[ParsedPhone],
    last_active_at: datetime | None = None,
) -> Contact:
    """A contact as a store gives it back once it is kept."""
    return Contact(
        id=contact_id,
        first_name=contact.first_name,
        last_name=contact.last_name,
        company=contact.company,
        email=contact.email,
        phones=tuple(Phone(number.canonical, kind, number.extension) for kind, number in numbers),
        external_id=contact.external_id,
        last_active_at=last_active_at,
    )


def fields_of(contact: Contact) -> NewContact:
    """What a kept contact would be created from."""
    return NewContact(
        first_name=contact.first_name,
        last_name=contact.last_name,
        company=contact.company,
        email=contact.email,
        phones=contact.phones,
        external_id=contact.external_id,
    )


def numbers_of(contact: Contact, typed: Sequence[str] = ()) -> list[ParsedPhone]:
    """The numbers of a kept contact, as they are: they are not read anew, in a region that may have
    changed since. ``typed`` are their texts, where they are known."""
    texts = typed or [item.number for item in contact.phones]
    return [
        (
            item.type,
            phone.PhoneNumber(
                raw=text,
                canonical=item.number,
                digits=item.number.removeprefix("+"),
                extension=item.extension,
                is_e164=item.number.startswith("+"),
            ),
        )
        for item, text in zip(contact.phones, texts, strict=True)
    ]


def places(contact: NewContact, region: str) -> dict[str, int]:
    """The place of each of a contact's numbers among its phones, by the number's digits."""
    found: dict[str, int] = {}
    for place, item in enumerate(contact.phones):
        number = phone.parse(item.number, region)
        if number is not None:
            found.setdefault(number.digits, place)
    return found


def fold(text: str) -> str:
    """Lower case, no accents, one space between words: ``"  JÖRG Weiß"`` gives ``"jorg weiss"``."""
    return " ".join(_without_marks(text).split())


def fold_character(char: str) -> str:
    """What a single character becomes in a folded text; empty for a combining mark."""
    return _without_marks(char)


def _without_marks(text: str) -> str:
    if text.isascii():  # which has no marks, and is folded by its case alone
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    bare = [char for char in decomposed if char.isascii() or not unicodedata.combining(char)]
    return "".join(bare).casefold()


def search_text(contact: NewContact, numbers: Iterable[ParsedPhone]) -> str:
    """What a search looks in: the folded texts, every digit form of every number, and the digits of
    words such as ``24/7`` or ``1&1``, since a query of digits and signs is taken for a number."""
    words = fold(f"{contact.first_name} {contact.last_name} {contact.company} {contact.email}")
    digits = [form for _, number in numbers for form in phone.search_digits(number)]
    digits += [digits_in(word) for word in words.split() if is_numeric(word)]
    return " ".join([words, *dict.fromkeys(digits)])


def search_terms(query: str) -> list[str]:
    """The folded words of a query, all of which must occur in `search_text`.

    A query that is a number in any notation (``+49 (30) 1234``, ``030/1234``) is one term: its
    digits, without an international prefix, which is written in too many ways. Beside other words
    each part of a number is a term.
    """
    folded = fold(query)
    words = folded.split()
    if not any(char.isalpha() or char == "@" for char in folded) and digits_in(folded):
        words = [folded]
    terms = [_without_prefix(word) if is_numeric(word) else word for word in words]
    return list(dict.fromkeys(terms))


def is_numeric(word: str) -> bool:
    """Whether a folded word is digits and signs: part of a number, as far as one can tell."""
    if word.isalpha() or "@" in word:
        return False
    return bool(digits_in(word)) and not any(map(str.isalpha, word))


def digits_in(folded: str) -> str:
    """The digits of a folded text, as ASCII."""
    if folded.isascii():
        return _NON_DIGITS.sub("", folded)
    return "".join(str(unicodedata.digit(char)) for char in folded if char.isdigit())


def _without_prefix(number: str) -> str:
    if number.startswith(("+", "00")):
        number = number.replace("(0)", "")  # +49 (0)30: the zero is not dialled from abroad
    digits = digits_in(number)
    return (digits[2:] or digits) if number.startswith("00") else digits


def identity(contact: NewContact, numbers: Iterable[ParsedPhone]) -> str:
    """What makes two created contacts one: the same number and the same name.

    Without a number its place is taken by the e-mail address; the company counts as the name of a
    contact that has no other.
    """
    return identities(contact, numbers)[0]


def identities(contact: NewContact, numbers: Iterable[ParsedPhone]) -> list[str]:
    """The `identity` of a contact by each of its numbers: a contact that has one of them in common
    with another, and the name, is the same."""
    keys = [number.digits for _, number in numbers] or [fold(contact.email)]
    name = name_key(contact)
    return [identity_key(key, name) for key in keys]


def identity_key(key: str, name: str) -> str:
    """The identity of a contact with this `name_key`, by the digits of a number (or the folded
    address of a contact without one)."""
    return hashlib.sha256(json.dumps([key, name]).encode()).hexdigest()


def name_key(contact: NewContact) -> str:
    """The folded name by which contacts with the same number are told apart."""
    return fold(f"{contact.first_name} {contact.last_name}") or fold(contact.company)


def name_field(contact: NewContact) -> str:
    """The field of an answer that names a contact best."""
    if contact.last_name:
        return "lastName"
    return "firstName" if contact.first_name else "company"
