"""What all tables stand on: a metadata of their own, ids, instants, whose a row is.

`OrganizationRow` marks a table whose rows belong to one organization; `db.Database` filters every
statement on it.
"""

import os
import threading
import time
import uuid
from datetime import datetime, timezone
from typing import Any, ClassVar, Final

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


class _Ticks:
    """A clock of 4096 ticks a millisecond that shows every tick once."""

    def __init__(self) -> None:
        self._last = 0
        self._lock = threading.Lock()
        os.register_at_fork(after_in_child=self._renew)

    def next(self) -> int:
        """The tick of this moment, or the first one that was not shown yet."""
        now = (time.time_ns() << 12) // 1_000_000
        with self._lock:
            self._last = max(now, self._last + 1)
            return self._last

    def _renew(self) -> None:
        self._lock = threading.Lock()  # a thread of the parent may have held the old one


_ticks: Final = _Ticks()


def new_id() -> uuid.UUID:
    """A UUID of version 7: of one process, later ones sort after earlier ones, so the oldest of
    several contacts is the one with the least id, and indexes stay dense.

    Behind the milliseconds stand 12 bits of their fraction, which move on with each id however many
    are made at once (RFC 9562, 6.2, method 3), then 62 random ones.
    """
    tick = _ticks.next()
    chance = int.from_bytes(os.urandom(8), "big") >> 2
    milliseconds, fraction = tick >> 12, tick & 0xFFF
    return uuid.UUID(int=milliseconds << 80 | 7 << 76 | fraction << 64 | 2 << 62 | chance)


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
