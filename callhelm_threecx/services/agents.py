"""Which user of the CRM answers which extension of the PBX."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, Text, and_, cast, func, or_, select
from sqlalchemy.orm import Session
from sqlmodel import col

from callhelm_threecx.confinement import insert_unless_present
from callhelm_threecx.db import Database, retry_when_passing
from callhelm_threecx.errors import NotFoundError
from callhelm_threecx.models import AgentMappingRow, utc_now
from callhelm_threecx.services.audit import PROGRAM, Actor
from callhelm_threecx.services.events import Event, EventType

PAGE: Final = 50
MAX_WORDS: Final = 8


@dataclass(frozen=True, slots=True)
class NewMapping:
    """A mapping to be kept; the extension is what it is found by."""

    extension: str
    agent_id: str = ""
    agent_email: str = ""
    agent_first_name: str = ""
    agent_last_name: str = ""


class Agents:
    """Keeps the mappings of every organization."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @retry_when_passing
    def all(self, organization_id: str) -> Sequence[AgentMappingRow]:
        """Every mapping of an organization, by extension."""
        ordered = select(AgentMappingRow).order_by(
            func.length(col(AgentMappingRow.three_cx_extension)),
            col(AgentMappingRow.three_cx_extension),
        )
        with self._database.read(organization_id) as session:
            return session.execute(ordered).scalars().all()

    @retry_when_passing
    def page(
        self, organization_id: str, *, query: str = "", after: str = "", limit: int = PAGE
    ) -> tuple[Sequence[AgentMappingRow], str]:
        """Mappings by extension, those behind the extension ``after``, and the extension after
        which the next page goes on (empty on the last).

        With a ``query``, those in whose extension, names, address or id each of its words stands.
        """
        length = func.length(col(AgentMappingRow.three_cx_extension))
        extension = col(AgentMappingRow.three_cx_extension)
        statement = select(AgentMappingRow).where(*map(_has, query.split()[:MAX_WORDS]))
        if after:
            behind = and_(length == len(after), extension > after)
            statement = statement.where(or_(length > len(after), behind))
        ordered = statement.order_by(length, extension).limit(limit + 1)
        with self._database.read(organization_id) as session:
            rows = session.execute(ordered).scalars().all()
        more = len(rows) > limit
        return rows[:limit], rows[limit - 1].three_cx_extension if more else ""

    @retry_when_passing
    def get(self, organization_id: str, mapping_id: str) -> AgentMappingRow:
        """One mapping. Raises `NotFoundError`, also for another organization's."""
        with self._database.read(organization_id) as session:
            return _mapping(session, mapping_id)

    def put(
        self, organization_id: str, mapping: NewMapping, *, by: Actor = PROGRAM
    ) -> AgentMappingRow:
        """Map an extension, in place of what it was mapped to."""
        return self.put_all(organization_id, [mapping], by=by)[0]

    def put_all(
        self, organization_id: str, mappings: Sequence[NewMapping], *, by: Actor = PROGRAM
    ) -> list[AgentMappingRow]:
        """Map several extensions in one transaction."""
        with self._database.write(organization_id) as session:
            rows = [_put(session, organization_id, mapping) for mapping in mappings]
            detail = {
                "action": "map_agents",
                "extensions": [row.three_cx_extension for row in rows],
                **by.detail(),
            }
            session.add(Event(organization_id, EventType.SETUP, raw_data=detail).row())
            session.flush()
            session.expunge_all()
        return rows

    def delete(self, organization_id: str, mapping_id: str, *, by: Actor = PROGRAM) -> None:
        """Remove a mapping. Raises `NotFoundError`, also for another organization's."""
        with self._database.write(organization_id) as session:
            row = _mapping(session, mapping_id)
            session.delete(row)
            detail = {
                "action": "unmap_agent",
                "extensions": [row.three_cx_extension],
                **by.detail(),
            }
            session.add(Event(organization_id, EventType.SETUP, raw_data=detail).row())


def _mapping(session: Session, mapping_id: str) -> AgentMappingRow:
    try:
        row = session.get(AgentMappingRow, uuid.UUID(mapping_id))
    except ValueError:
        row = None
    if row is None:
        raise NotFoundError("There is no such mapping.")
    return row


def _has(word: str) -> ColumnElement[bool]:
    """Whether a word stands in one of a mapping's texts, whatever its case."""
    columns = (
        col(AgentMappingRow.three_cx_extension),
        col(AgentMappingRow.agent_first_name),
        col(AgentMappingRow.agent_last_name),
        col(AgentMappingRow.agent_email),
        cast(col(AgentMappingRow.agent_id), Text),
    )
    return or_(*(column.icontains(word, autoescape=True) for column in columns))


def _put(session: Session, organization_id: str, mapping: NewMapping) -> AgentMappingRow:
    found = select(AgentMappingRow).where(
        col(AgentMappingRow.three_cx_extension) == mapping.extension
    )
    row = session.execute(found).scalars().one_or_none()
    if row is None:
        new = AgentMappingRow(organization_id=organization_id, three_cx_extension=mapping.extension)
        insert_unless_present(session, new)  # another transaction may be mapping it just now
        row = session.execute(found).scalars().one()
    row.agent_id = mapping.agent_id or None
    row.agent_email = mapping.agent_email or None
    row.agent_first_name = mapping.agent_first_name or None
    row.agent_last_name = mapping.agent_last_name or None
    row.updated_at = utc_now()
    return row
