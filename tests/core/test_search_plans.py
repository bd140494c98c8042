"""No search reads what it does not need, however many contacts there are."""

import random
import uuid
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta, timezone
from itertools import accumulate
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import insert

from callhelm_threecx import migrate
from callhelm_threecx.db import Database
from callhelm_threecx.models import ContactRow
from callhelm_threecx.settings import database_url as parse_url
from callhelm_threecx.stores.base import Organization
from callhelm_threecx.stores.sql import SqlContactStore
from tests.core.statements import explained
from tests.servers import DatabaseSource

LARGE, SMALL = Organization("large", "DE"), Organization("small-3", "DE")
SIZES = {
    "postgres": {LARGE.id: 200_000, **{f"small-{n}": 1_000 for n in range(30)}},
    "sqlite": {LARGE.id: 20_000, **{f"small-{n}": 500 for n in range(10)}},
}
SYLLABLES = ("ba", "de", "fo", "ge", "ka", "li", "ma", "no", "pa", "ri", "sa", "te", "tu", "va")
COLUMNS = (
    *("organization_id", "id", "first_name", "last_name", "company", "email", "email_folded"),
    *("search_text", "source", "last_active_at", "created_at", "updated_at"),
)
TRIGRAMS = "ix_three_cx_contacts_search_text"
ACTIVITY = "ix_three_cx_contacts_organization_id_last_active_at_id"
EMAIL = "ix_three_cx_contacts_organization_id_email_folded"


def contacts(sizes: dict[str, int]) -> Iterator[tuple[Any, ...]]:
    """Rows of `COLUMNS`: some words are common, most are rare."""
    chance, at = random.Random(5), datetime(2026, 1, 1, tzinfo=timezone.utc)
    words = ["".join(chance.choices(SYLLABLES, k=4)) for _ in range(5_000)]
    weights = list(accumulate(1 / (rank + 2) for rank in range(len(words))))
    for organization_id, count in sizes.items():
        for n in range(count):
            first, last, company = chance.choices(words, cum_weights=weights, k=3)
            email = f"{first}.{last}{n}@{company}.com"
            found = f"{first} {last} {company} gmbh {email} 4930{20_000_000 + n}"
            at += timedelta(milliseconds=chance.randrange(1, 5_000))
            key = uuid.UUID(int=chance.getrandbits(128))
            names = (first, last, f"{company} GmbH", email, email)
            yield (organization_id, key, *names, found, "test", at, at, at)


@pytest.fixture(scope="module")
def crowded(
    backend: str, database_source: DatabaseSource, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Database]:
    """One large organization among small ones. PostgreSQL's planner knows of them; nobody tells
    SQLite's, which must do well without."""
    with database_source.empty(Path(tmp_path_factory.mktemp("crowded"))) as url:
        database = Database(parse_url(url))
        migrate.upgrade(database)
        fill = _copy if backend == "postgres" else _insert
        fill(url, list(contacts(SIZES[backend])))
        yield database
        database.dispose()


def _copy(url: str, rows: Sequence[tuple[Any, ...]]) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        found = connection.execute("SELECT pg_get_indexdef(%s::regclass)", (TRIGRAMS,)).fetchone()
        assert found
        connection.execute(f"DROP INDEX {TRIGRAMS}".encode())  # built faster over rows
    into = f"COPY three_cx_contacts ({', '.join(COLUMNS)}) FROM STDIN"
    with (
        psycopg.connect(url) as connection,
        connection.cursor() as cursor,
        cursor.copy(into.encode()) as copy,
    ):
        for row in rows:
            copy.write_row(row)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(found[0].encode())
        connection.execute("VACUUM ANALYZE")


def _insert(url: str, rows: Sequence[tuple[Any, ...]]) -> None:
    database = Database(parse_url(url))
    with database.write_all_organizations() as session:
        values = [dict(zip(COLUMNS, row, strict=True)) for row in rows]
        session.execute(insert(ContactRow), values)
    database.dispose()


@pytest.fixture
def store(crowded: Database) -> SqlContactStore:
    store = SqlContactStore(crowded)
    store.search(LARGE, "warm")
    return store


def someone(store: SqlContactStore, organization: Organization) -> Any:
    """A contact that was active long ago."""
    return list(store.search(organization, "20000007"))[-1]


KINDS = ("name", "part of a name", "company", "e-mail", "digits", "two words", "nobody")


def query_for(kind: str, store: SqlContactStore, organization: Organization) -> str:
    contact = someone(store, organization)
    queries = {
        "name": contact.last_name,
        "part of a name": contact.last_name[1:6],
        "company": contact.company,
        "e-mail": contact.email,
        "digits": "20000007",
        "two words": f"{contact.last_name} {contact.first_name}",
        "nobody": "sokratesx",
    }
    return queries[kind]


@pytest.mark.only("postgres")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("organization", [LARGE, SMALL], ids=lambda one: one.id)
def test_postgresql_searches_through_an_index(
    crowded: Database, store: SqlContactStore, organization: Organization, kind: str
) -> None:
    """That of the trigrams or, for common words and small organizations, that of the activity."""
    query = query_for(kind, store, organization)
    plan = explained(crowded, lambda: store.search(organization, query))
    assert TRIGRAMS in plan or ACTIVITY in plan
    assert "Seq Scan on three_cx_contacts" not in plan


@pytest.mark.only("postgres")
@pytest.mark.parametrize("kind", ["e-mail", "digits", "nobody"])
def test_postgresql_finds_a_needle_in_a_large_organization_by_its_trigrams(
    crowded: Database, store: SqlContactStore, kind: str
) -> None:
    query = query_for(kind, store, LARGE)
    assert TRIGRAMS in explained(crowded, lambda: store.search(LARGE, query))


@pytest.mark.only("postgres")
def test_postgresql_plans_each_search_for_its_own_words(
    crowded: Database, store: SqlContactStore
) -> None:
    """However often one was run before: a plan for all words would suit none."""
    for _ in range(12):
        store.search(LARGE, "gmbh")
    assert TRIGRAMS not in explained(crowded, lambda: store.search(LARGE, "gmbh"))
    assert TRIGRAMS in explained(crowded, lambda: store.search(LARGE, "sokratesx"))


@pytest.mark.only("sqlite")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("organization", [LARGE, SMALL], ids=lambda one: one.id)
def test_sqlite_searches_through_its_trigrams(
    crowded: Database, store: SqlContactStore, organization: Organization, kind: str
) -> None:
    """In the order of the labels, and looks up by key whom it finds there."""
    query = query_for(kind, store, organization)
    plan = explained(crowded, lambda: store.search(organization, query))
    lines = [line for line in plan.splitlines() if "three_cx" in line]
    assert "three_cx_search_words VIRTUAL TABLE INDEX" in lines[0]
    assert ">" in lines[0].rpartition(":")[2], "bounded by the organization"
    assert "<" in lines[0].rpartition(":")[2], "bounded by the organization"
    assert any("three_cx_contacts USING INDEX sqlite_autoindex" in line for line in lines)
    assert not any(line.startswith("SCAN three_cx") for line in lines[1:])
    assert_looked_up(plan)


@pytest.mark.only("sqlite")
def test_sqlite_reads_the_texts_of_one_organization_for_two_letters(
    crowded: Database, store: SqlContactStore
) -> None:
    plan = explained(crowded, lambda: store.search(SMALL, "qx"))
    assert "SEARCH three_cx_search_rows USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)" in plan


def test_a_lookup_by_address_uses_its_index(crowded: Database, store: SqlContactStore) -> None:
    contact = someone(store, LARGE)
    plan = explained(crowded, lambda: store.find_by_email(LARGE, contact.email))
    assert EMAIL in plan
    assert_looked_up(plan)


def test_a_lookup_by_id_uses_the_primary_key(crowded: Database, store: SqlContactStore) -> None:
    contact = someone(store, LARGE)
    plan = explained(crowded, lambda: store.get(LARGE, contact.id))
    assert "pk_three_cx_contacts" in plan or "sqlite_autoindex_three_cx_contacts_1" in plan
    assert_looked_up(plan)


def test_a_page_of_contacts_reads_no_more_than_it_shows(
    crowded: Database, store: SqlContactStore
) -> None:
    plan = explained(crowded, lambda: store.browse(LARGE, limit=20))
    assert plan.count(ACTIVITY) == 1, "for the ids; whom they name is looked up by key"
    assert "Seq Scan on three_cx_contacts" not in plan


def assert_looked_up(plan: str) -> None:
    """Neither contacts nor numbers of an organization are read one by one."""
    assert ACTIVITY not in plan
    assert "Seq Scan on three_cx_contacts" not in plan
    assert "three_cx_contact_phones_organization_id_tail" not in plan
