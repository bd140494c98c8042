"""The tables, as SQLModel classes on a metadata of their own (they may live in a host's database).

`OrganizationRow` marks a table whose rows belong to one organization; `db.Database` filters every
statement on it.
"""

import os
import time
import uuid
from datetime import date, datetime, timezone
from typing import Any, ClassVar, Final

from sqlalchemy import Date, Index, MetaData, Text, UniqueConstraint, text
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

from callhelm_threecx.columns import ORGANIZATION_ID, ByteText, Identifier, Json, UtcInstant

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def utc_now() -> datetime:
    """This instant, in UTC."""
    return datetime.now(timezone.utc)


def new_id() -> uuid.UUID:
    """A UUID of version 7 (RFC 9562): later ones sort after earlier ones, so indexes stay dense."""
    milliseconds = time.time_ns() // 1_000_000
    value = (milliseconds << 80) | int.from_bytes(os.urandom(10), "big")
    value = (value & ~(0xF << 76)) | (7 << 76)
    value = (value & ~(0x3 << 62)) | (2 << 62)
    return uuid.UUID(int=value)


_registry = registry(metadata=metadata)


class Row(SQLModel, registry=_registry):
    """Base of every table of the package."""

    metadata: ClassVar[MetaData] = metadata


class OrganizationRow(Row):
    """Base of every table whose rows belong to one organization."""

    organization_id: str = Field(max_length=64, sa_type=ORGANIZATION_ID)


def _instant(**kwargs: Any) -> Any:
    return Field(default_factory=utc_now, sa_type=UtcInstant, **kwargs)


class IntegrationRow(OrganizationRow, table=True):
    """The integration of one organization: its key, whether it is on, how it behaves."""

    __tablename__ = "three_cx_integrations"
    __table_args__ = (
        UniqueConstraint("organization_id"),
        Index(
            "ix_three_cx_integrations_directory",  # a search walks it, and never the table
            *("organization_id", "organization_name", "enabled"),
        ),
    )

    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    organization_name: str = Field(default="", sa_type=Text)
    enabled: bool = True
    key_fingerprint: str = Field(sa_type=ByteText, unique=True)
    key_encrypted: str = Field(sa_type=Text)
    key_hint: str = Field(sa_type=Text)
    key_created_at: datetime = _instant()
    previous_key_fingerprint: str | None = Field(default=None, sa_type=ByteText, unique=True)
    previous_key_expires_at: datetime | None = Field(default=None, sa_type=UtcInstant)
    three_cx_server_url: str | None = Field(default=None, sa_type=Text)
    default_region: str | None = Field(default=None, sa_type=Text)
    settings: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    created_at: datetime = _instant()
    updated_at: datetime = _instant()


class AgentMappingRow(OrganizationRow, table=True):
    """Which user of the CRM answers an extension of the PBX."""

    __tablename__ = "three_cx_agent_mappings"
    __table_args__ = (UniqueConstraint("organization_id", "three_cx_extension"),)

    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    three_cx_extension: str = Field(sa_type=ByteText)
    agent_id: str | None = Field(default=None, sa_type=Identifier())
    agent_email: str | None = Field(default=None, sa_type=Text)
    agent_first_name: str | None = Field(default=None, sa_type=Text)
    agent_last_name: str | None = Field(default=None, sa_type=Text)
    created_at: datetime = _instant()
    updated_at: datetime = _instant()


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
    created_at: datetime = _instant()


class ConsoleSessionRow(Row, table=True):
    """One sign-in to the console with the admin key; deleting it signs out. The browser holds its
    id, sealed."""

    __tablename__ = "three_cx_console_sessions"
    __table_args__ = (Index(None, "expires_at"),)

    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    client: str = Field(default="", sa_type=Text)
    created_at: datetime = _instant()
    expires_at: datetime = _instant()


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
    updated_at: datetime = _instant()


class ContactRow(OrganizationRow, table=True):
    """A contact of the ``sql`` store."""

    __tablename__ = "three_cx_contacts"
    __table_args__ = (
        UniqueConstraint("organization_id", "identity"),
        UniqueConstraint("organization_id", "external_id"),
        Index(None, "organization_id", "email_folded"),
        Index(None, "organization_id", "last_active_at", "id"),
        Index(
            "ix_three_cx_contacts_search_text",
            "search_text",
            postgresql_using="gin",
            postgresql_ops={"search_text": "gin_trgm_ops"},
        ).ddl_if(dialect="postgresql"),
    )

    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    external_id: str | None = Field(default=None, sa_type=ByteText)
    first_name: str = Field(default="", sa_type=Text)
    last_name: str = Field(default="", sa_type=Text)
    company: str = Field(default="", sa_type=Text)
    email: str = Field(default="", sa_type=Text)
    email_folded: str | None = Field(default=None, sa_type=ByteText)
    identity: str | None = Field(default=None, sa_type=ByteText)
    search_text: str = Field(default="", sa_type=Text)
    source: str = Field(default="", sa_type=Text)
    last_active_at: datetime = _instant()
    created_at: datetime = _instant()
    updated_at: datetime = _instant()


class ContactPhoneRow(OrganizationRow, table=True):
    """One number of a contact. ``tail`` is its digits reversed: exact and suffix matches alike
    are looked up on the index over it."""

    __tablename__ = "three_cx_contact_phones"
    __table_args__ = (
        Index(None, "organization_id", "tail"),
        Index(None, "contact_id"),
    )

    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    contact_id: uuid.UUID = Field(
        foreign_key="three_cx_contacts.id",
        ondelete="CASCADE",
    )
    type: str = Field(sa_type=Text)
    position: int = 0
    raw: str = Field(sa_type=Text)
    number: str = Field(sa_type=Text)
    extension: str = Field(default="", sa_type=Text)
    tail: str = Field(sa_type=ByteText)


class ConversationRow(OrganizationRow):
    """What calls and chats have in common. ``fingerprint`` is unique within the organization.

    ``happened_at`` is what they are ordered by: the start, else the end, else when it was recorded.
    """

    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    fingerprint: str = Field(sa_type=ByteText)
    number: str = Field(default="", sa_type=Text)
    name: str = Field(default="", sa_type=Text)
    contact_id: str | None = Field(default=None, sa_type=ByteText)
    agent_extension: str = Field(default="", sa_type=Text)
    agent_id: str | None = Field(default=None, sa_type=Text)
    agent_email: str = Field(default="", sa_type=Text)
    agent_name: str = Field(default="", sa_type=Text)
    attributed_by: str | None = Field(default=None, sa_type=Text)
    queue_extension: str = Field(default="", sa_type=Text)
    started_at: datetime | None = Field(default=None, sa_type=UtcInstant)
    ended_at: datetime | None = Field(default=None, sa_type=UtcInstant)
    happened_at: datetime = _instant()
    duration_seconds: int | None = None
    subject: str = Field(default="", sa_type=Text)
    created_at: datetime = _instant()

    def __init__(self, **fields: Any) -> None:
        known = fields.get("started_at") or fields.get("ended_at")
        super().__init__(**({"happened_at": known} if known else {}) | fields)


def _conversation_indexes(table: str, *more: str) -> list[Index]:
    """The filters of a page of calls or chats, each in the order of the page. ``more`` is what else
    a filter asks of the many of one agent."""
    filters = {"time": (), "contact": ("contact_id",), "number": ("number",)}
    indexes = [
        Index(f"ix_{table}_by_{name}", "organization_id", *columns, "happened_at", "id")
        for name, columns in filters.items()
    ]
    agent = ("organization_id", "agent_extension", "happened_at", "id", *more)
    return [*indexes, Index(f"ix_{table}_by_agent", *agent)]


class CallRow(ConversationRow, table=True):
    """One ended call, once."""

    __tablename__ = "three_cx_calls"
    __table_args__ = (
        UniqueConstraint("organization_id", "fingerprint"),
        *_conversation_indexes("three_cx_calls", "call_type"),
        Index("ix_three_cx_calls_by_type", "organization_id", "call_type", "happened_at", "id"),
    )

    call_type: str = Field(sa_type=Text)
    direction: str = Field(sa_type=Text)
    recording_url: str = Field(default="", sa_type=Text)
    transcription: str = Field(default="", sa_type=Text)
    summary: str = Field(default="", sa_type=Text)
    sentiment: str = Field(default="", sa_type=Text)


class ChatRow(ConversationRow, table=True):
    """One chat, once, like a call."""

    __tablename__ = "three_cx_chats"
    __table_args__ = (
        UniqueConstraint("organization_id", "fingerprint"),
        *_conversation_indexes("three_cx_chats"),
    )

    messages: str = Field(sa_type=Text)
    email: str = Field(default="", sa_type=Text)


class ContactImportRow(OrganizationRow, table=True):
    """A file of contacts, and how far its import has come; ``runner`` works on it."""

    __tablename__ = "three_cx_contact_imports"
    __table_args__ = (Index(None, "organization_id", "created_at", "id"),)

    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    file_name: str = Field(sa_type=Text)
    header: list[str] = Field(sa_type=Json)
    state: str = Field(sa_type=ByteText)
    total: int
    done: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    refused: int = 0
    error: str = Field(default="", sa_type=Text)
    actor: dict[str, str] = Field(default_factory=dict, sa_type=Json)
    runner: uuid.UUID | None = None
    heartbeat_at: datetime | None = Field(default=None, sa_type=UtcInstant)
    created_at: datetime = _instant()
    finished_at: datetime | None = Field(default=None, sa_type=UtcInstant)


class ContactImportBatchRow(OrganizationRow, table=True):
    """Rows of an import that are kept together, as JSON: ``[line, cells]`` of each; and once
    they are done ``[index, reason]`` of those that were refused."""

    __tablename__ = "three_cx_contact_import_batches"

    import_id: uuid.UUID = Field(primary_key=True, foreign_key="three_cx_contact_imports.id")
    position: int = Field(primary_key=True)
    rows: str = Field(sa_type=Text)
    refused: str | None = Field(default=None, sa_type=Text)


def organization_tables() -> list[type[OrganizationRow]]:
    """The mapped class of every table whose rows belong to one organization."""
    mapped = (mapper.class_ for mapper in _registry.mappers)
    return [table for table in mapped if issubclass(table, OrganizationRow)]
