"""New calls of the ordinary kind, each recorded in one statement.

Nearly every report is of this kind: contacts are in our own table, none is to be created, and it is
the first of its call. The statement finds the contact too, where that is plain: one that the report
names, or the owner of just its number. `Journal` does all others, repeated ones among them: it
tells what was there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Boolean,
    Text,
    bindparam,
    exists,
    func,
    inspect,
    literal_column,
    or_,
    select,
)

from callhelm_threecx import phone
from callhelm_threecx.db import Database
from callhelm_threecx.models import CallRow, ContactRow, EventRow, new_id, utc_now
from callhelm_threecx.once_insert import ALONG, GIVEN, ROW, LookedUp, OnceInsert, given
from callhelm_threecx.services.attribution import Attribution, mapping_in_sql
from callhelm_threecx.services.ended_call import EndedCall
from callhelm_threecx.services.events import milliseconds_since
from callhelm_threecx.services.reports import CallReport, Report
from callhelm_threecx.stores.base import Organization
from callhelm_threecx.stores.sql_owner import owner_in_sql, owner_parameters
from callhelm_threecx.stores.sql_rows import key_of


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

    def record(
        self, call: EndedCall, *, known: FoundContact | None, stranger: bool
    ) -> Recorded | None:
        """Record a call; None, and nothing changed, when it was recorded before or its contact
        needs another look.

        The contact is the one ``known``; without one it is whom the report names, if it is the
        organization's own, else the owner of just this number. ``stranger`` says whether a call of
        nobody is recorded too, for want of a known contact or of any other way to find one. Raises
        `StorageUnavailableError` when the database does not answer.
        """
        key, run = _run(call, known=known, stranger=stranger)
        return _recorded(key, self._database.fetch(*run))

    def record_together(self, calls: Sequence[EndedCall]) -> list[Recorded | None]:
        """Record several calls of contacts that nobody knows yet, as `record` does, all in one
        transaction. None also for each of them when one of them cannot be recorded."""
        runs = [_run(call, known=None, stranger=call.may_be_a_stranger) for call in calls]
        # Who locks the same contacts in the same order seldom waits for one who waits in turn. It
        # happens where numbers and contacts have different orders: PostgreSQL then ends one of the
        # two after a second, and each of its calls is recorded alone.
        order = sorted(range(len(calls)), key=lambda place: _locked(calls[place]))
        told = self._database.fetch_together([runs[place][1] for place in order])
        if told is None:
            return [None] * len(calls)
        by_place = dict(zip(order, told, strict=True))
        return [_recorded(key, by_place[place]) for place, (key, _) in enumerate(runs)]


def _run(
    call: EndedCall, *, known: FoundContact | None, stranger: bool
) -> tuple[UUID, tuple[str, OnceInsert, dict[str, Any]]]:
    """The id that a call will have, and what records it: for whom, the statement, and its
    parameters."""
    report, event = call.report, call.event
    organization = call.integration.organization
    key, now = new_id(), utc_now()
    happened_at = call.columns["started_at"] or call.columns["ended_at"] or now
    row = {"id": key, "happened_at": happened_at, "created_at": now, **call.columns}
    event.call_id = str(key)
    event.latency_ms = milliseconds_since(call.started)
    tails, owner = _asked_owner(organization, report, known)
    parameters = OnceInsert.parameters(
        row,
        event.values(),
        active_at(report),
        extension=report.agent.extension or None,
        email=report.agent.email.lower() or None,
        found_by=known.by if known is not None else None,
        stranger="true" if stranger else "false",
        **owner,
    )
    agent_email, contact_id = parameters[GIVEN]["email"], parameters[GIVEN]["contact"]
    statement = _statement(tails, contact_id is not None, agent_email is not None)
    return key, (organization.id, statement, parameters)


def _recorded(key: UUID, told: Sequence[Sequence[Any]]) -> Recorded | None:
    return Recorded(str(key), told[0][0], told[0][1], False) if told else None


def _locked(call: EndedCall) -> tuple[str, str]:
    """What stands for the rows that recording a call locks: its contact and, should the same report
    be recorded elsewhere, its fingerprint. One number is nearly always one contact."""
    return call.integration.organization_id, call.columns["number"] + call.columns["fingerprint"]


def _asked_owner(
    organization: Organization, report: CallReport, known: FoundContact | None
) -> tuple[int, dict[str, str | None]]:
    if known is not None:
        return owner_parameters(None, known.contact_id)
    number = report.party.number
    named = key_of(report.party.entity_id)
    wanted = phone.candidates(number, organization.region) if number else None
    return owner_parameters(wanted, str(named) if named else None)


@cache
def _statement(tails: int, is_contact_named: bool, has_agent_email: bool) -> OnceInsert:
    """The statement for numbers of so many readings."""
    mapping = mapping_in_sql(with_email=has_agent_email)
    owner = owner_in_sql(tails, named=is_contact_named)
    calls = inspect(CallRow).local_table.c
    raw_data = inspect(EventRow).local_table.c.raw_data
    contact = select(owner.c.id).scalar_subquery()  # text or, in adopted tables, a uuid
    found_by = func.coalesce(
        bindparam(f"{GIVEN}_found_by", type_=Text), select(owner.c.by).scalar_subquery()
    )

    def mapped(name: str) -> Any:
        return select(mapping.c[name]).scalar_subquery()

    def mapped_or_given(name: str, column: Any) -> Any:
        return func.coalesce(
            func.nullif(mapped(name), literal_column("''", Text)), given(ROW, column)
        )

    by = mapped("by")
    notes = func.jsonb_build_object(
        *(literal_column("'attributedBy'", Text), by),
        *(literal_column("'contactFoundBy'", Text), found_by),
    )
    looked_up = LookedUp(
        row={
            "contact_id": contact,
            "agent_id": mapped("agent_id"),
            "agent_email": mapped_or_given("email", calls.agent_email),
            "agent_name": mapped_or_given("name", calls.agent_name),
            "attributed_by": by,
        },
        along={
            "contact_id": contact,
            "raw_data": given(ALONG, raw_data).op("||", return_type=raw_data.type)(notes),
        },
        touched=contact,
        wanted=or_(exists(select(owner.c.id)), bindparam(f"{GIVEN}_stranger", type_=Boolean)),
    )
    return OnceInsert(
        *(CallRow, EventRow, ContactRow),
        "last_active_at",
        looked_up=looked_up,
        told=("contact_id", "agent_id"),
    )
