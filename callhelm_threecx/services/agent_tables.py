"""Agent mappings as CSV: what a table would change, and changing it.

The command line and the console read the same tables. A table adds and changes mappings; those of
extensions that it does not name stay as they are.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from callhelm_threecx.errors import BadInputError
from callhelm_threecx.models import AgentMappingRow
from callhelm_threecx.services.agents import Agents, NewMapping
from callhelm_threecx.services.audit import PROGRAM, Actor
from callhelm_threecx.services.csv_tables import Row, Table, read_table, texts_of

COLUMNS: Final = ("Extension", "AgentEmail", "AgentFirstName", "AgentLastName", "AgentId")
MAX_ROWS: Final = 20_000
"""More than any PBX has extensions: a table that is longer is another one."""

_LENGTHS: Final = dict(zip(COLUMNS, (20, 320, 320, 320, 64), strict=True))


@dataclass(frozen=True, slots=True)
class ChangedMapping:
    """An extension that is mapped, and would be mapped to something else."""

    before: NewMapping
    after: NewMapping


@dataclass(frozen=True, slots=True)
class MappingPlan:
    """What becomes of every row of a table, in its order.

    ``refused`` are rows that cannot be kept, each with the reason; ``header`` is the table's, for a
    file of those rows.
    """

    added: Sequence[NewMapping]
    changed: Sequence[ChangedMapping]
    unchanged: Sequence[NewMapping]
    refused: Sequence[tuple[Row, str]]
    header: Sequence[str]
    unknown_columns: Sequence[str]

    @property
    def to_write(self) -> list[NewMapping]:
        """The mappings that applying the plan writes."""
        return [*self.added, *(change.after for change in self.changed)]

    @property
    def mapped(self) -> int:
        """How many extensions of the table are mapped as it says once the plan is applied."""
        return len(self.added) + len(self.changed) + len(self.unchanged)


def read_mappings(name: str, data: bytes, *, encoding: str = "") -> Table:
    """Read an uploaded table of mappings through. Raises `TableError` for what is none."""
    return read_table(name, data, COLUMNS, encoding=encoding)


def plan(agents: Agents, organization_id: str, table: Table) -> MappingPlan:
    """What a table would change in an organization; nothing is written.

    Raises `BadInputError` for a table of more than 20,000 rows.
    """
    if table.length > MAX_ROWS:
        raise BadInputError(f"The table has {table.length} rows; {MAX_ROWS} are the most.")
    mappings, refused = _read(table)
    before = {row.three_cx_extension: _kept(row) for row in agents.all(organization_id)}
    added: list[NewMapping] = []
    changed: list[ChangedMapping] = []
    unchanged: list[NewMapping] = []
    for extension, mapping in mappings.items():
        known = before.get(extension)
        if known is None:
            added.append(mapping)
        elif known == mapping:
            unchanged.append(mapping)
        else:
            changed.append(ChangedMapping(known, mapping))
    return MappingPlan(added, changed, unchanged, refused, table.header, table.unknown)


def apply(
    agents: Agents, organization_id: str, planned: MappingPlan, *, by: Actor = PROGRAM
) -> None:
    """Write what a plan adds and changes, in one transaction. What was mapped in another way since
    the plan was made is mapped as the table says."""
    mappings = planned.to_write
    if mappings:
        agents.put_all(organization_id, mappings, by=by)


def row_of(row: AgentMappingRow) -> Sequence[str]:
    """The cells of a mapping, in the order of `COLUMNS`."""
    kept = _kept(row)
    names = (kept.agent_email, kept.agent_first_name, kept.agent_last_name)
    return (kept.extension, *names, kept.agent_id)


def _kept(row: AgentMappingRow) -> NewMapping:
    return NewMapping(
        extension=row.three_cx_extension,
        agent_id=row.agent_id or "",
        agent_email=row.agent_email or "",
        agent_first_name=row.agent_first_name or "",
        agent_last_name=row.agent_last_name or "",
    )


def _read(table: Table) -> tuple[dict[str, NewMapping], list[tuple[Row, str]]]:
    """The mappings by extension, and the refused rows with their reasons."""
    mappings: dict[str, NewMapping] = {}
    refused: list[tuple[Row, str]] = []
    for row in table.rows():
        try:
            mapping = _mapping(row, mappings)
            mappings[mapping.extension] = mapping
        except BadInputError as ex:  # noqa: PERF203 - each row fails by itself
            refused.append((row, ex.message))
    return mappings, refused


def _mapping(row: Row, earlier: Mapping[str, NewMapping]) -> NewMapping:
    """The mapping in a row. Raises `BadInputError` whose message says what is wrong with it."""
    texts = texts_of(row, _LENGTHS)
    extension = texts["Extension"]
    if not extension:
        raise BadInputError("has no Extension")
    if extension in earlier:
        raise BadInputError(f"the extension {extension} stands further up already")
    return NewMapping(
        extension=extension,
        agent_id=texts["AgentId"],
        agent_email=texts["AgentEmail"],
        agent_first_name=texts["AgentFirstName"],
        agent_last_name=texts["AgentLastName"],
    )
