"""What the rows of the earlier tables say, and where they contradict each other or us."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import Connection

from callhelm_threecx.adoption.catalog import FoundTable, find
from callhelm_threecx.adoption.key_search import SHORTEST_SOUGHT, is_distinctive
from callhelm_threecx.keys import KeyRing, UndecipherableError
from callhelm_threecx.migrations.first_tables import INTEGRATIONS, MAPPINGS
from callhelm_threecx.settings import MAX_KEY

_ORGANIZATIONS: Final = "organizations"


@dataclass(frozen=True, slots=True)
class KeyRow:
    """The key of one row: in clear as a PBX shows it (without the spaces around it), or encrypted
    by an adoption before a downgrade. Neither is ever shown."""

    id: UUID
    organization_id: str | None
    api_key: str | None = field(repr=False)
    encrypted: str | None = field(repr=False)

    @property
    def is_kept(self) -> bool:
        """Whether the key is encrypted already, and no newer one stands in clear."""
        return self.api_key is None and self.encrypted is not None


class OrganizationNames:
    """The names that the host's organizations have, where its table is there and can be read."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._names: Mapping[str, str] | None = None

    def of(self, organization_id: str) -> str:
        """How a sentence calls an organization: with its id, and its name if there is one."""
        if self._names is None:
            self._names = self._read()
        name = self._names.get(organization_id)
        return f"{name} ({organization_id})" if name else organization_id

    def listed(self, organization_ids: Iterable[str]) -> str:
        """Several of them, in one order."""
        return " and ".join(map(self.of, sorted(organization_ids)))

    def _read(self) -> Mapping[str, str]:
        if not has_names(self._connection):
            return {}
        table = sa.table(_ORGANIZATIONS, sa.column("id"), sa.column("name"))
        statement = sa.select(sa.cast(table.c.id, sa.Text), sa.cast(table.c.name, sa.Text))
        return {key: name for key, name in self._connection.execute(statement) if name}


def has_names(connection: Connection) -> bool:
    """Whether the host has a table of organizations whose names can be read."""
    table = find(connection, _ORGANIZATIONS)
    return table is not None and table.can_be_read and {"id", "name"} <= set(table.columns)


def count(connection: Connection, table: str) -> int:
    """How many rows a table has."""
    return int(
        connection.execute(sa.select(sa.func.count()).select_from(sa.table(table))).scalar_one()
    )


def read_keys(connection: Connection, found: FoundTable) -> list[KeyRow]:
    """The key of every row, by organization."""
    names = ("id", "organization_id", "api_key", "key_encrypted", "key_fingerprint")
    there = [name for name in names if name in found.columns]
    table = sa.table(INTEGRATIONS, *map(sa.column, there))
    columns = [table.c.id, *(sa.cast(table.c[n], sa.Text).label(n) for n in there if n != "id")]
    keys = []
    ordered = sa.select(*columns).order_by(sa.text("2"), sa.text("1"))
    for row in connection.execute(ordered).mappings():
        is_encrypted = row.get("key_encrypted") and row.get("key_fingerprint")
        keys.append(
            KeyRow(
                row["id"],
                row["organization_id"],
                (row["api_key"] or "").strip() or None,
                row["key_encrypted"] if is_encrypted else None,
            )
        )
    return keys


def clear_keys(keys: Sequence[KeyRow], ring: KeyRing) -> dict[UUID, str]:
    """Every key in clear, by the id of its row; without those that the ring does not decrypt."""
    known = {}
    for row in keys:
        if row.api_key is not None:
            known[row.id] = row.api_key
        elif row.encrypted is not None and row.organization_id is not None:
            try:
                known[row.id] = ring.decrypt(row.encrypted, row.organization_id)
            except UndecipherableError:
                continue
    return known


def notes(keys: Sequence[KeyRow]) -> Iterator[str]:
    """What an administrator should know besides."""
    plain = [
        str(row.organization_id)
        for row in keys
        if row.api_key is not None and not is_distinctive(row.api_key)
    ]
    if plain:
        yield (
            f"keys shorter than {SHORTEST_SOUGHT} characters, or of digits only, go on working but"
            " were not sought in other columns; give these organizations new ones: "
            + ", ".join(plain)
        )


def contradictions(
    connection: Connection,
    earlier: Mapping[str, FoundTable],
    keys: Sequence[KeyRow],
    names: OrganizationNames,
    ring: KeyRing | None,
) -> list[str]:
    """Why the rows cannot be ours; a sentence each, in one order."""
    found = [*_organization_faults(keys, names), *_key_faults(keys, names, ring)]
    if MAPPINGS in earlier:
        found += _mapping_faults(connection, names)
    for table in earlier.values():
        found += _id_faults(connection, table)
    return found


def _organization_faults(keys: Sequence[KeyRow], names: OrganizationNames) -> Iterator[str]:
    times: dict[str, int] = defaultdict(int)
    for row in keys:
        if row.organization_id is not None:
            times[row.organization_id] += 1
    nobodys = len(keys) - sum(times.values())
    if nobodys:
        yield f"{nobodys} rows of {INTEGRATIONS} have no organization."
    for organization_id, number in times.items():
        if number > 1:
            yield f"{names.of(organization_id)} has {number} rows in {INTEGRATIONS}."


def _key_faults(
    keys: Sequence[KeyRow], names: OrganizationNames, ring: KeyRing | None
) -> Iterator[str]:
    known = clear_keys(keys, ring) if ring is not None else {}
    owners: dict[str, set[str]] = defaultdict(set)
    for row in keys:
        api_key, owner = row.api_key or known.get(row.id), row.organization_id
        if owner is None:
            continue
        if api_key is not None:
            owners[api_key].add(owner)
            if len(api_key) > MAX_KEY:
                yield (
                    f"The key of {names.of(owner)} has {len(api_key)} characters; a request may"
                    f" show {MAX_KEY}."
                )
        elif row.encrypted is not None and ring is not None:
            yield (
                f"The key of {names.of(owner)} is encrypted with a secret key that"
                " THREECX_SECRET_KEYS does not have."
            )
    for several in owners.values():
        if len(several) > 1:
            yield f"{names.listed(several)} have the same key."


def _mapping_faults(connection: Connection, names: OrganizationNames) -> Iterator[str]:
    table = sa.table(MAPPINGS, sa.column("organization_id"), sa.column("three_cx_extension"))
    organization = sa.cast(table.c.organization_id, sa.Text)
    extension = sa.cast(table.c.three_cx_extension, sa.Text)
    lacking = sa.select(organization, sa.func.count()).where(
        sa.or_(organization.is_(None), extension.is_(None))
    )
    for row in connection.execute(lacking.group_by(organization).order_by(organization)):
        owner: str | None = row[0]
        if owner is None:
            yield f"{row[1]} rows of {MAPPINGS} have no organization."
        else:
            yield f"{row[1]} agent mappings of {names.of(owner)} have no extension."
    groups = sa.select(organization, extension, sa.func.count()).group_by(organization, extension)
    several = groups.where(organization.is_not(None), extension.is_not(None)).having(
        sa.func.count() > 1
    )
    for double in connection.execute(several.order_by(organization, extension)):
        yield f"{names.of(double[0])} has extension {double[1]} {double[2]} times in {MAPPINGS}."


def _id_faults(connection: Connection, found: FoundTable) -> Iterator[str]:
    """Rows that have no id, or share one; a constraint of their table's own rules that out."""
    if frozenset({"id"}) in found.uniques and found.columns["id"].required:
        return
    key: sa.ColumnClause[Any] = sa.column("id")
    table = sa.table(found.name, key)
    total = sa.func.count() - sa.func.count(sa.distinct(key))
    number = connection.execute(sa.select(total).select_from(table)).scalar_one()
    if number:
        yield f"{number} rows of {found.name} have no id, or that of another row."
