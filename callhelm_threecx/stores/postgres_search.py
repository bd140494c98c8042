"""Searching the ``sql`` store on PostgreSQL: one statement as a rule, and work that is bounded.

There are two ways to find the latest contacts with some words: to walk from the latest back until
enough have been met, which is quick for common words, and to collect all by their trigrams, which
is quick for rare ones. The planner chooses, for these words, by what it knows of the whole table.
Of a large organization that may be wrong: a word that some have elsewhere would have it walk past a
million contacts none of which has it.

So there the latest few contacts are looked at first, for words of which the planner may believe so
though the trigrams find few with them. Where enough of the latest have them that is the answer, and
where none has them the planner is left the trigrams only. (What most contacts of the others have is
walked for all the same: to collect all of these by their trigrams would take longer.)
"""

from collections.abc import Sequence
from functools import cache
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Integer,
    Text,
    bindparam,
    func,
    literal_column,
    select,
)
from sqlmodel import col

from callhelm_threecx.confinement import PreparedRead
from callhelm_threecx.db import Database
from callhelm_threecx.models import ContactPhoneRow, ContactRow
from callhelm_threecx.stores.base import Contact, Organization
from callhelm_threecx.stores.planner_statistics import PlannerStatistics
from callhelm_threecx.stores.search_terms import ESCAPE, pattern, telling_part
from callhelm_threecx.stores.sql_rows import CONTACT_COLUMNS, AllColumns, contacts_of

LATEST: Final = 400
"""Contacts that are looked at first: whoever has a word that one in a hundred has is missed among
them once in fifty times, and then found by the trigrams."""

FARTHER: Final = 4
"""So many contacts are walked past in the time in which one is collected."""

_OWN: Final[tuple[Any, ...]] = CONTACT_COLUMNS[:-3]
_OWN_NAMES: Final = tuple(column.key for column in _OWN)
_OF_PHONES: Final = CONTACT_COLUMNS[-3:]
_TEXT: Final = col(ContactRow.search_text)
_AT: Final = col(ContactRow.last_active_at)
_ID: Final = col(ContactRow.id)


class PostgresSearch:
    """Finds contacts by words in PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._statistics = PlannerStatistics(database)

    def find(self, organization: Organization, terms: Sequence[str], limit: int) -> list[Contact]:
        """See `sql_search.ContactSearch.find`."""
        may_walk = True
        if self._is_walk_risky(organization, terms):
            found = self._among_latest(organization, terms, limit)
            if len(found) >= limit:
                return found
            may_walk = bool(found)
        parts = [telling_part(term) for term in terms]
        is_cut = tuple(part != term for part, term in zip(parts, terms, strict=True))
        parameters = _patterns(parts) | {"most": limit}
        parameters |= {f"whole_{n}": term for n, term in enumerate(terms) if is_cut[n]}
        read = _matching(is_cut, may_walk=may_walk)
        return contacts_of(self._database.fetch(organization.id, read, parameters))

    def _is_walk_risky(self, organization: Organization, terms: Sequence[str]) -> bool:
        """Whether the planner may walk, and would have to walk far if it were wrong: much farther
        than to all that the trigrams can find."""
        statistics = self._statistics.latest()
        walk = statistics.large.get(organization.id, 0)
        return 0 < statistics.with_terms(terms) < walk / FARTHER

    def _among_latest(
        self, organization: Organization, terms: Sequence[str], limit: int
    ) -> list[Contact]:
        parameters = _patterns(terms) | {"most": limit}
        return contacts_of(
            self._database.fetch(organization.id, _among_latest(len(terms)), parameters)
        )


def _patterns(terms: Sequence[str]) -> dict[str, Any]:
    return {f"term_{n}": pattern(term) for n, term in enumerate(terms)}


def _has(text: Any, n: int) -> ColumnElement[bool]:
    found: ColumnElement[bool] = text.like(bindparam(f"term_{n}", type_=Text), escape=ESCAPE)
    return found


@cache
def _among_latest(terms: int) -> PreparedRead:
    """Those of the latest contacts that have so many terms. One plan serves all words, since how
    many contacts are read stands in the statement."""
    latest = (
        select(*_OWN, _TEXT)
        .order_by(*_order(_AT, _ID))
        .limit(literal_column(str(LATEST), Integer))
        .subquery()
    )
    return PreparedRead(
        _with_phones(
            select(*(latest.c[name] for name in _OWN_NAMES))
            .where(*(_has(latest.c.search_text, n) for n in range(terms)))
            .order_by(*_order(latest.c.last_active_at, latest.c.id))
        )
    )


@cache
def _matching(is_cut: tuple[bool, ...], *, may_walk: bool) -> PreparedRead:
    """Contacts with so many terms; of those that are cut a part, by which an index finds them, and
    the whole."""
    wholes = (bindparam(f"whole_{n}", type_=Text) for n, cut in enumerate(is_cut) if cut)
    # No index gives the order of an expression.
    at = _AT if may_walk else func.greatest(_AT)
    return PreparedRead(
        _with_phones(
            select(*_OWN)
            .where(*(_has(_TEXT, n) for n in range(len(is_cut))))
            .where(*(func.strpos(_TEXT, whole) > 0 for whole in wholes))
            .order_by(*_order(at, _ID))
        ),
        planned_anew=True,
    )


def _with_phones(contacts: AllColumns) -> AllColumns:
    """The first ``most`` of the contacts, with all their phones."""
    best = contacts.limit(bindparam("most", type_=Integer)).subquery()
    return (
        select(*best.c, *_OF_PHONES)
        .select_from(best)
        .outerjoin(ContactPhoneRow, col(ContactPhoneRow.contact_id) == best.c.id)
        .order_by(*_order(best.c.last_active_at, best.c.id), col(ContactPhoneRow.position))
    )


def _order(at: Any, key: Any) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    return at.desc(), key.desc()
