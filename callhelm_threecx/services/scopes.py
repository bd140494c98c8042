"""Whom a view is about: one organization, or all of them for the administrator's key.

One organization is always read behind its wall; the two doors past it are opened here only.
"""

from contextlib import AbstractContextManager

from sqlalchemy.orm import Session

from callhelm_threecx.db import Database


def reading(database: Database, organization_id: str | None) -> AbstractContextManager[Session]:
    """A read of one organization, or of all (None)."""
    if organization_id is None:
        return database.read_all_organizations()
    return database.read(organization_id)


def writing(database: Database, organization_id: str | None) -> AbstractContextManager[Session]:
    """A transaction in one organization, or in all (None)."""
    if organization_id is None:
        return database.write_all_organizations()
    return database.write(organization_id)
