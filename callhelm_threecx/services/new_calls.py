"""New calls of the ordinary kind, each recorded in one statement.

Nearly every report is of this kind: contacts are in our own table, none is to be created, and it is
the first of its call. `Journal` does all others, repeated ones among them: it tells what was there.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Text, func, inspect, literal_column, select

from callhelm_threecx.db import Database
from callhelm_threecx.models import CallRow, ContactRow, EventRow, new_id, utc_now
from callhelm_threecx.once_insert import ALONG, ROW, LookedUp, OnceInsert, given
from callhelm_threecx.services.attribution import Attribution, mapping_in_sql
from callhelm_threecx.services.events import Event, milliseconds_since
from callhelm_threecx.services.reports import CallReport, Report
from callhelm_threecx.stores.base import Organization


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of a report."""

    id: str
    contact_id: str | None
    agent_id: str | None
    duplicate: bool


@dataclass(frozen=True, slots=True)
class FoundContact:
    """The contact of a report, and what it was found by: ``id``, ``number``, ``last_digits`` or
    ``email``; nothing for nobody."""

    contact_id: str | None = None
    by: str | None = None


def active_at(report: Report) -> datetime:
    """When the contact of a report was active: at its end, as far as known, and never later than
    now."""
    now = utc_now()
    return min(report.ended_at or report.started_at or now, now)


def agent_columns(
    attribution: Attribution | None, reported: Mapping[str, Any]
) -> dict[str, str | None]:
    """Whose call it was, in the columns of a call or chat; an unmapped agent is kept as the PBX
    named them, and shown as such."""
    if attribution is None:
        return {"agent_id": None, "attributed_by": None}
    return {
        "agent_id": attribution.agent_id,
        "agent_email": attribution.email or reported["agent_email"],
        "agent_name": attribution.name or reported["agent_name"],
        "attributed_by": attribution.by,
    }


class NewCalls:
    """Records calls that were not recorded before."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._statement = OnceInsert(
            *(CallRow, EventRow, ContactRow),
            "last_active_at",
            looked_up=_attributed(),
            told=("agent_id",),
        )

    def record(
        self,
        organization: Organization,
        report: CallReport,
        columns: dict[str, Any],
        event: Event,
        *,
        found: FoundContact,
        started: float,
    ) -> Recorded | None:
        """Record a call; None, and nothing changed, when it was recorded before.

        ``columns`` are those of the call but for its agent, whom a mapping tells. Raises
        `StorageUnavailableError` when the database does not answer.
        """
        key, now = new_id(), utc_now()
        happened_at = columns["started_at"] or columns["ended_at"] or now
        row = {"id": key, "happened_at": happened_at, "created_at": now, **columns}
        event.call_id, event.contact_id = str(key), found.contact_id
        event.raw_data["contactFoundBy"] = found.by
        event.latency_ms = milliseconds_since(started)
        parameters = OnceInsert.parameters(
            row,
            event.values(),
            *(found.contact_id, active_at(report)),
            extension=report.agent.extension or None,
            email=report.agent.email.lower() or None,
        )
        told = self._database.fetch(organization.id, self._statement, parameters)
        return Recorded(str(key), found.contact_id, told[0][0], False) if told else None


def _attributed() -> LookedUp:
    """Whose call it is, as `agent_columns` says it, by the mapping that the statement finds."""
    mapping, calls = mapping_in_sql(), inspect(CallRow).local_table.c
    raw_data = inspect(EventRow).local_table.c.raw_data

    def mapped(name: str) -> Any:
        return select(mapping.c[name]).scalar_subquery()

    def mapped_or_given(name: str, column: Any) -> Any:
        return func.coalesce(
            func.nullif(mapped(name), literal_column("''", Text)), given(ROW, column)
        )

    by = mapped("by")
    return LookedUp(
        row={
            "agent_id": mapped("agent_id"),
            "agent_email": mapped_or_given("email", calls.agent_email),
            "agent_name": mapped_or_given("name", calls.agent_name),
            "attributed_by": by,
        },
        along={
            "raw_data": given(ALONG, raw_data).op("||", return_type=raw_data.type)(
                func.jsonb_build_object(literal_column("'attributedBy'", Text), by)
            )
        },
    )
