"""What has to change so that a table that is there becomes one of ours. Looks at no database."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from callhelm_threecx.adoption.catalog import FoundColumn, FoundTable
from callhelm_threecx.migrations.first_tables import EVENTS, INTEGRATIONS, MAPPINGS

NEEDED: Final[Mapping[str, Sequence[str]]] = {
    INTEGRATIONS: ("id", "organization_id", "api_key"),
    MAPPINGS: ("id", "organization_id", "three_cx_extension"),
    EVENTS: ("id", "organization_id", "event_type", "created_at"),
}
"""Columns without which a table is not the earlier integration's, or its rows say nothing."""

IDENTIFIERS: Final = frozenset({"organization_id", "agent_id", "contact_id", "call_id"})
"""Columns whose ``uuid`` stays: they refer to the host's tables."""

_LONGEST_ORGANIZATION_ID: Final = 64
# Columns of the event log that hold words of ours, which a CHECK may not know.
_WORDS: Final = frozenset({"event_type", "call_type", "call_direction", "status"})
# Where an event points may have gone, and a chat is in a table of ours.
_POINTERS: Final = frozenset({"contact_id", "call_id"})

_ANY_TEXT: Final = ("text", "character varying", "character")
_FITTING: Final[Mapping[str, frozenset[str]]] = {
    "uuid": frozenset({"uuid"}),
    "text": frozenset({"text"}),
    "boolean": frozenset({"boolean"}),
    "jsonb": frozenset({"jsonb"}),
    "integer": frozenset({"integer", "bigint"}),
    "double precision": frozenset({"double precision"}),
    "timestamp with time zone": frozenset({"timestamp with time zone"}),
}
_TRUE: Final = "lower(btrim({0}::text)) IN ('true', 't', 'yes', 'y', 'on', '1')"
_CONVERSIONS: Final[Mapping[str, Mapping[str, str]]] = {
    "boolean": dict.fromkeys((*_ANY_TEXT, "smallint", "integer", "bigint"), _TRUE),
    "jsonb": {"json": "{0}::jsonb"},
    "integer": {
        "smallint": "{0}::integer",
        **dict.fromkeys(("numeric", "real", "double precision"), "round({0}::numeric)::integer"),
    },
    "double precision": dict.fromkeys(
        ("real", "numeric", "smallint", "integer", "bigint"), "{0}::double precision"
    ),
    "timestamp with time zone": {"timestamp without time zone": "{0} AT TIME ZONE 'UTC'"},
}


@dataclass(frozen=True, slots=True)
class Retyping:
    """A column that changes its type; ``using`` is the SQL that makes the new value."""

    column: str
    before: str
    after: str
    using: str
    drops_default: bool


@dataclass(frozen=True, slots=True)
class TablePlan:
    """Everything that changes in the shape of one table."""

    found: FoundTable
    added: Sequence["sa.Column[object]"]
    retyped: Sequence[Retyping]
    freed: Sequence[str]
    """Columns that may be null from now on."""
    required: Sequence[str]
    """Columns that may not be null from now on."""
    dropped: Sequence[str]
    """Names of constraints."""
    uniques: Sequence["sa.UniqueConstraint | sa.PrimaryKeyConstraint"]
    indexes: Sequence[sa.Index]

    @property
    def name(self) -> str:
        """The table's name."""
        return self.found.name


def plan(found: FoundTable, wanted: sa.Table) -> TablePlan:
    """Compare a table that is there with ours."""
    ours = {column.name: column for column in wanted.columns}
    common = [found.columns[name] for name in ours if name in found.columns]
    return TablePlan(
        found=found,
        added=[column for name, column in ours.items() if name not in found.columns],
        retyped=[
            retyping
            for column in common
            if not _fits(column, ours[column.name])
            and (retyping := _retyping(column, ours[column.name])) is not None
        ],
        freed=[column.name for column in found.columns.values() if _is_freed(column, ours)],
        required=[
            name
            for name, column in ours.items()
            if not column.nullable and not (name in found.columns and found.columns[name].required)
        ],
        dropped=[c.name for c in found.constraints if _hinders(found.name, c.is_check, c.columns)],
        uniques=list(_missing_uniques(found, wanted)),
        indexes=sorted(
            (index for index in wanted.indexes if index.name not in found.indexes),
            key=lambda index: str(index.name),
        ),
    )


def contradictions(found: FoundTable, wanted: sa.Table) -> Iterator[str]:
    """Why a table of this shape cannot become ours; a sentence each."""
    for column in wanted.columns:
        there = found.columns.get(column.name)
        if there is None or _fits(there, column):
            continue
        name = f"{found.name}.{there.name}"
        if _retyping(there, column) is None:
            yield f"{name} is {there.shown}, which cannot become {_kind(column)}."
        for dependent in found.dependents.get(there.name, ()):
            yield (
                f"{name} is {there.shown} and has to become {_kind(column)}, but {dependent}"
                " depends on it: drop that, upgrade, and make it again."
            )


def _kind(column: "sa.Column[object]") -> str:
    kinds: Sequence[tuple[type, str]] = (
        (sa.Uuid, "uuid"),
        (sa.Boolean, "boolean"),
        (sa.JSON, "jsonb"),
        (sa.DateTime, "timestamp with time zone"),
        (sa.Integer, "integer"),
        (sa.Float, "double precision"),
    )
    return next((name for kind, name in kinds if isinstance(column.type, kind)), "text")


def _fits(there: FoundColumn, ours: "sa.Column[object]") -> bool:
    if there.type in _FITTING[_kind(ours)]:
        return True
    if there.type == "character varying" and _kind(ours) == "text":
        length = there.shown.partition("(")[2].rstrip(")")
        enough = there.name == "organization_id" and int(length or 0) >= _LONGEST_ORGANIZATION_ID
        return not length or enough
    return there.name in IDENTIFIERS and there.type == "uuid"


def _retyping(there: FoundColumn, ours: "sa.Column[object]") -> Retyping | None:
    after = _kind(ours)
    using = "{0}::text" if after == "text" else _CONVERSIONS.get(after, {}).get(there.type)
    if using is None or there.generated:
        return None
    # A default is converted along only where PostgreSQL casts by itself.
    keeps = there.type in {"character varying", "character", "smallint"}
    drops_default = there.supplied and not keeps
    return Retyping(there.name, there.shown, after, using.format(there.name), drops_default)


def _is_freed(there: FoundColumn, ours: "Mapping[str, sa.Column[object]]") -> bool:
    """Whether a column would refuse rows in which we leave it empty."""
    if not there.required or there.generated:
        return False
    if there.name in ours:
        return bool(ours[there.name].nullable)
    return not there.supplied or there.name == "api_key"


def _hinders(table: str, is_check: bool, columns: frozenset[str]) -> bool:
    return table == EVENTS and bool(columns & (_WORDS if is_check else _POINTERS))


def _missing_uniques(
    found: FoundTable, wanted: sa.Table
) -> "Iterator[sa.UniqueConstraint | sa.PrimaryKeyConstraint]":
    for constraint in sorted(wanted.constraints, key=lambda each: str(each.name)):
        if not isinstance(constraint, (sa.UniqueConstraint, sa.PrimaryKeyConstraint)):
            continue
        if frozenset(constraint.columns.keys()) not in found.uniques:
            yield constraint
