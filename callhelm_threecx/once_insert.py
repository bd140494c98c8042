"""A row that is written once, with what belongs to it, in one statement of PostgreSQL.

Such a statement is a transaction by itself: one message to the server and one back, where a session
would need six. It is confined as everything here is: the organization is given by whoever runs it,
never by the values.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Dialect, bindparam, exists, insert, inspect, select, update
from sqlalchemy.dialects import postgresql

from callhelm_threecx.columns import json_text
from callhelm_threecx.confinement import PreparedRead
from callhelm_threecx.driver import CompiledRead
from callhelm_threecx.models import OrganizationRow

ROW: Final = "row"
ALONG: Final = "along"
TOUCHED: Final = "touched"
GIVEN: Final = "given"
OWNER: Final = "owner"


Values = Mapping[str, Any]
"""Values or, in a statement, expressions, by column."""


@dataclass(frozen=True, slots=True)
class LookedUp:
    """What the statement itself finds out: columns of the two rows, the id of the third one that it
    touches (NULL for none), and whether anything is to be written. The expressions may use what was
    given for a column (`given`), and parameters of ``GIVEN`` with `owner` among them."""

    row: Values
    along: Values
    touched: ColumnElement[Any]
    wanted: ColumnElement[bool]


class OnceInsert(PreparedRead):
    """Inserts a row, if it is wanted, unless a unique constraint says that it is there; only if it
    was not, inserts another one along with it, and moves an instant of a third one on.

    A run gives the columns ``told`` of the row if it is new; when nothing was changed, no row. Its
    parameters are those that `parameters` makes.
    """

    def __init__(
        self,
        row: type[OrganizationRow],
        along: type[OrganizationRow],
        touched: type[OrganizationRow],
        instant: str,
        *,
        looked_up: LookedUp,
        told: Sequence[str],
    ) -> None:
        tables = [inspect(kind).local_table for kind in (row, along, touched)]
        self.planned_anew = False
        self._compiled = {}
        self._statement = _statement(tables, instant, looked_up, told)

    def compiled(self, dialect: Dialect) -> CompiledRead:
        """The statement in the words of PostgreSQL."""
        known = self._compiled.get(dialect.name)
        if known is None:
            known = self._compiled[dialect.name] = _CompiledOnce(self._statement, dialect)
        return known

    @staticmethod
    def parameters(
        row: Mapping[str, Any],
        along: Mapping[str, Any],
        touched_at: datetime,
        **others: str | None,
    ) -> dict[str, Any]:
        """The values of the two rows by column, the instant of the third; and what else the
        statement looks something up by."""
        return {ROW: row, ALONG: along, TOUCHED: {"at": touched_at}, GIVEN: others}


class _CompiledOnce(CompiledRead):
    def __init__(self, statement: Any, dialect: Dialect) -> None:
        super().__init__(statement, dialect, _OWNER)
        split = [(name, *name.split("_", 1)) for name in self.names]
        owners = {name for name, part, column in split if part == OWNER or column == _OWNER}
        self._owners = list(owners)
        self._places = [place for place in split if place[0] not in owners]

    def bind(self, organization_id: str, parameters: Mapping[str, Any]) -> Any:
        """Every value as text that PostgreSQL reads as what the column is; the organization, in
        whatever place it is asked for, is the one that is given here."""
        bound: dict[str, Any] = dict.fromkeys(self._owners, organization_id)
        for name, part, column in self._places:
            value = parameters[part][column]
            bound[name] = value if value is None or type(value) is str else _in_words(value)
        return bound


_OWNER: Final = "organization_id"


def given(part: str, column: Any) -> Any:
    """What is given for a column of a row (``ROW``, ``ALONG``)."""
    return bindparam(f"{part}_{column.name}", type_=column.type)


def owner(column: Any) -> Any:
    """The organization for which the statement is run, to compare a column with. Tables that were
    adopted may name it in another type than ours do, so each table has a parameter of its own."""
    return bindparam(f"{OWNER}_{column.expression.table.name}", type_=column.type)


def _statement(tables: Sequence[Any], instant: str, found: LookedUp, told: Sequence[str]) -> Any:
    row, along, touched = tables
    values = select(*(found.row.get(column.name, given(ROW, column)) for column in row.c))
    new = (
        postgresql.insert(row)
        .from_select(row.c.keys(), values.where(found.wanted))
        .on_conflict_do_nothing()
        .returning(*(row.c[name] for name in dict.fromkeys(("id", *told))))
        .cte("new")
    )
    is_new = exists(select(new.c.id))
    columns = (found.along.get(column.name, given(ALONG, column)) for column in along.c)
    values = select(*columns).where(is_new)
    added = insert(along).from_select(along.columns.keys(), values).returning(along.c.id)
    at = bindparam(f"{TOUCHED}_at", type_=touched.c[instant].type)
    moved = (
        update(touched)
        .where(
            touched.c.id == found.touched,
            touched.c.organization_id == given(TOUCHED, touched.c.organization_id),
            touched.c[instant] < at,
            is_new,
        )
        .values({instant: at})
        .returning(touched.c.id)
    )
    is_told = select(*(new.c[name] for name in told))
    return is_told.add_cte(added.cte("added"), moved.cte("moved"))


def _in_words(value: Any) -> Any:
    if isinstance(value, (int, str)):
        return value
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, (uuid.UUID, float)):
        return str(value)
    return json_text(value)
