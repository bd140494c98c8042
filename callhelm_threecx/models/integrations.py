"""Integrations, agent mappings, and sign-ins to the console."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import Index, Text, UniqueConstraint
from sqlmodel import Field

from callhelm_threecx.columns import ByteText, Identifier, Json, UtcInstant
from callhelm_threecx.models.base import OrganizationRow, Row, instant, new_id


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
    key_created_at: datetime = instant()
    previous_key_fingerprint: str | None = Field(default=None, sa_type=ByteText, unique=True)
    previous_key_expires_at: datetime | None = Field(default=None, sa_type=UtcInstant)
    three_cx_server_url: str | None = Field(default=None, sa_type=Text)
    default_region: str | None = Field(default=None, sa_type=Text)
    settings: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    created_at: datetime = instant()
    updated_at: datetime = instant()


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
    created_at: datetime = instant()
    updated_at: datetime = instant()


class ConsoleSessionRow(Row, table=True):
    """One sign-in to the console with the admin key; deleting it signs out. The browser holds its
    id, sealed."""

    __tablename__ = "three_cx_console_sessions"
    __table_args__ = (Index(None, "expires_at"),)

    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    client: str = Field(default="", sa_type=Text)
    created_at: datetime = instant()
    expires_at: datetime = instant()
