"""Searching the ``sql`` store: contacts in whose text every word of a query occurs.

PostgreSQL has a trigram index (see ``postgres_search``). SQLite has a search index of our own (see
``migrations.search_index``); where a SQLite without FTS5 could not build it, the contacts of the
organization are read, the most recently active first.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Integer,
    MetaData,
    Table,
    Text,
    bindparam,
    func,
    literal,
    select,
)
from sqlalchemy.orm import registry
from sqlmodel import col

from callhelm_threecx.confinement import HostRow, PreparedRead
from callhelm_threecx.db import Database
from callhelm_threecx.migrations import search_index
from callhelm_threecx.models import ContactRow
from callhelm_threecx.stores.base import Contact, Organization
from callhelm_threecx.stores.planner_statistics import TRIGRAM
from callhelm_threecx.stores.postgres_search import PostgresSearch
from callhelm_threecx.stores.search_terms import ESCAPE, pattern, telling_part
from callhelm_threecx.stores.sql_rows import best_contacts, contacts_of, with_phones

_metadata = MetaData()  # SQLite's alone: no part of the schema that the models describe


class _Numbered(HostRow):
    """The number of an organization in the search index."""

    number: Any


class _Row(HostRow):
    """The text of a contact in the search index."""

    label: Any
    contact_id: Any
    words: Any


class _Words:
    """The trigrams of `_Row`: a virtual table, whose rows are of no organization by themselves."""

    label: Any
    match: Any


class _SchemaPart:
    """A table, index or trigger of SQLite."""

    name: Any


_registry = registry(metadata=_metadata)
_registry.map_imperatively(
    _Numbered,
    Table(
        search_index.ORGANIZATIONS,
        _metadata,
        Column("number", Integer, primary_key=True),
        Column("organization_id", Text),
    ),
)
_registry.map_imperatively(
    _Row,
    Table(
        search_index.ROWS,
        _metadata,
        Column("label", BigInteger, primary_key=True),
        Column("contact_id", Text),
        Column("organization_id", Text),
        Column("words", Text),
    ),
)
_registry.map_imperatively(
    _Words,
    Table(
        search_index.WORDS,
        _metadata,
        Column("rowid", BigInteger, key="label", primary_key=True),
        Column(search_index.WORDS, Text, key="match"),
    ),
)
_registry.map_imperatively(
    _SchemaPart, Table("sqlite_master", _metadata, Column("name", Text, primary_key=True))
)


class ContactSearch:
    """Finds contacts by words, in the way that suits the database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._is_indexed: bool | None = None
        self._postgres = PostgresSearch(database) if database.dialect == "postgresql" else None

    def find(self, organization: Organization, terms: Sequence[str], limit: int) -> list[Contact]:
        """Contacts in which every term occurs, at most ``limit``, the most recently active first.

        ``terms`` are folded (`folding.search_terms`); each character of them means itself.
        """
        if self._postgres is not None:
            return self._postgres.find(organization, terms, limit)
        parameters: dict[str, Any] = {"most": limit}
        if self._has_index(organization):
            match = match_query(terms)
            read = indexed(len(terms), by_trigrams=bool(match))
            parameters |= {"match": match} if match else {}
            parameters |= {f"term_{n}": term for n, term in enumerate(terms)}
        else:
            read = scanning(len(terms))
            parameters |= {f"term_{n}": pattern(term) for n, term in enumerate(terms)}
        return contacts_of(self._database.fetch(organization.id, read, parameters))

    def _has_index(self, organization: Organization) -> bool:
        if self._is_indexed is None:
            names = {row[0] for row in self._database.fetch(organization.id, _SCHEMA, {})}
            self._is_indexed = names >= search_index.PARTS
        return self._is_indexed


def match_query(terms: Sequence[str]) -> str:
    """The FTS5 query for texts that may have all terms; blank when no term has a trigram."""
    phrases = (telling_part(term) for term in terms if len(term) >= TRIGRAM)
    return " AND ".join('"' + phrase.replace('"', '""') + '"' for phrase in phrases)


_SCHEMA = PreparedRead(select(_SchemaPart.name))


@cache
def indexed(terms: int, *, by_trigrams: bool) -> PreparedRead:
    """Contacts with so many terms, from SQLite's search index.

    They are read in the order of their labels, up to the limit: those that have the trigrams or,
    when no term has one, all of the organization.
    """
    slot = _Numbered.number.op("%")(literal(search_index.SLOTS, Integer))
    least = select(slot.op("<<")(literal(search_index.TIME_BITS, Integer))).scalar_subquery()
    greatest = least + literal(2**search_index.TIME_BITS - 1, BigInteger)
    label = _Words.label if by_trigrams else _Row.label
    words = [func.instr(_Row.words, bindparam(f"term_{n}", type_=Text)) > 0 for n in range(terms)]
    found = select(_Row.contact_id, label.label("label")).where(*words)
    if by_trigrams:
        match = _Words.match.op("MATCH")(bindparam("match", type_=Text))
        found = found.select_from(_Words).join(_Row, _Row.label == label).where(match)
    best = (
        found.where(label.between(least, greatest))
        .order_by(label.desc())
        .limit(bindparam("most", type_=Integer))
        .subquery()
    )
    return PreparedRead(with_phones(best.c.contact_id, best.c.label.desc()))


@cache
def scanning(terms: int) -> PreparedRead:
    """Contacts with so many terms, found without a search index."""
    text = col(ContactRow.search_text)
    patterns = (bindparam(f"term_{n}", type_=Text) for n in range(terms))
    found = [text.like(pattern, escape=ESCAPE) for pattern in patterns]
    return PreparedRead(best_contacts(*found))
