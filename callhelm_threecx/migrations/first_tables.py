"""The tables as the first revision makes them, frozen: later revisions change tables, not this.

Both the revision and the adoption of an earlier integration's tables go by it.
"""

from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

INTEGRATIONS: Final = "three_cx_integrations"
MAPPINGS: Final = "three_cx_agent_mappings"
EVENTS: Final = "three_cx_call_events"

INSTANT: Final = sa.DateTime(timezone=True)
BYTE_TEXT: Final = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
JSON: Final = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def first_tables() -> sa.MetaData:
    """A metadata of its own with every table, constraint and index but the trigram index."""
    tables = sa.MetaData()
    _integrations(tables)
    _agent_mappings(tables)
    _call_events(tables)
    _calls(tables)
    _chats(tables)
    _contacts(tables)
    _contact_phones(tables)
    return tables


def _integrations(tables: sa.MetaData) -> None:
    sa.Table(
        "three_cx_integrations",
        tables,
        sa.Column("organization_id", BYTE_TEXT, nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_name", sa.Text(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("key_fingerprint", BYTE_TEXT, nullable=False),
        sa.Column("key_encrypted", sa.Text(), nullable=False),
        sa.Column("key_hint", sa.Text(), nullable=False),
        sa.Column("key_created_at", INSTANT, nullable=False),
        sa.Column("previous_key_fingerprint", BYTE_TEXT, nullable=True),
        sa.Column("previous_key_expires_at", INSTANT, nullable=True),
        sa.Column("three_cx_server_url", sa.Text(), nullable=True),
        sa.Column("default_region", sa.Text(), nullable=True),
        sa.Column("settings", JSON, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_three_cx_integrations"),
        sa.UniqueConstraint("key_fingerprint", name="uq_three_cx_integrations_key_fingerprint"),
        sa.UniqueConstraint("organization_id", name="uq_three_cx_integrations_organization_id"),
        sa.UniqueConstraint(
            "previous_key_fingerprint", name="uq_three_cx_integrations_previous_key_fingerprint"
        ),
    )


def _agent_mappings(tables: sa.MetaData) -> None:
    sa.Table(
        "three_cx_agent_mappings",
        tables,
        sa.Column("organization_id", BYTE_TEXT, nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("three_cx_extension", BYTE_TEXT, nullable=False),
        sa.Column("agent_id", sa.Text(), nullable=True),
        sa.Column("agent_email", sa.Text(), nullable=True),
        sa.Column("agent_first_name", sa.Text(), nullable=True),
        sa.Column("agent_last_name", sa.Text(), nullable=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_three_cx_agent_mappings"),
        sa.UniqueConstraint(
            "organization_id",
            "three_cx_extension",
            name="uq_three_cx_agent_mappings_organization_id_three_cx_extension",
        ),
    )


def _call_events(tables: sa.MetaData) -> None:
    sa.Table(
        "three_cx_call_events",
        tables,
        sa.Column("organization_id", BYTE_TEXT, nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("event_type", BYTE_TEXT, nullable=False),
        sa.Column("status", BYTE_TEXT, nullable=False),
        sa.Column("phone_number", sa.Text(), nullable=True),
        sa.Column("contact_id", sa.Text(), nullable=True),
        sa.Column("call_id", sa.Text(), nullable=True),
        sa.Column("agent_extension", sa.Text(), nullable=True),
        sa.Column("call_direction", sa.Text(), nullable=True),
        sa.Column("call_type", sa.Text(), nullable=True),
        sa.Column("duration_seconds", sa.Integer(), nullable=True),
        sa.Column("call_start_time", INSTANT, nullable=True),
        sa.Column("call_end_time", INSTANT, nullable=True),
        sa.Column("latency_ms", sa.Float(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("raw_data", JSON, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_three_cx_call_events"),
        sa.Index("ix_three_cx_call_events_created_at_id", "created_at", "id"),
        sa.Index(
            "ix_three_cx_call_events_organization_id_created_at_id",
            "organization_id",
            "created_at",
            "id",
        ),
        sa.Index(
            "ix_three_cx_call_events_organization_id_event_type",
            "organization_id",
            "event_type",
            "created_at",
            "id",
        ),
    )


def _calls(tables: sa.MetaData) -> None:
    sa.Table(
        "three_cx_calls",
        tables,
        sa.Column("organization_id", BYTE_TEXT, nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("fingerprint", BYTE_TEXT, nullable=False),
        sa.Column("call_type", sa.Text(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("contact_id", BYTE_TEXT, nullable=True),
        sa.Column("agent_extension", sa.Text(), nullable=False),
        sa.Column("agent_id", sa.Text(), nullable=True),
        sa.Column("agent_email", sa.Text(), nullable=False),
        sa.Column("agent_name", sa.Text(), nullable=False),
        sa.Column("attributed_by", sa.Text(), nullable=True),
        sa.Column("queue_extension", sa.Text(), nullable=False),
        sa.Column("started_at", INSTANT, nullable=True),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.Column("duration_seconds", sa.Integer(), nullable=True),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("recording_url", sa.Text(), nullable=False),
        sa.Column("transcription", sa.Text(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("sentiment", sa.Text(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_three_cx_calls"),
        sa.UniqueConstraint(
            "organization_id", "fingerprint", name="uq_three_cx_calls_organization_id_fingerprint"
        ),
        sa.Index(
            "ix_three_cx_calls_organization_id_contact_id_started_at",
            "organization_id",
            "contact_id",
            "started_at",
        ),
        sa.Index(
            "ix_three_cx_calls_organization_id_started_at_id", "organization_id", "started_at", "id"
        ),
    )


def _chats(tables: sa.MetaData) -> None:
    sa.Table(
        "three_cx_chats",
        tables,
        sa.Column("organization_id", BYTE_TEXT, nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("fingerprint", BYTE_TEXT, nullable=False),
        sa.Column("messages", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("contact_id", BYTE_TEXT, nullable=True),
        sa.Column("agent_extension", sa.Text(), nullable=False),
        sa.Column("agent_id", sa.Text(), nullable=True),
        sa.Column("agent_email", sa.Text(), nullable=False),
        sa.Column("agent_name", sa.Text(), nullable=False),
        sa.Column("attributed_by", sa.Text(), nullable=True),
        sa.Column("queue_extension", sa.Text(), nullable=False),
        sa.Column("started_at", INSTANT, nullable=True),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.Column("duration_seconds", sa.Integer(), nullable=True),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_three_cx_chats"),
        sa.UniqueConstraint(
            "organization_id", "fingerprint", name="uq_three_cx_chats_organization_id_fingerprint"
        ),
        sa.Index(
            "ix_three_cx_chats_organization_id_started_at_id", "organization_id", "started_at", "id"
        ),
    )


def _contacts(tables: sa.MetaData) -> None:
    sa.Table(
        "three_cx_contacts",
        tables,
        sa.Column("organization_id", BYTE_TEXT, nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("external_id", BYTE_TEXT, nullable=True),
        sa.Column("first_name", sa.Text(), nullable=False),
        sa.Column("last_name", sa.Text(), nullable=False),
        sa.Column("company", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("email_folded", BYTE_TEXT, nullable=True),
        sa.Column("identity", BYTE_TEXT, nullable=True),
        sa.Column("search_text", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("last_active_at", INSTANT, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_three_cx_contacts"),
        sa.UniqueConstraint(
            "organization_id",
            "external_id",
            name="uq_three_cx_contacts_organization_id_external_id",
        ),
        sa.UniqueConstraint(
            "organization_id", "identity", name="uq_three_cx_contacts_organization_id_identity"
        ),
        sa.Index(
            "ix_three_cx_contacts_organization_id_email_folded", "organization_id", "email_folded"
        ),
    )


def _contact_phones(tables: sa.MetaData) -> None:
    sa.Table(
        "three_cx_contact_phones",
        tables,
        sa.Column("organization_id", BYTE_TEXT, nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("raw", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("extension", sa.Text(), nullable=False),
        sa.Column("tail", BYTE_TEXT, nullable=False),
        sa.ForeignKeyConstraint(
            ["contact_id"],
            ["three_cx_contacts.id"],
            name="fk_three_cx_contact_phones_contact_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_three_cx_contact_phones"),
        sa.Index("ix_three_cx_contact_phones_contact_id", "contact_id"),
        sa.Index("ix_three_cx_contact_phones_organization_id_tail", "organization_id", "tail"),
    )
