"""Pages of rows in the order of an instant and an id, each answered from the ends of indexes.

A filter names *branches*: sets of equalities, each of which begins an index that goes on with the
instant and the id. A page takes what it may need from the end of every branch and merges that, so
it costs the same however many rows there are, and whether it finds any.
"""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeVar

from sqlalchemy import ColumnElement, Select, UnaryExpression, literal, select, tuple_, union_all
from sqlalchemy.sql.operators import custom_op

from callhelm_threecx import phone
from callhelm_threecx.models import OrganizationRow
from callhelm_threecx.services.values import clean

R = TypeVar("R", bound=OrganizationRow)
Branch = Sequence[ColumnElement[bool]]
Position = tuple[datetime, uuid.UUID]

_NO_INDEX: Final[Any] = custom_op("+")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which rows a page is about. ``branches`` are without doubles: no row is in two of them;
    ``conditions`` hold in every branch, and so does the span: ``since``, and before ``until``."""

    branches: Sequence[Branch]
    conditions: Branch = ()
    since: datetime | None = None
    until: datetime | None = None


def page_of(
    table: type[R],
    moment: Any,
    wanted: Wanted,
    limit: int,
    position: Position | None = None,
    *,
    newer: bool = False,
) -> Select[R]:
    """The rows behind a position, newest first; with ``newer`` those before it, oldest first.

    ``moment`` is the column of the instant.
    """
    span = _span(table, moment, wanted, position, newer=newer)
    key: Any = table.id  # type: ignore[attr-defined]
    order = _order(moment, key, newer=newer)
    if len(wanted.branches) == 1:
        found = select(table).where(*wanted.branches[0], *wanted.conditions, *span)
        return found.order_by(*order).limit(limit)
    ends = [
        select(moment.label("moment"), key.label("key"))
        .where(*branch, *wanted.conditions, *span)
        .order_by(*order)
        .limit(limit)
        .subquery()
        for branch in wanted.branches
    ]
    merged = union_all(*(select(end.c.moment, end.c.key) for end in ends)).subquery()
    order = _order(merged.c.moment, merged.c.key, newer=newer)
    first = select(merged.c.moment, merged.c.key).order_by(*order).limit(limit).subquery()
    # An outer join keeps SQLite from finding the rows by walking the index of the organization.
    found = select(table).select_from(first).outerjoin(table, key == first.c.key)
    return found.order_by(*_order(first.c.moment, first.c.key, newer=newer))


def _span(
    table: Any, moment: Any, wanted: Wanted, position: Position | None, *, newer: bool
) -> list[Any]:
    """One bound at each end: of two at the same end SQLite might take the one that is farther off,
    and walk from there."""
    since, until = wanted.since, wanted.until
    bounds: list[Any] = []
    if position is not None:
        here = tuple_(moment, table.id)
        there = tuple_(*map(_bound, (moment, table.id), position))
        if newer and (since is None or position[0] >= since):
            bounds, since = [here > there], None
        elif not newer and (until is None or position[0] < until):
            bounds, until = [here < there], None
    if since is not None:
        bounds.append(moment >= since)
    if until is not None:
        bounds.append(moment < until)
    return bounds


def _order(moment: Any, key: Any, *, newer: bool) -> tuple[Any, Any]:
    return (moment.asc(), key.asc()) if newer else (moment.desc(), key.desc())


def _bound(column: Any, value: Any) -> Any:
    """A value bound with a column's type, for comparisons of tuples."""
    return literal(value, column.type)


def equal(columns: Iterable[tuple[Any, Any]]) -> list[ColumnElement[bool]]:
    """Equalities of those columns for which a value is wanted."""
    return [column == value for column, value in columns if value is not None]


def aside(column: Any, dialect: str) -> Any:
    """A column for whose sake SQLite must not choose an index: without statistics it takes the one
    with the most equalities, be it ever so wrong. PostgreSQL knows its rows."""
    if dialect != "sqlite":
        return column
    return UnaryExpression(column, operator=_NO_INDEX, type_=column.type)


def spellings(number: str, region: str) -> list[str]:
    """How a number that somebody filters by may stand in a log: as typed, and as it is kept."""
    parsed = phone.parse(number, region)
    return sorted({clean(number)} | ({parsed.canonical} if parsed else set()))
