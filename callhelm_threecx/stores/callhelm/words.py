"""Finding words in a host's contacts, by trigram indexes on expressions.

`folding` says what a search finds; here the server is asked for rows that may be meant, and for no
fewer: its texts are folded in nearly the same way, and a number is found by other ways to write it.

Expressions here are part of indexes: where one changes, the indexes have to be built anew.
"""

from collections.abc import Sequence
from functools import reduce
from typing import Any, Final

import phonenumbers
from sqlalchemy import ColumnElement, Text, and_, case, func, literal_column, or_
from sqlalchemy.dialects.postgresql import JSONB

from callhelm_threecx.stores import folding
from callhelm_threecx.stores.callhelm.numbers import (
    constant,
    is_ascii,
    number_digits,
    only_digits,
    plain_digits,
)
from callhelm_threecx.stores.callhelm.rows import OURS
from callhelm_threecx.stores.callhelm.schema import HostTable

_NUMBER_MARK: Final = "#"
"""Stands before the digits of a contact's number in the text that is searched."""

# Accents and vowel signs: what `folding.fold` takes away, of the scripts that have letter case or
# are written with such signs by everybody.
_MARKS: Final = (
    "[\\u0300-\\u036f\\u0483-\\u0487\\u0591-\\u05bd\\u05bf\\u05c1-\\u05c2\\u05c4-\\u05c5\\u05c7\\u0610-\\u061a"
    "\\u064b-\\u065f\\u0670\\u06d6-\\u06dc\\u06df-\\u06e4\\u06e7-\\u06e8\\u06ea-\\u06ed\\u093c\\u094d\\u09bc"
    "\\u09cd\\u0e38-\\u0e3a\\u0e48-\\u0e4b\\u1ab0-\\u1aff\\u1dc0-\\u1dff\\u20d0-\\u20ff\\u3099-\\u309a"
    "\\ufe20-\\ufe2f]"
)


def folded(text: Any) -> ColumnElement[str]:
    """A text without accents, in lower case; one in ASCII has none, and that is quickly seen."""
    bare = func.regexp_replace(
        func.normalize(text, literal_column("NFKD")), constant(_MARKS), constant(""), constant("g")
    )
    small = func.replace(func.lower(bare), constant("\u00df"), constant("ss"))
    plain = func.translate(small, constant("\u03c2"), constant("\u03c3"))
    return case((is_ascii(text), func.lower(text)), else_=plain)


def _digits(text: Any) -> ColumnElement[str]:
    has_none = func.translate(text, constant("0123456789"), constant("")) == text
    return case(
        (and_(is_ascii(text), has_none), constant("")),
        (is_ascii(text), only_digits(text)),
        else_=only_digits(plain_digits(text)),
    )


def one_space(text: ColumnElement[str]) -> ColumnElement[str]:
    """A text with one space between its words and none around them."""
    return func.btrim(func.regexp_replace(text, constant(r"\s+"), constant(" "), constant("g")))


def name_of(contacts: HostTable) -> ColumnElement[str]:
    """The folded name, as `folding.name_key` has it for a contact with a name."""
    return one_space(folded(_joined(contacts, ("first_name", "last_name"))))


def company_of(contacts: HostTable) -> ColumnElement[str]:
    """The folded company."""
    return one_space(folded(_joined(contacts, ("company",))))


def searched_text(contacts: HostTable) -> ColumnElement[str]:
    """All that a search looks in: folded texts, their digits, and the digits of the number; then
    what we keep in ``metadata`` because the host has no column for it."""
    texts = _joined(contacts, ("first_name", "last_name", "company", "email"))
    content = (
        folded(texts)
        + constant(" ")
        + _digits(texts)
        + constant(f" {_NUMBER_MARK}")
        + number_digits(contacts.row.phone_number)
    )
    if contacts.has("metadata"):
        ours = contacts.row.metadata.op("->", return_type=JSONB())(constant(OURS))
        more = func.coalesce(text_of(ours, "search"), constant(""))
        content = content + constant(" ") + more
    return content


def text_of(record: ColumnElement[Any], name: str) -> ColumnElement[str]:
    """A text in a JSON object, or null."""
    found: ColumnElement[str] = record.op("->>", return_type=Text())(constant(name))
    return found


def _joined(contacts: HostTable, columns: Sequence[str]) -> ColumnElement[str]:
    found = [getattr(contacts.row, name) for name in columns if contacts.has(name)]
    texts: list[ColumnElement[str]] = [func.coalesce(column, constant("")) for column in found]
    return reduce(lambda text, other: text + constant(" ") + other, texts or [constant("")])


def contains_all(
    text: ColumnElement[str], terms: Sequence[str], region: str
) -> list[ColumnElement[bool]]:
    """A condition for each of the terms."""
    return [
        or_(*(text.contains(form, autoescape=True) for form in forms_of(term, region)))
        for term in terms
    ]


def forms_of(term: str, region: str) -> list[str]:
    """What to look for in `searched_text` when a term is looked for: itself; and for digits, which
    may be of a number that is written in another way, without the country code and the trunk
    prefix that begin the one or the other."""
    forms = [term]
    if term.isascii() and term.isdigit():
        country = str(phonenumbers.country_code_for_region(region))
        trunk = phonenumbers.ndd_prefix_for_region(region, True) or ""
        for prefix in _beginnings(term, country):
            rest = term[len(prefix) :]
            forms += [_NUMBER_MARK + rest, _NUMBER_MARK + trunk + rest]
        forms += [term[len(prefix) :] for prefix in _beginnings(term, trunk)]
        forms.append(term.lstrip("0"))
    return list(dict.fromkeys(form for form in forms if form))


def _beginnings(term: str, prefix: str) -> list[str]:
    """The ends of a prefix with which a term begins, or within which it lies."""
    ends = [prefix[start:] for start in range(len(prefix))]
    return [end for end in ends if term.startswith(end)] + ([term] if term in prefix else [])


def name_words(query: str) -> list[tuple[str, ...]]:
    """The words of a query that can be looked for in names as they are written, each with its
    folded form; none when there is a word with a digit, which is rather of a number."""
    terms, words = folding.search_terms(query), query.split()
    if any(char.isdigit() for char in query):
        return []
    if len(terms) != len(words):
        return [(term,) for term in terms]
    return [tuple(dict.fromkeys(pair)) for pair in zip(words, terms, strict=True)]


def like(text: str) -> str:
    """A pattern that finds the text anywhere, each character meaning itself."""
    for sign in ("\\", "%", "_"):
        text = text.replace(sign, "\\" + sign)
    return f"%{text}%"
