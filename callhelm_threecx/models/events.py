"""The event log, its totals by day, and how long it is kept."""

import uuid
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Date, Index, Text, text
from sqlmodel import Field

from callhelm_threecx.columns import ORGANIZATION_ID, ByteText, Identifier, Json, UtcInstant
from callhelm_threecx.models.base import OrganizationRow, instant, new_id

_COUNTED: Final = ("created_at", "id", "event_type", "status", "call_type", "latency_ms")


class EventRow(OrganizationRow, table=True):
    """One line of the event log: what a PBX asked and what it got.

    ``organization_id`` is null for a refusal whose key belongs to nobody.
    """

    __tablename__ = "three_cx_call_events"
    # A page is filtered by one of them (`services.events.EventFilter` says by which); the first
    # four also hold all that is counted, so that a count reads the index alone.
    __table_args__ = (
        Index("ix_three_cx_call_events_by_organization", "organization_id", *_COUNTED),
        Index("ix_three_cx_call_events_by_time", *_COUNTED),
        Index(
            "ix_three_cx_call_events_by_organization_type",
            *("organization_id", "event_type", "status", "created_at", "id", "call_type"),
        ),
        Index(
            "ix_three_cx_call_events_by_type",
            *("event_type", "status", "created_at", "id", "call_type"),
        ),
        Index(
            "ix_three_cx_call_events_by_number",
            *("phone_number", "organization_id", "created_at", "id"),
            sqlite_where=text("phone_number IS NOT NULL"),
            postgresql_where=text("phone_number IS NOT NULL"),
        ),
        Index(
            "ix_three_cx_call_events_by_agent",
            *("agent_extension", "organization_id", "created_at", "id"),
            sqlite_where=text("agent_extension IS NOT NULL"),
            postgresql_where=text("agent_extension IS NOT NULL"),
        ),
    )

    organization_id: str | None = Field(default=None, sa_type=ORGANIZATION_ID)  # type: ignore[assignment]
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    event_type: str = Field(sa_type=ByteText)
    status: str = Field(default="ok", sa_type=ByteText)
    phone_number: str | None = Field(default=None, sa_type=Text)
    contact_id: str | None = Field(default=None, sa_type=Identifier())
    call_id: str | None = Field(default=None, sa_type=Identifier())
    agent_extension: str | None = Field(default=None, sa_type=Text)
    call_direction: str | None = Field(default=None, sa_type=Text)
    call_type: str | None = Field(default=None, sa_type=Text)
    duration_seconds: int | None = None
    call_start_time: datetime | None = Field(default=None, sa_type=UtcInstant)
    call_end_time: datetime | None = Field(default=None, sa_type=UtcInstant)
    latency_ms: float | None = None
    error: str | None = Field(default=None, sa_type=Text)
    raw_data: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    created_at: datetime = instant()


class DailyTotalRow(OrganizationRow, table=True):
    """How many events of a kind an organization had on a day (UTC) that is over.

    ``organization_id`` is empty for all organizations together, with the refusals that belong to
    nobody. ``call_type`` is empty for events that have none. The row with an empty ``event_type``
    says that the day has been counted.
    """

    __tablename__ = "three_cx_daily_totals"

    organization_id: str = Field(max_length=64, sa_type=ORGANIZATION_ID, primary_key=True)
    day: date = Field(sa_type=Date, primary_key=True)
    event_type: str = Field(sa_type=ByteText, primary_key=True)
    status: str = Field(sa_type=ByteText, primary_key=True)
    call_type: str = Field(sa_type=ByteText, primary_key=True)
    count: int


class EventRetentionRow(OrganizationRow, table=True):
    """How many days an organization keeps events of a type; null: for ever.

    An empty ``event_type`` is every type without a row of its own. What no row names is kept as the
    server's setting says.
    """

    __tablename__ = "three_cx_event_retention"

    organization_id: str = Field(max_length=64, sa_type=ORGANIZATION_ID, primary_key=True)
    event_type: str = Field(sa_type=ByteText, primary_key=True)
    keep_days: int | None = None
    updated_at: datetime = instant()
