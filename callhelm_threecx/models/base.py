"""What all tables stand on: a metadata of their own, ids, instants, whose a row is.

`OrganizationRow` marks a table whose rows belong to one organization; `db.Database` filters every
statement on it.
"""

import os
import time
import uuid
from datetime import datetime, timezone
from typing import Any, ClassVar

from sqlalchemy import MetaData
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

from callhelm_threecx.columns import ORGANIZATION_ID, UtcInstant

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


def instant(**kwargs: Any) -> Any:
    """A column that is this instant unless it is given."""
    return Field(default_factory=utc_now, sa_type=UtcInstant, **kwargs)


def organization_tables() -> list[type[OrganizationRow]]:
    """The mapped class of every table whose rows belong to one organization."""
    mapped = (mapper.class_ for mapper in _registry.mappers)
    return [table for table in mapped if issubclass(table, OrganizationRow)]
