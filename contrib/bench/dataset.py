"""Databases full of contacts, made by the database itself in seconds.

Contact ``i`` has the number ``+4930`` and 20,000,000 + ``i``, so that a load can ask for numbers
without having seen them. The organizations take turns. Beside the product's tables stand those of
the yardsticks, with the same contacts.
"""

import contextlib
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg

from callhelm_threecx import keys, migrate
from callhelm_threecx.app import build_services
from callhelm_threecx.db import Database
from callhelm_threecx.migrations import search_index
from callhelm_threecx.settings import Settings, database_url

FIRST = ("Anna", "Ben", "Chloé", "Dmitri", "Elif", "Farid", "Grace", "Hiro", "Inés", "Jörg", "Kaja")
LAST = ("Müller", "Smith", "Rossi", "García", "Ivanov", "Yildiz", "Tanaka", "Dubois", "Novák")
COMPANY = ("Nordwind GmbH", "Acme Ltd", "Sol y Mar SA", "Blue Fjord AS", "Hinode KK", "Öresund AB")


@dataclass(frozen=True)
class Filled:
    """A database, what a server needs to serve it, and its organizations' API keys in turn."""

    url: str
    secret: str
    contacts: int
    api_keys: tuple[str, ...]

    @property
    def environment(self) -> dict[str, str]:
        """The product's settings: as in production, but for a rate limit that nobody meets."""
        return {
            "THREECX_DATABASE_URL": self.url,
            "THREECX_SECRET_KEYS": self.secret,
            "THREECX_DEFAULT_REGION": "DE",
            "THREECX_RATE_LIMIT": "100000000/minute",
            "THREECX_PUBLIC_URL": "https://crm.example.com",
        }

    def key_of(self, index: int) -> str:
        """The API key of the organization that has the contact."""
        return self.api_keys[index % len(self.api_keys)]


def number(index: int) -> str:
    """The E.164 number of a contact."""
    return f"+4930{20_000_000 + index}"


def number_in_url(index: int) -> str:
    """The same, as a query has it."""
    return quote(number(index), safe="")


def organization(index: int) -> str:
    """The name of an organization, by its place in the turn."""
    return f"bench-{index}"


def fill(url: str, contacts: int, organizations: int = 1) -> Filled:
    """Bring a new database up to date and fill it."""
    secret = keys.generate_secret_key()
    settings = Settings.load(database_url=url, secret_keys=secret, default_region="DE")
    services = build_services(settings)
    migrate.upgrade(services.database)
    names = [organization(index) for index in range(organizations)]
    first_key = services.integrations.set_up(names[0])[1]
    services.close()
    api_keys = [first_key, *(keys.generate_api_key() for _ in names[1:])]
    ring = keys.KeyRing([secret])
    copies = [
        (name, ring.fingerprint(key), ring.encrypt(key, name), keys.key_hint(key), names[0])
        for name, key in zip(names[1:], api_keys[1:], strict=True)
    ]
    if url.startswith("sqlite"):
        _fill_sqlite(url, contacts, organizations)
    else:
        _fill_postgres(url, contacts, organizations, copies)
    return Filled(url, secret, contacts, tuple(api_keys))


def _fill_postgres(
    url: str, contacts: int, organizations: int, copies: Sequence[tuple[str, ...]]
) -> None:
    span = {"contacts": contacts, "organizations": organizations}
    lists = {"first": list(FIRST), "last": list(LAST), "company": list(COMPANY)}
    with psycopg.connect(url) as connection:
        connection.execute("SET session_replication_role = replica")  # no foreign key is checked
        indexes = connection.execute(
            "SELECT indexname, indexdef FROM pg_indexes"
            " WHERE tablename LIKE 'three\\_cx\\_contact%' AND indexdef NOT LIKE 'CREATE UNIQUE%'"
        ).fetchall()
        for name, _ in indexes:
            connection.execute(f"DROP INDEX {name}".encode())
        connection.cursor().executemany(POSTGRES_INTEGRATION, copies)
        for statement in POSTGRES_CONTACTS:
            connection.execute(statement.encode(), {**span, **lists})
        for _, definition in indexes:
            connection.execute(definition)
        for statement in POSTGRES_YARDSTICKS:
            connection.execute(statement.encode())
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM (FREEZE, ANALYZE)")
        connection.execute("CHECKPOINT")


# An integration like the first one, with a key of its own.
POSTGRES_INTEGRATION = """
    INSERT INTO three_cx_integrations
    SELECT (jsonb_populate_record(i, jsonb_build_object(
        'id', gen_random_uuid(), 'organization_id', %s::text, 'key_fingerprint', %s::text,
        'key_encrypted', %s::text, 'key_hint', %s::text))).*
    FROM three_cx_integrations AS i WHERE i.organization_id = %s
"""
POSTGRES_CONTACTS = (
    """
    INSERT INTO three_cx_contacts (organization_id, id, first_name, last_name, company, email,
        email_folded, search_text, source, last_active_at, created_at, updated_at)
    SELECT 'bench-' || i %% %(organizations)s,
        ('01990000-0000-7000-8000-' || lpad(to_hex(i), 12, '0'))::uuid,
        first, last, company, email, email,
        lower(concat_ws(' ', first, last, company, email)) || ' 4930' || digits || ' 030' || digits,
        'bench', seen, seen, seen
    FROM generate_series(0, %(contacts)s - 1) AS i
    CROSS JOIN LATERAL (SELECT
        (%(first)s::text[])[1 + i %% 11] AS first, (%(last)s::text[])[1 + i / 11 %% 9] AS last,
        (%(company)s::text[])[1 + i / 7 %% 6] AS company,
        'contact' || i || '@example.com' AS email, (20000000 + i)::text AS digits,
        now() - i * interval '1 second' AS seen) AS of_contact
    """,
    """
    INSERT INTO three_cx_contact_phones (organization_id, id, contact_id, type, position, raw,
        number, extension, tail)
    SELECT 'bench-' || i %% %(organizations)s,
        ('01990000-0001-7000-8000-' || lpad(to_hex(i), 12, '0'))::uuid,
        ('01990000-0000-7000-8000-' || lpad(to_hex(i), 12, '0'))::uuid,
        'phoneBusiness', 0, '+4930' || 20000000 + i, '+4930' || 20000000 + i, '',
        reverse('4930' || 20000000 + i)
    FROM generate_series(0, %(contacts)s - 1) AS i
    """,
)
POSTGRES_YARDSTICKS = (
    """
    CREATE TABLE bare_contacts AS
    SELECT c.id, first_name, last_name, company, email, p.number
    FROM three_cx_contacts AS c JOIN three_cx_contact_phones AS p ON p.contact_id = c.id
    """,
    "ALTER TABLE bare_contacts ADD PRIMARY KEY (id)",
    "CREATE INDEX ON bare_contacts (number)",
    """
    CREATE TABLE bare_calls (id uuid PRIMARY KEY, call_type text, direction text, number text,
        name text, agent text, duration text, started_at timestamptz, subject text)
    """,
)


# What each request adds to: the product's and the yardsticks'.
LOGS = ("three_cx_call_events", "three_cx_calls", "bare_calls", "twinevent", "twincall")


def empty_logs(url: str) -> None:
    """Take out of a filled database what requests have left there: a log of millions of events is
    slower to write to."""
    if url.startswith("sqlite"):
        with contextlib.closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as sqlite:
            for table in (name for name in LOGS if name.startswith("three_cx")):
                sqlite.execute(f"DELETE FROM {table}")
            sqlite.commit()
            sqlite.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return
    with psycopg.connect(url, autocommit=True) as connection:
        for table in LOGS:
            if connection.execute("SELECT to_regclass(%s)", (table,)).fetchone() != (None,):
                connection.execute(f"TRUNCATE {table}".encode())
        connection.execute("VACUUM ANALYZE")
        connection.execute("CHECKPOINT")


def bare_file(url: str) -> Path:
    """Where the yardstick's contacts are, beside a SQLite database."""
    return Path(url.removeprefix("sqlite:///")).with_name("bare.db")


def _fill_sqlite(url: str, contacts: int, organizations: int) -> None:
    if organizations > 1:
        raise ValueError("a SQLite database is filled for one organization")
    database = Database(database_url(url))
    with database.engine.begin() as connection:
        search_index.drop(connection)
    path = url.removeprefix("sqlite:///")
    with contextlib.closing(sqlite3.connect(path)) as sqlite, sqlite:
        for table, names in (("first", FIRST), ("last", LAST), ("company", COMPANY)):
            sqlite.execute(f"CREATE TEMP TABLE {table}s (place INTEGER PRIMARY KEY, name TEXT)")
            sqlite.executemany(f"INSERT INTO {table}s VALUES (?, ?)", enumerate(names))
        for statement in SQLITE_CONTACTS:
            sqlite.execute(statement, {"contacts": contacts})
        sqlite.execute("ANALYZE")
        sqlite.execute(f"ATTACH '{bare_file(url)}' AS bare")
        sqlite.execute(
            "CREATE TABLE bare.bare_contacts (id TEXT PRIMARY KEY, first_name TEXT, last_name TEXT,"
            " company TEXT, email TEXT, number TEXT)"
        )
        sqlite.execute(
            "INSERT INTO bare.bare_contacts"
            " SELECT c.id, first_name, last_name, company, email, p.number"
            " FROM three_cx_contacts AS c JOIN three_cx_contact_phones AS p ON p.contact_id = c.id"
        )
        sqlite.execute("CREATE INDEX bare.by_number ON bare_contacts (number)")
    with database.engine.begin() as connection:
        search_index.create(connection)
    database.dispose()


_SERIES = (
    "WITH RECURSIVE series(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM series LIMIT :contacts)"
)
SQLITE_CONTACTS = (
    f"""
    INSERT INTO three_cx_contacts (organization_id, id, first_name, last_name, company, email,
        email_folded, search_text, source, last_active_at, created_at, updated_at)
    {_SERIES}
    SELECT 'bench-0', printf('0199000000007000%016x', i), f.name, l.name, c.name,
        'contact' || i || '@example.com', 'contact' || i || '@example.com',
        lower(f.name || ' ' || l.name || ' ' || c.name) || ' contact' || i || '@example.com 4930'
            || (20000000 + i) || ' 030' || (20000000 + i),
        'bench', strftime('%Y-%m-%d %H:%M:%f000', 1700000000 + i, 'unixepoch'),
        '2024-01-01 00:00:00.000000', '2024-01-01 00:00:00.000000'
    FROM series JOIN firsts AS f ON f.place = i % 11 JOIN lasts AS l ON l.place = i / 11 % 9
    JOIN companys AS c ON c.place = i / 7 % 6
    """,
    f"""
    INSERT INTO three_cx_contact_phones (organization_id, id, contact_id, type, position, raw,
        number, extension, tail)
    {_SERIES}
    SELECT 'bench-0', printf('0199000000017000%016x', i), printf('0199000000007000%016x', i),
        'phoneBusiness', 0, '+4930' || (20000000 + i), '+4930' || (20000000 + i), '',
        substr(d,12,1) || substr(d,11,1) || substr(d,10,1) || substr(d,9,1) || substr(d,8,1)
            || substr(d,7,1) || substr(d,6,1) || substr(d,5,1) || '0394'
    FROM (SELECT i, '4930' || (20000000 + i) AS d FROM series)
    """,
)
