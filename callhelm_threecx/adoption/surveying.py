"""Looks at what an earlier integration left, and says what adoption would do or why it cannot."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa
from sqlalchemy import Connection

from callhelm_threecx.adoption import rows
from callhelm_threecx.adoption.catalog import FoundTable, find
from callhelm_threecx.adoption.filling import count_copies
from callhelm_threecx.adoption.key_search import KeySearch
from callhelm_threecx.adoption.planning import NEEDED, TablePlan, contradictions, plan
from callhelm_threecx.adoption.report import Report
from callhelm_threecx.keys import KeyRing
from callhelm_threecx.migrations.first_tables import EVENTS, INTEGRATIONS, MAPPINGS, first_tables
from callhelm_threecx.models import metadata

_WITHOUT_RING: Final = (
    "THREECX_SECRET_KEYS: is not set; the keys of the earlier integration are encrypted with it"
    " (see keygen)."
)


@dataclass(frozen=True, slots=True)
class Survey:
    """What is there. ``plans`` are in the order of our tables; ``keys`` are those of each row."""

    plans: Sequence[TablePlan]
    keys: Sequence[rows.KeyRow]
    mappings: int
    events: int
    contradictions: Sequence[str]

    @property
    def adopted(self) -> frozenset[str]:
        """Names of the tables that are there."""
        return frozenset(each.name for each in self.plans)

    @property
    def row_security(self) -> bool:
        """Whether row-level security guards the keys."""
        return any(each.found.row_security for each in self.plans if each.name == INTEGRATIONS)

    def forecast(self, connection: Connection, ring: KeyRing | None) -> Report:
        """What an adoption would do, keys that stand in other columns included."""
        if ring is None:
            return self.report()
        search = KeySearch(rows.clear_keys(self.keys, ring).values())
        return self.report(sum(count_copies(connection, plan, search) for plan in self.plans))

    def report(self, copies: int = 0) -> Report:
        """What an adoption that goes by this survey does."""
        return Report(
            keys=sum(row.api_key is not None for row in self.keys),
            kept_keys=sum(row.is_kept for row in self.keys),
            new_keys=sum(row.api_key is None and not row.is_kept for row in self.keys),
            mappings=self.mappings,
            events=self.events,
            copies=copies,
            tables_created=tuple(name for name in metadata.tables if name not in self.adopted),
            columns_added=tuple(f"{p.name}.{c.name}" for p in self.plans for c in p.added),
            columns_changed=tuple(
                f"{p.name}.{each.column} ({each.before} to {each.after})"
                for p in self.plans
                for each in p.retyped
            ),
            constraints_dropped=(
                *(f"{p.name}: {name}" for p in self.plans for name in p.dropped),
                *(f"{p.name}.{name} NOT NULL" for p in self.plans for name in p.freed),
            ),
            constraints_added=tuple(
                str(each.name) for p in self.plans for each in (*p.uniques, *p.indexes)
            ),
            row_level_security=self.row_security,
            notes=tuple(rows.notes(self.keys)),
            contradictions=tuple(self.contradictions),
        )


def survey(connection: Connection, ring: KeyRing | None) -> Survey | None:
    """Look at tables of our names in a database that no migration of ours has made; None when there
    is none. ``ring`` is needed for anything to be adopted; its absence is a contradiction."""
    tables = first_tables()
    ours = [*tables.tables, *(name for name in metadata.tables if name not in tables.tables)]
    if connection.dialect.name != "postgresql":
        taken = sorted(set(ours) & set(sa.inspect(connection).get_table_names()))
        return Survey([], [], 0, 0, [_is_strange(name) for name in taken]) if taken else None
    # Rows that policies hide raise an error from here on, instead of being missed.
    connection.execute(sa.text("SET LOCAL row_security = off"))
    found = {name: table for name in ours if (table := find(connection, name))}
    if not found:
        return None
    faults = list(_shape_faults(found, tables, ring))
    earlier = {name: table for name, table in found.items() if name in NEEDED}
    can_be_read = all(
        table.can_be_read and set(NEEDED[name]) <= set(table.columns)
        for name, table in earlier.items()
    )
    if not can_be_read or INTEGRATIONS not in earlier:
        return Survey([], [], 0, 0, faults)
    plans = [plan(table, tables.tables[name]) for name, table in earlier.items()]
    names = rows.OrganizationNames(connection)
    keys = rows.read_keys(connection, earlier[INTEGRATIONS])
    faults += rows.contradictions(connection, earlier, keys, names, ring)
    return Survey(
        plans,
        keys,
        rows.count(connection, MAPPINGS) if MAPPINGS in earlier else 0,
        rows.count(connection, EVENTS) if EVENTS in earlier else 0,
        faults,
    )


def _shape_faults(
    found: dict[str, FoundTable], tables: sa.MetaData, ring: KeyRing | None
) -> Iterator[str]:
    if ring is None and "api_key" in getattr(found.get(INTEGRATIONS), "columns", ()):
        yield _WITHOUT_RING
    for name, table in found.items():
        if name not in NEEDED or table.kind != "r":
            yield _is_strange(name)
            continue
        yield from _access_faults(table)
        missing = [column for column in NEEDED[name] if column not in table.columns]
        if missing:
            yield _is_strange(name, f", without {', '.join(missing)}")
        else:
            yield from contradictions(table, tables.tables[name])
    if INTEGRATIONS not in found:
        yield f"There is {', '.join(sorted(found))}, but no {INTEGRATIONS}, and {_STRANGE}"


_STRANGE: Final = "neither this product nor the earlier integration leaves it so."


def _is_strange(name: str, how: str = "") -> str:
    return f"There is a {name} already{how}, and {_STRANGE}"


def _access_faults(table: FoundTable) -> Iterator[str]:
    if table.is_owned and not table.may_select:
        yield f"This role owns {table.name} but may not read it: GRANT SELECT on it."
    if not table.is_owned:
        yield (
            f"{table.name} belongs to the role {table.owner}: upgrade as that role, or as one that"
            " is a member of it."
        )
    if table.is_hidden:
        yield (
            f"Row-level security hides rows of {table.name} from this role: upgrade as its owner"
            " or as a role with BYPASSRLS."
        )
