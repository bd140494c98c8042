"""How long events are kept: the server's setting, and what organizations have of their own."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import select
from sqlmodel import col

from callhelm_threecx.confinement import insert_unless_present
from callhelm_threecx.db import Database, retry_when_passing
from callhelm_threecx.errors import BadInputError, SettingsError
from callhelm_threecx.models import EventRetentionRow, utc_now
from callhelm_threecx.retention import EVERY_TYPE, Retention, age_text, parse_age
from callhelm_threecx.services.audit import PROGRAM, Actor
from callhelm_threecx.services.event_kinds import EventType
from callhelm_threecx.services.events import Event
from callhelm_threecx.services.scopes import reading

AS_SERVER: Final = "server"
"""In place of an age: the organization has none of its own."""

TYPES: Final = tuple(kind.value for kind in EventType)


class RetentionRules:
    """Reads and sets how long events are kept."""

    def __init__(self, database: Database, setting: str) -> None:
        """``setting`` is the server's. Raises `SettingsError` when it names no type of ours."""
        self._database = database
        self.server = Retention.parse(setting)
        unknown = self.server.unknown(TYPES)
        if unknown:
            known = ", ".join(TYPES)
            raise SettingsError(f"THREECX_EVENT_RETENTION: {unknown[0]!r} is none of {known}.")

    def of(self, organization_id: str) -> Retention:
        """What counts for an organization."""
        return self.server.overlaid(self.own_ages(organization_id))

    @retry_when_passing
    def own_ages(self, organization_id: str) -> Mapping[str, timedelta | None]:
        """What an organization has of its own, by type."""
        with reading(self._database, organization_id) as session:
            rows = session.execute(select(EventRetentionRow)).scalars()
            return {row.event_type: _age(row.keep_days) for row in rows}

    @retry_when_passing
    def own(self) -> dict[str, Retention]:
        """What counts for each organization that has ages of its own."""
        ages: dict[str, dict[str, timedelta | None]] = {}
        with reading(self._database, None) as session:
            for row in session.execute(select(EventRetentionRow)).scalars():
                ages.setdefault(row.organization_id, {})[row.event_type] = _age(row.keep_days)
        return {one: self.server.overlaid(own) for one, own in sorted(ages.items())}

    def change(
        self, organization_id: str, changes: Mapping[str, str], *, by: Actor = PROGRAM
    ) -> Retention:
        """Give an organization ages of its own, by type; ``server`` takes one away. What counts
        now. It is in the event log.

        Raises `BadInputError` for what is no type or no age.
        """
        wanted = {_checked_type(name): _checked_age(name, age) for name, age in changes.items()}
        with self._database.write(organization_id) as session:
            for name, age in wanted.items():
                _put(session, organization_id, name, age)
            kept = {name or "all": _told(age) for name, age in wanted.items()}
            detail = {"action": "retention", "keep": kept, **by.detail()}
            session.add(Event(organization_id, EventType.SETUP, raw_data=detail).row())
        return self.of(organization_id)


def _put(
    session: Any, organization_id: str, event_type: str, age: Sequence[timedelta | None]
) -> None:
    """``age`` is empty to take away, else it has one element."""
    statement = select(EventRetentionRow).where(col(EventRetentionRow.event_type) == event_type)
    row = session.execute(statement).scalars().one_or_none()
    if not age:
        if row is not None:
            session.delete(row)
        return
    if row is None:
        new = EventRetentionRow(organization_id=organization_id, event_type=event_type)
        insert_unless_present(session, new)
        row = session.execute(statement).scalars().one()
    row.keep_days = age[0].days if age[0] is not None else None
    row.updated_at = utc_now()


def _age(days: int | None) -> timedelta | None:
    return None if days is None else timedelta(days=days)


def _told(age: Sequence[timedelta | None]) -> str:
    return age_text(age[0]) if age else AS_SERVER


def _checked_type(name: str) -> str:
    if name != EVERY_TYPE and name not in TYPES:
        raise BadInputError.of_field("type", f"{name!r} is none of {', '.join(TYPES)}")
    return name


def _checked_age(name: str, text: str) -> Sequence[timedelta | None]:
    if text.strip().lower() == AS_SERVER:
        return ()
    try:
        return (parse_age(text),)
    except ValueError as ex:
        message = f"{ex}, nor {AS_SERVER}"
        raise BadInputError.of_field(name or "keep", message) from None
