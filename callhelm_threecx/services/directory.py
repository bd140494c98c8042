"""The organizations that have an integration: pages of them, found by id or name, and counted."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, Text, cast, func, or_, select
from sqlmodel import col

from callhelm_threecx.db import Database, retry_when_passing
from callhelm_threecx.models import IntegrationRow
from callhelm_threecx.services.values import clean

MAX_SEARCH: Final = 100
"""So many characters of a search count."""

_MAX_WORDS: Final = 8


@dataclass(frozen=True, slots=True)
class Entry:
    """An organization as a list shows it. Those of `Directory.own` may have no integration yet:
    then all but the id is empty, and ``enabled`` is None."""

    organization_id: str
    name: str = ""
    enabled: bool | None = None
    region: str = ""
    key_hint: str = ""
    created_at: datetime | None = None

    @property
    def label(self) -> str:
        """What to call it."""
        return self.name or self.organization_id


@dataclass(frozen=True, slots=True)
class DirectoryPage:
    """Organizations in the order of their ids, and the id behind which the next page begins (None
    on the last one)."""

    entries: Sequence[Entry]
    next_after: str | None


@dataclass(frozen=True, slots=True)
class DirectoryCount:
    """How many organizations have an integration, and how many of these are switched off."""

    total: int
    switched_off: int


class Directory:
    """Lists organizations, each time in one statement on one index."""

    def __init__(self, database: Database, default_region: str) -> None:
        self._database = database
        self._default_region = default_region

    @retry_when_passing
    def page(self, *, search: str = "", after: str = "", limit: int = 50) -> DirectoryPage:
        """Every organization with an integration, or those in whose id or name each word of a
        search occurs, case aside.

        The words are looked for on an index alone, which is small: ten thousand organizations take
        some milliseconds. Raises `BadInputError` for an id that the database's columns do not take.
        """
        key = col(IntegrationRow.organization_id)
        conditions = [_occurs(word) for word in _words(search)]
        if after:
            conditions.append(key > after)
        found = select(key).where(*conditions).order_by(key).limit(limit + 1).subquery()
        rows = _rows().join(found, key == found.c.organization_id).order_by(key)
        return _page(self._entries(rows), limit)

    @retry_when_passing
    def own(
        self,
        organization_ids: Collection[str],
        *,
        search: str = "",
        after: str = "",
        limit: int = 50,
    ) -> DirectoryPage:
        """The same of somebody's own organizations, also of those without an integration."""
        ids = sorted(organization_ids)
        rows = _rows().where(col(IntegrationRow.organization_id).in_(ids))
        known = {entry.organization_id: entry for entry in self._entries(rows)}
        words = [word.casefold() for word in _words(search)]
        entries = (known.get(one, Entry(one)) for one in ids if one > after)
        return _page([entry for entry in entries if _has(entry, words)], limit)

    @retry_when_passing
    def count(self) -> DirectoryCount:
        """How many there are."""
        enabled = col(IntegrationRow.enabled)
        statement = select(enabled, func.count()).group_by(enabled)
        with self._database.read_all_organizations() as session:
            numbers = {bool(on): number for on, number in session.execute(statement)}
        return DirectoryCount(sum(numbers.values()), numbers.get(False, 0))

    def _entries(self, statement: Select[Any]) -> list[Entry]:
        with self._database.read_all_organizations() as session:
            return [
                Entry(key, name or "", enabled, region or self._default_region, hint, created_at)
                for key, name, enabled, region, hint, created_at in session.execute(statement)
            ]


def _rows() -> Select[Any]:
    names = ("organization_id", "organization_name", "enabled")
    more = ("default_region", "key_hint", "created_at")
    return select(*(getattr(IntegrationRow, name) for name in (*names, *more)))


def _page(entries: Sequence[Entry], limit: int) -> DirectoryPage:
    shown, more = entries[:limit], len(entries) > limit
    return DirectoryPage(shown, shown[-1].organization_id if more else None)


def _words(search: str) -> list[str]:
    return clean(search)[:MAX_SEARCH].split()[:_MAX_WORDS]


def _has(entry: Entry, words: Sequence[str]) -> bool:
    text = f"{entry.organization_id}\n{entry.name}".casefold()
    return all(word in text for word in words)


def _occurs(word: str) -> ColumnElement[bool]:
    """Whether a word is in the id or the name. SQLite, and PostgreSQL in the locale C, know the
    cases of ASCII alone: of other letters a word's usual forms are tried."""
    texts = (cast(col(IntegrationRow.organization_id), Text), col(IntegrationRow.organization_name))
    forms = [word]
    if not word.isascii():
        forms = sorted({word, word.lower(), word.upper(), word.capitalize()})
    return or_(*(text.icontains(form, autoescape=True) for text in texts for form in forms))
