"""Contacts of the ``sql`` store, and imports of contacts."""

import uuid
from datetime import datetime

from sqlalchemy import Index, Text, UniqueConstraint
from sqlmodel import Field

from callhelm_threecx.columns import ByteText, Json, UtcInstant
from callhelm_threecx.models.base import OrganizationRow, instant, new_id


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
    last_active_at: datetime = instant()
    created_at: datetime = instant()
    updated_at: datetime = instant()


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
    created_at: datetime = instant()
    finished_at: datetime | None = Field(default=None, sa_type=UtcInstant)


class ContactImportBatchRow(OrganizationRow, table=True):
    """Rows of an import that are kept together, as JSON: ``[line, cells]`` of each; and once
    they are done ``[index, reason]`` of those that were refused."""

    __tablename__ = "three_cx_contact_import_batches"

    import_id: uuid.UUID = Field(primary_key=True, foreign_key="three_cx_contact_imports.id")
    position: int = Field(primary_key=True)
    rows: str = Field(sa_type=Text)
    refused: str | None = Field(default=None, sa_type=Text)
