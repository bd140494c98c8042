"""Fills a migrated database with a million believable contacts (see `people`), by SQL alone: past
the product, and in seconds. Indexes are built afterwards, as they are quicker built than kept.
"""

import contextlib
import hashlib
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import people
import psycopg

from callhelm_threecx.db import Database
from callhelm_threecx.migrations import search_index
from callhelm_threecx.settings import database_url
from callhelm_threecx.stores.base import PhoneType

CONTACTS, PHONES = "three_cx_contacts", "three_cx_contact_phones"
# Odd numbers below 2^32, one for each thing that is drawn (Knuth's multiplicative hashing).
FACTORS = {
    "first": 2_654_435_761,
    "last": 2_246_822_519,
    "company": 3_266_489_917,
    "mail": 668_265_263,
    "0": 374_761_393,
    "1": 3_432_918_353,
    "2": 461_845_907,
    "active": 1_540_483_477,
}
# Divided, since a remainder alone says whose contact it is.
HAS_COMPANY = "i / 3 % 5 <> 0"
HAS_NUMBER = {"0": "i >= 0", "1": "i / 7 % 5 > 1", "2": "i / 11 % 7 > 4"}
KINDS = {"0": PhoneType.BUSINESS, "1": PhoneType.MOBILE, "2": PhoneType.HOME}
SECOND = 94_000_000  # of three years, in which everybody was active last


def fill(url: str, contacts: int, organizations: int = 1) -> float:
    """Insert so many contacts, the organizations ``org-0``, ``org-1``, … taking turns; tells how
    many seconds that took."""
    began = time.perf_counter()
    if url.startswith("sqlite"):
        _fill_sqlite(url, contacts, organizations)
    else:
        _fill_postgres(url, contacts, organizations)
    return time.perf_counter() - began


def _drawn(what: str) -> str:
    """SQL for the slot that a contact draws."""
    return f"(((i * {FACTORS[what]}) & 4294967295) >> 16)"


def _statements(dialect: str, contacts: int, organizations: int) -> Iterator[str]:
    """The contacts in a temporary table, and from there to where they belong."""
    series = _series(dialect, contacts)
    numbers = ", ".join(_number(place) for place in HAS_NUMBER)
    places = " ".join(
        f"LEFT JOIN town_place AS p{n} ON p{n}.slot = {_drawn(n)} AND {condition}"
        for n, condition in HAS_NUMBER.items()
    )
    yield f"""
        CREATE TEMPORARY TABLE town AS
        SELECT i, f.word AS first_name, l.word AS last_name, coalesce(c.word, '') AS company,
            f.folded || ' ' || l.folded || coalesce(' ' || c.folded, '') AS folded,
            f.ascii || '.' || l.ascii || CASE WHEN i % 97 = 0 THEN '' ELSE {_text("i % 97")} END
            || '@' || CASE WHEN i / 13 % 3 = 0 OR c.word IS NULL THEN m.word
                      ELSE c.ascii || '.example' END AS email, {numbers}
        FROM ({series}) AS everybody
        JOIN town_first AS f ON f.slot = {_drawn("first")}
        JOIN town_last AS l ON l.slot = {_drawn("last")}
        JOIN town_mail AS m ON m.slot = {_drawn("mail")}
        LEFT JOIN town_company AS c ON c.slot = {_drawn("company")} AND {HAS_COMPANY}
        {places}"""
    forms = " || ".join(_forms(place) for place in HAS_NUMBER)
    owner = f"'org-' || {_text(f'i % {organizations}')}"
    at = _instant(dialect)
    yield f"""
        INSERT INTO {CONTACTS} (organization_id, id, first_name, last_name, company, email,
            email_folded, search_text, source, last_active_at, created_at, updated_at)
        SELECT {owner}, {_key(dialect, "c")}, first_name, last_name, company, email, email,
            folded || ' ' || email || {forms}, 'bench', {at}, {at}, {at} FROM town"""
    for n, kind in KINDS.items():
        digits = f"country{n} || rest{n}"
        yield f"""
            INSERT INTO {PHONES} (organization_id, id, contact_id, type, position, raw, number,
                extension, tail)
            SELECT {owner}, {_key(dialect, n)}, {_key(dialect, "c")}, '{kind.value}', {n},
                '+' || {digits}, '+' || {digits}, '', reverse({digits})
            FROM town WHERE rest{n} IS NOT NULL"""


def _series(dialect: str, contacts: int) -> str:
    if dialect == "postgresql":
        return f"SELECT i FROM generate_series(0::bigint, {contacts - 1}) AS i"
    return (
        "WITH RECURSIVE counted(i) AS (VALUES (0) UNION ALL SELECT i + 1 FROM counted"
        f" WHERE i < {contacts - 1}) SELECT i FROM counted"
    )


def _number(n: str) -> str:
    """SQL for the parts of a number: country code, trunk prefix, area and subscriber."""
    number = f"p{n}.least + (i * {FACTORS[n]}) % (4 * p{n}.least)"
    return (
        f"p{n}.country AS country{n}, p{n}.trunk AS trunk{n},"
        f" p{n}.area || {_text(number)} AS rest{n}"
    )


def _forms(n: str) -> str:
    """SQL for the digits of a number in every form, as `phone.search_digits` has them."""
    country, trunk, rest = f"country{n}", f"trunk{n}", f"rest{n}"
    national = f"CASE WHEN {trunk} = '' THEN '' ELSE ' ' || {trunk} || {rest} END"
    return f"coalesce(' ' || {country} || {rest} || {national} || ' ' || {rest}, '')"


def _text(number: str) -> str:
    return f"CAST({number} AS text)"


def _key(dialect: str, kind: str) -> str:
    """SQL for an id."""
    key = f"md5('{kind}' || {_text('i')})"
    return f"CAST({key} AS uuid)" if dialect == "postgresql" else key


def _instant(dialect: str) -> str:
    """SQL for the second of a contact's last activity, as the product writes it."""
    second = f"1698796800 + {_drawn('active')} * {SECOND // people.SLOTS} + i % 1000"
    if dialect == "postgresql":
        return f"to_timestamp({second}) + i % 1000000 * interval '1 microsecond'"
    return f"strftime('%Y-%m-%d %H:%M:%S', {second}, 'unixepoch') || printf('.%06d', i % 1000000)"


def _fill_postgres(url: str, contacts: int, organizations: int) -> None:
    with psycopg.connect(url, autocommit=True) as server:
        indexes = server.execute(
            "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index"
            " WHERE indrelid = ANY(%s::regclass[]) AND NOT indisunique",
            ([CONTACTS, PHONES],),
        ).fetchall()
        for name, _ in indexes:
            server.execute(f"DROP INDEX {name}".encode())
        server.execute("SET maintenance_work_mem = '512MB'")
        server.execute("SET work_mem = '64MB'")
        server.execute("SET session_replication_role = replica")  # no look at each reference
        for name, (columns, rows) in people.tables().items():
            _copy(server, name, columns, rows)
        for statement in _statements("postgresql", contacts, organizations):
            server.execute(statement.encode())
        for _, definition in indexes:
            server.execute(definition.encode())
        server.execute("VACUUM ANALYZE")


def _copy(server: "psycopg.Connection[Any]", name: str, columns: Any, rows: Any) -> None:
    typed = ", ".join(f"{c} {'bigint' if c in {'slot', 'least'} else 'text'}" for c in columns)
    server.execute(f"CREATE TEMPORARY TABLE {name} ({typed})".encode())
    lines = "".join("\t".join(map(str, row)) + "\n" for row in rows)  # no word has a tab in it
    with server.cursor() as cursor, cursor.copy(f"COPY {name} FROM STDIN".encode()) as copy:
        copy.write(lines)
    server.execute(f"ANALYZE {name}".encode())


def _fill_sqlite(url: str, contacts: int, organizations: int) -> None:
    """Contacts first and the search index over them, as its migration does with an old database."""
    path = url.removeprefix("sqlite:///")
    assert Path(path).exists(), "migrated before"
    database = Database(database_url(url))
    with database.engine.begin() as connection:
        search_index.drop(connection)
    with contextlib.closing(sqlite3.connect(path)) as sqlite, sqlite:
        sqlite.create_function("md5", 1, _md5, deterministic=True)
        sqlite.create_function("reverse", 1, lambda text: text[::-1], deterministic=True)
        for name, (columns, rows) in people.tables().items():
            typed = ", ".join(columns).replace("slot", "slot INTEGER PRIMARY KEY")
            sqlite.execute(f"CREATE TEMPORARY TABLE {name} ({typed})")
            marks = ", ".join("?" * len(columns))
            sqlite.executemany(f"INSERT INTO {name} VALUES ({marks})", rows)
        for statement in _statements("sqlite", contacts, organizations):
            sqlite.execute(statement)
    with database.engine.begin() as connection:
        search_index.create(connection)
    database.dispose()


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
