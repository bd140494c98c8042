"""The extensions that speak in calls and chats, and that nobody is mapped to yet."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, exists, func, select
from sqlmodel import col

from callhelm_threecx.db import Database, retry_when_passing
from callhelm_threecx.models import AgentMappingRow, CallRow, ChatRow

COUNT_TO: Final = 100
MOST: Final = 200


@dataclass(frozen=True, slots=True)
class UnmappedExtension:
    """An extension without a mapping: in how many calls and chats it is (each counted to
    `COUNT_TO`, so 100 means that or more), when last, and whom the PBX named there."""

    extension: str
    calls: int
    chats: int
    last_seen_at: datetime
    agent_name: str
    agent_email: str


class Extensions:
    """Finds them by probing an index once for each extension there is, however many calls."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @retry_when_passing
    def unmapped(self, organization_id: str, *, limit: int = MOST) -> Sequence[UnmappedExtension]:
        """The extensions of an organization without a mapping, last seen first."""
        with self._database.read(organization_id) as session:
            calls = session.execute(_unmapped(CallRow, limit)).all()
            chats = session.execute(_unmapped(ChatRow, limit)).all()
        found = {row[0]: UnmappedExtension(row[0], row[1], 0, *row[2:]) for row in calls}
        for extension, count, at, name, email in chats:
            known = found.get(extension)
            if known is None:
                known = UnmappedExtension(extension, 0, count, at, name, email)
            found[extension] = UnmappedExtension(
                extension,
                known.calls,
                count,
                max(known.last_seen_at, at),
                known.agent_name or name,
                known.agent_email or email,
            )
        newest = sorted(found.values(), key=lambda one: one.last_seen_at, reverse=True)
        return newest[:limit]


def _unmapped(table: type[CallRow] | type[ChatRow], limit: int) -> Select[Any]:
    """(extension, count, last seen, name, e-mail) of each extension of a table."""
    own: Any = col(table.agent_extension)
    first = select(func.min(own).label("extension")).where(own > "")
    steps = first.cte("extensions", recursive=True)
    following = select(func.min(own)).where(own > steps.c.extension).correlate(steps)
    steps = steps.union_all(
        select(following.scalar_subquery()).where(steps.c.extension.is_not(None))
    )
    extension = steps.c.extension
    mapped = exists(
        select(col(AgentMappingRow.id)).where(col(AgentMappingRow.three_cx_extension) == extension)
    )
    count = select(func.count()).select_from(
        select(col(table.id)).where(own == extension).correlate(steps).limit(COUNT_TO).subquery()
    )
    return (
        select(
            extension,
            count.scalar_subquery(),
            *(_last(table, column, extension, steps) for column in _shown(table)),
        )
        .where(extension.is_not(None), ~mapped)
        .limit(limit)
    )


def _shown(table: type[CallRow] | type[ChatRow]) -> tuple[Any, Any, Any]:
    return col(table.happened_at), col(table.agent_name), col(table.agent_email)


def _last(
    table: type[CallRow] | type[ChatRow], column: Any, extension: ColumnElement[str], steps: Any
) -> Any:
    """A column of the last call or chat of an extension."""
    return (
        select(column)
        .where(col(table.agent_extension) == extension)
        .order_by(col(table.happened_at).desc(), col(table.id).desc())
        .limit(1)
        .correlate(steps)
        .scalar_subquery()
    )
