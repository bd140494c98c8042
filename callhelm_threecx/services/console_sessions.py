"""Sign-ins to the console with the admin key.

What the browser keeps is sealed and ages: it lives for `IDLE_S` seconds and is renewed while it is
used. What it names is a row here, gone with the sign-out, so a copied cookie opens nothing then.
"""

import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import delete, select
from sqlmodel import col

from callhelm_threecx.db import Database, retry_when_passing
from callhelm_threecx.keys import KeyRing
from callhelm_threecx.models import ConsoleSessionRow, utc_now

IDLE_S: Final = 30 * 60
"""A session that nobody uses ends after so many seconds."""

RENEW_S: Final = 5 * 60
"""A cookie that is older than this many seconds is renewed when it is shown."""

LIFETIME: Final = timedelta(hours=12)
"""A session ends after this time, however busy."""

_PURPOSE: Final = "console session"


@dataclass(frozen=True, slots=True)
class ConsoleSession:
    """A sign-in that is open. ``needs_renewal``: the browser should get a fresh token for it."""

    id: str
    needs_renewal: bool = False


class ConsoleSessions:
    """Opens, finds and closes sign-ins."""

    def __init__(self, database: Database, ring: KeyRing) -> None:
        self._database = database
        self._ring = ring

    def open(self, client: str) -> ConsoleSession:
        """A new session, under an id that nobody knew before; ended ones are swept out."""
        now = utc_now()
        row = ConsoleSessionRow(client=client, created_at=now, expires_at=now + LIFETIME)
        with self._database.write_all_organizations() as session:
            session.execute(
                delete(ConsoleSessionRow).where(col(ConsoleSessionRow.expires_at) <= now)
            )
            session.add(row)
            session.flush()
            return ConsoleSession(str(row.id))

    def token(self, session: ConsoleSession) -> str:
        """What the browser shows to be let in again, for `IDLE_S` seconds from now."""
        return self._ring.seal(session.id, _PURPOSE)

    @retry_when_passing
    def find(self, token: str) -> ConsoleSession | None:
        """The open session that a token names; None for any other text."""
        session_id = self._ring.unseal(token, _PURPOSE, ttl_s=IDLE_S)
        if session_id is None:
            return None
        columns = select(col(ConsoleSessionRow.id)).where(
            col(ConsoleSessionRow.id) == uuid.UUID(session_id),
            col(ConsoleSessionRow.expires_at) > utc_now(),
        )
        with self._database.read_all_organizations() as session:
            if session.execute(columns).first() is None:
                return None
        fresh = self._ring.unseal(token, _PURPOSE, ttl_s=RENEW_S) is not None
        return ConsoleSession(session_id, needs_renewal=not fresh)

    def close(self, session: ConsoleSession) -> None:
        """Sign one browser out."""
        with self._database.write_all_organizations() as database_session:
            database_session.execute(
                delete(ConsoleSessionRow).where(col(ConsoleSessionRow.id) == uuid.UUID(session.id))
            )

    def close_all(self) -> None:
        """Sign every browser out."""
        with self._database.write_all_organizations() as session:
            session.execute(delete(ConsoleSessionRow))
