"""What the contacts of the default store are called, for pages that show many of them."""

import uuid
from collections.abc import Iterable, Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlmodel import col

from callhelm_threecx.db import Database, retry_when_passing
from callhelm_threecx.models import ContactRow
from callhelm_threecx.services.scopes import reading


class ContactNames:
    """Names contacts by their ids. A contact that is gone, or that another store keeps, has none
    here."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @retry_when_passing
    def of(
        self, organization_id: str | None, contact_ids: Iterable[str | None]
    ) -> Mapping[str, str]:
        """The names of an organization's contacts (None: of all organizations') by id, in one
        statement."""
        with reading(self._database, organization_id) as session:
            return names_within(session, contact_ids)


def names_within(session: Session, contact_ids: Iterable[str | None]) -> dict[str, str]:
    """The same in a session of the caller's; without an id nothing is asked."""
    keys = {key for key in map(uuid_of, contact_ids) if key}
    if not keys:
        return {}
    columns = (col(ContactRow.first_name), col(ContactRow.last_name), col(ContactRow.company))
    statement = select(col(ContactRow.id), *columns).where(col(ContactRow.id).in_(sorted(keys)))
    return {
        str(key): f"{first} {last}".strip() or company
        for key, first, last, company in session.execute(statement)
    }


def uuid_of(text: str | None) -> uuid.UUID | None:
    """An id of ours, None for any other text."""
    try:
        return uuid.UUID(text) if text else None
    except ValueError:
        return None
