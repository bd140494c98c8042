"""One host's database for all tests of a module: each has an organization of its own in it."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from callhelm_threecx import migrate
from callhelm_threecx.db import Database
from callhelm_threecx.settings import database_url as parse_url
from callhelm_threecx.stores.base import Organization
from callhelm_threecx.stores.callhelm import CallHelmStore
from tests.callhelm.conftest import SCHEMA
from tests.servers import PostgresSource


class Host:
    """A host's database: the host's own way into it, and the store on it."""

    def __init__(self, url: str, own: "psycopg.Connection[Any]", database: Database) -> None:
        self.url = url
        self.own = own
        self.database = database
        self.store = CallHelmStore(database)

    def organization(self, region: str = "US", name: str = "Acme") -> Organization:
        """A new organization of the host."""
        return Organization(self._insert("organizations", name=name, slug=uuid.uuid4().hex), region)

    def contact(self, organization: Organization, phone_number: str = "", **columns: Any) -> str:
        """A new contact, as the host itself writes it; its id."""
        return self._insert(
            "contacts",
            organization_id=organization.id,
            phone_number=phone_number,
            **columns,
        )

    def call(self, organization: Organization, contact_id: str, start_time: str) -> None:
        """A call with a contact."""
        self._insert(
            "calls",
            organization_id=organization.id,
            contact_id=contact_id,
            direction="inbound",
            status="answered",
            caller_number="",
            called_number="",
            start_time=start_time,
        )

    def member(
        self,
        organization: Organization,
        email: str = "",
        full_name: str = "",
        **columns: Any,
    ) -> str:
        """A new member of an organization, with a profile; its id."""
        address = email or f"{uuid.uuid4().hex}@example.com"
        profile = self._insert("profiles", email=address, full_name=full_name)
        return self._insert(
            "organization_members", organization_id=organization.id, user_id=profile, **columns
        )

    def calls(self, organization: Organization) -> list[dict[str, Any]]:
        """The host's calls of an organization, as they stand in its table."""
        cursor = self.own.execute(
            "SELECT * FROM calls WHERE organization_id = %s ORDER BY start_time",
            (organization.id,),
        )
        names = [column.name for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor]

    def row(self, contact_id: str) -> dict[str, Any]:
        """A contact as it stands in the host's table."""
        cursor = self.own.execute("SELECT * FROM contacts WHERE id = %s", (contact_id,))
        names = [column.name for column in cursor.description or ()]
        found = cursor.fetchone()
        assert found is not None
        return dict(zip(names, found, strict=True))

    def _insert(self, table: str, **columns: Any) -> str:
        names, places = ", ".join(columns), ", ".join(["%s"] * len(columns))
        row = self.own.execute(
            f"INSERT INTO {table} ({names}) VALUES ({places}) RETURNING id".encode(),
            list(columns.values()),
        ).fetchone()
        assert row is not None
        return str(row[0])


@contextmanager
def new_host(source: PostgresSource, folder: Path, more_sql: str = "") -> Iterator[Host]:
    """A host's database of its own, changed by ``more_sql``."""
    with source.empty(folder) as url, psycopg.connect(url, autocommit=True) as own:
        own.execute((SCHEMA.read_text(encoding="utf-8") + more_sql).encode())
        database = Database(parse_url(url))
        try:
            migrate.upgrade(database)
            yield Host(url, own, database)
        finally:
            database.dispose()
