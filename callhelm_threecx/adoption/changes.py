"""Turns the earlier tables into ours, in the transaction of the first revision."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import sqlalchemy as sa
from sqlalchemy import Connection

from callhelm_threecx.adoption import filling, rows
from callhelm_threecx.adoption.catalog import find
from callhelm_threecx.adoption.errors import LOCK_TIMEOUT_S, AdoptionError
from callhelm_threecx.adoption.key_search import KeySearch
from callhelm_threecx.adoption.planning import NEEDED, TablePlan
from callhelm_threecx.adoption.report import Report
from callhelm_threecx.adoption.surveying import Survey, survey
from callhelm_threecx.keys import KeyRing
from callhelm_threecx.migrations.first_tables import EVENTS, INTEGRATIONS

# A column of ours in each table, which no view or policy depends on: giving it its own value writes
# the table anew, without the old versions of its rows.
_REWRITTEN: Final = {
    INTEGRATIONS: "key_hint TYPE text USING key_hint || ''",
    EVENTS: "latency_ms TYPE double precision USING latency_ms + 0",
}
_ENABLE: Final = {"O": "ENABLE", "A": "ENABLE ALWAYS", "R": "ENABLE REPLICA"}


class Adoption:
    """The adoption of what a survey found without contradictions."""

    def __init__(self, connection: Connection, found: Survey, ring: KeyRing) -> None:
        self._connection = connection
        self._survey = found
        self._ring = ring
        self.report: Report = found.report()

    @classmethod
    def begin(cls, connection: Connection, ring: KeyRing | None) -> "Adoption | None":
        """Look at what is to be adopted; None when nothing is. From here to the end of the
        transaction nobody else gets at the tables. Raises `AdoptionError`."""
        _lock(connection)
        found = survey(connection, ring)
        if found is None:
            return None
        if found.contradictions or ring is None:
            raise AdoptionError(found.contradictions)
        return cls(connection, found, ring)

    @property
    def tables(self) -> frozenset[str]:
        """The tables that are adopted; the others have to be created."""
        return self._survey.adopted

    def run(self) -> None:
        """Bring the adopted tables to the shape of ours, and `report` up to date."""
        connection = self._connection
        keys = self._survey.keys
        search = KeySearch(rows.clear_keys(keys, self._ring).values())
        connection.execute(sa.text("SET CONSTRAINTS ALL IMMEDIATE"))
        copies = 0
        with self._triggers_off():
            for plan in self._survey.plans:
                self._shape(plan)
                filling.fill(connection, plan.name)
                if plan.name == INTEGRATIONS:
                    filling.encrypt_keys(connection, keys, self._ring)
                found = filling.remove_copies(connection, plan, search)
                copies += found
                if found or plan.name == INTEGRATIONS:
                    self._rewrite(plan)
                self._constrain(plan)
        for plan in self._survey.plans:  # statistics hold values, too
            self._execute(f"ANALYZE {plan.name}")
        self.report = self._survey.report(copies)

    def _shape(self, plan: TablePlan) -> None:
        """What has to be before rows are filled: no hindrance, every column, of its type."""
        table = f"ALTER TABLE {plan.name}"
        for name in plan.dropped:
            self._execute(f"{table} DROP CONSTRAINT {self._quoted(name)}")
        if plan.name == INTEGRATIONS:  # a new row must not get a key in clear by itself
            self._execute(f"{table} ALTER COLUMN api_key DROP DEFAULT")
        for name in plan.freed:
            self._execute(f"{table} ALTER COLUMN {self._quoted(name)} DROP NOT NULL")
        for column in plan.added:
            kind = column.type.compile(self._connection.dialect)
            default = filling.DEFAULTS_OF_NEW_COLUMNS.get((plan.name, column.name))
            given = f" DEFAULT {default}" if default else ""
            self._execute(f"{table} ADD COLUMN {column.name} {kind}{given}")
            if default:
                self._execute(f"{table} ALTER COLUMN {column.name} DROP DEFAULT")
        for each in plan.retyped:
            if each.drops_default:
                self._execute(f"{table} ALTER COLUMN {each.column} DROP DEFAULT")
        if plan.retyped:
            changes = ", ".join(
                f"ALTER COLUMN {each.column} TYPE {each.after} USING {each.using}"
                for each in plan.retyped
            )
            self._execute(f"{table} {changes}")

    def _rewrite(self, plan: TablePlan) -> None:
        """Leave no old version of a row in the table's file: a key stands in it in clear."""
        table, change = f"ALTER TABLE {plan.name}", _REWRITTEN.get(plan.name)
        if change is not None:
            self._execute(f"{table} ALTER COLUMN {change}")
        else:  # a value that is another one for each row has to be written into each
            self._execute(f"{table} ADD COLUMN three_cx_anew double precision DEFAULT random()")
            self._execute(f"{table} DROP COLUMN three_cx_anew")

    def _constrain(self, plan: TablePlan) -> None:
        table = f"ALTER TABLE {plan.name}"
        for name in plan.required:
            self._execute(f"{table} ALTER COLUMN {name} SET NOT NULL")
        has_primary_key = plan.found.has_primary_key
        for constraint in plan.uniques:
            is_primary = isinstance(constraint, sa.PrimaryKeyConstraint) and not has_primary_key
            kind = "PRIMARY KEY" if is_primary else "UNIQUE"
            columns = ", ".join(constraint.columns.keys())
            self._execute(f"{table} ADD CONSTRAINT {constraint.name} {kind} ({columns})")
        for index in plan.indexes:
            index.create(self._connection)

    @contextmanager
    def _triggers_off(self) -> Iterator[None]:
        """Triggers of the host would put the time of the adoption on rows, or copy them."""
        triggers = [
            (plan.name, self._quoted(name), state)
            for plan in self._survey.plans
            for name, state in plan.found.triggers
        ]
        for table, name, _ in triggers:
            self._execute(f"ALTER TABLE {table} DISABLE TRIGGER {name}")
        yield
        for table, name, state in triggers:
            self._execute(f"ALTER TABLE {table} {_ENABLE[state]} TRIGGER {name}")

    def _execute(self, statement: str) -> None:
        self._connection.exec_driver_sql(statement)

    def _quoted(self, name: str) -> str:
        return self._connection.dialect.identifier_preparer.quote(name)


def _lock(connection: Connection) -> None:
    """Wait for whoever uses the tables, but not for long: everybody else waits behind us."""
    if connection.dialect.name != "postgresql":
        return
    connection.execute(sa.text(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT_S}s'"))
    for name in NEEDED:
        table = find(connection, name)
        if table is not None and table.kind == "r" and table.is_owned:
            connection.exec_driver_sql(f"LOCK TABLE {name} IN ACCESS EXCLUSIVE MODE")
