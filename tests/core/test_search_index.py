"""SQLite's search index: kept whatever writes, and never of another opinion than the texts."""

import random
import sqlite3
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, text

from callhelm_threecx import migrate
from callhelm_threecx.db import Database
from callhelm_threecx.migrations import search_index
from callhelm_threecx.settings import database_url as parse_url
from callhelm_threecx.stores import folding, sql_search
from callhelm_threecx.stores.base import NewContact, Organization, Phone
from callhelm_threecx.stores.sql import SqlContactStore
from callhelm_threecx.stores.sql_rows import contacts_of
from tests.core.search_index import ACME, OTHER, assert_in_step, names, three_and_one

pytestmark = pytest.mark.only("sqlite")

_numbers = count()


@pytest.fixture
def people(store: SqlContactStore) -> list[str]:
    return three_and_one(store)


@pytest.mark.parametrize("query", ["anna", "li", "anna li", "nn"])
def test_the_most_recent_are_taken_up_to_the_limit(
    store: SqlContactStore, people: list[str], query: str
) -> None:
    found = store.search(ACME, query, limit=2)
    assert [contact.first_name for contact in found] == ["Anna 3", "Anna 2"]


def test_a_change_is_found_and_what_was_before_is_not(
    database: Database, store: SqlContactStore, people: list[str]
) -> None:
    store.update(ACME, people[1], NewContact("Berta", "Lo"))
    assert names(store, ACME, "berta") == ["Berta"]
    assert names(store, ACME, "anna") == ["Anna 3", "Anna 1"]
    assert_in_step(database)


def test_who_is_deleted_is_not_found(
    database: Database, store: SqlContactStore, people: list[str]
) -> None:
    deleted = store.delete(ACME, people[1])
    assert names(store, ACME, "anna") == ["Anna 3", "Anna 1"]
    store.restore(ACME, deleted)
    assert names(store, ACME, "anna") == ["Anna 3", "Anna 2", "Anna 1"]
    assert_in_step(database)


def test_every_contact_deleted_at_once_is_gone(database: Database, people: list[str]) -> None:
    with database.engine.begin() as connection:
        connection.execute(text("DELETE FROM three_cx_contacts"))
    assert_in_step(database)


def test_an_import_and_its_repetition_keep_the_index(
    database: Database, store: SqlContactStore
) -> None:
    batch = [NewContact(f"Person {n}", external_id=str(n)) for n in range(300)]
    store.import_batch(ACME, batch)
    again = [NewContact(f"Human {n}", external_id=str(n)) for n in range(0, 300, 3)]
    store.import_batch(ACME, again)
    assert len(store.search(ACME, "human", limit=100)) == 100
    assert len(store.search(ACME, "person 299")) == 1
    assert store.search(ACME, "person 297") == []
    assert_in_step(database)


def test_organizations_that_share_labels_share_no_contacts(
    database: Database, store: SqlContactStore, people: list[str]
) -> None:
    """There are labels for 2048; the next begin anew."""
    with database.engine.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO three_cx_search_organizations (number, organization_id) VALUES (?, ?)",
            (1 + search_index.SLOTS, "late"),
        )
        assert connection.exec_driver_sql(
            "SELECT number FROM three_cx_search_organizations WHERE organization_id = 'acme'"
        ).scalar() in {1, 2}
    late = Organization("late", "DE")
    store.create(late, NewContact("Anna 5", "Li"))
    for query in ("anna", "li"):
        assert names(store, late, query) == ["Anna 5"]
        assert names(store, ACME, query) == ["Anna 3", "Anna 2", "Anna 1"]


def test_an_index_built_over_contacts_is_the_one_that_was_kept(
    database: Database, store: SqlContactStore
) -> None:
    chance = random.Random(1)
    for organization in (ACME, OTHER):
        contacts = [NewContact(f"Person {n}", company=f"Co {n}") for n in range(100)]
        store.import_batch(organization, contacts)
    with database.engine.begin() as connection:
        for minute in chance.choices(range(30), k=40):
            connection.exec_driver_sql(
                "UPDATE three_cx_contacts SET last_active_at = ? WHERE first_name = ?",
                (f"2026-05-01 12:{minute:02}:00.000000", f"Person {minute * 3}"),
            )
        search_index.drop(connection)
        search_index.create(connection)
    assert_in_step(database)


def test_the_index_goes_and_comes_with_its_migration(
    database: Database, store: SqlContactStore, people: list[str]
) -> None:
    migrate.downgrade(database, "0001")
    with database.engine.connect() as connection:
        left = connection.execute(
            text("SELECT name FROM sqlite_master WHERE name LIKE 'three_cx_search%'")
        ).all()
    assert left == []
    migrate.upgrade(database)
    assert names(store, ACME, "anna") == ["Anna 3", "Anna 2", "Anna 1"]
    assert_in_step(database)


class _Without:
    """An SQLite that refuses virtual tables, as one does that was built without FTS5."""

    def __init__(self, url: str) -> None:
        self.database = Database(parse_url(url))
        for engine in (self.database.engine, self.database.reader):
            event.listen(engine, "connect", self._refuse)

    @staticmethod
    def _refuse(connection: Any, _record: Any) -> None:
        connection.set_authorizer(
            lambda action, *_: (
                sqlite3.SQLITE_DENY if action == sqlite3.SQLITE_CREATE_VTABLE else sqlite3.SQLITE_OK
            )
        )


@pytest.fixture
def without_trigrams(tmp_path: Path) -> Iterator[Database]:
    """A database that was migrated without FTS5."""
    database = _Without(f"sqlite:///{tmp_path / 'plain.db'}").database
    migrate.upgrade(database)
    yield database
    database.dispose()


def test_without_fts5_every_contact_is_found_all_the_same(
    backend: str, without_trigrams: Database
) -> None:
    store = SqlContactStore(without_trigrams)
    for n in "123":
        store.create(ACME, NewContact(f"Anna {n}", "Li", "100%_Co"))
    store.create(OTHER, NewContact("Anna 4", "Li"))
    for query in ("anna", "li", "%_c", "anna li"):
        assert names(store, ACME, query) == ["Anna 3", "Anna 2", "Anna 1"]
    assert names(store, ACME, "a%a") == []


def test_an_index_that_could_not_be_made_is_made_by_the_next_start_that_can(
    backend: str, without_trigrams: Database, tmp_path: Path
) -> None:
    SqlContactStore(without_trigrams).create(ACME, NewContact("Anna", "Li"))
    with without_trigrams.engine.connect() as connection:
        assert not search_index.is_complete(connection)
    migrate.upgrade(without_trigrams)
    able = Database(parse_url(f"sqlite:///{tmp_path / 'plain.db'}"))
    assert migrate.upgrade(able) is False
    with able.engine.connect() as connection:
        assert search_index.is_complete(connection)
    assert names(SqlContactStore(able), ACME, "anna") == ["Anna"]
    assert_in_step(able)
    able.dispose()


def scanned(database: Database, organization: Organization, query: str) -> list[str]:
    """What is found without the index."""
    terms = folding.search_terms(query)
    if not terms:
        return []
    parameters: dict[str, Any] = {
        f"term_{n}": sql_search.pattern(term) for n, term in enumerate(terms)
    }
    read = sql_search.scanning(len(terms))
    rows = database.fetch(organization.id, read, parameters | {"most": 20})
    return [contact.id for contact in contacts_of(rows)]


WORDS = st.text(st.sampled_from("aAbßéÉ\u0131Iﬃ日本%_*\"'\\-+/&(). 0123"), min_size=1, max_size=8)
NUMBERS = st.from_regex(r"0[1-9]{2,6}", fullmatch=True)
PEOPLE = st.lists(st.tuples(WORDS, WORDS, NUMBERS), max_size=8)


@given(people=PEOPLE, queries=st.lists(WORDS, min_size=1, max_size=4), data=st.data())
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_the_index_finds_what_reading_every_text_finds(
    database: Database,
    store: SqlContactStore,
    people: list[tuple[str, str, str]],
    queries: list[str],
    data: st.DataObject,
) -> None:
    organization = Organization(f"org-{next(_numbers)}", "DE")
    for first, last, number in people:
        contact = NewContact(first, last, "Co", phones=(Phone(number),))
        store.create(organization, contact)
        start = data.draw(st.integers(0, len(first) - 1))
        queries.append(f"{first[start:]} {last[:4]}")
    for query in queries:
        found = [contact.id for contact in store.search(organization, query)]
        assert found == scanned(database, organization, query)


@pytest.mark.parametrize(
    ("terms", "query"),
    [
        (["anna"], '"anna"'),
        (['a"b', "muller"], '"a""b" AND "muller"'),
        (["li", "anna"], '"anna"'),
        (["li", "12"], ""),
        (["x" * 1000], f'"{"x" * 64}"'),
        (["or", "not", "near(a)", "a*", "words:b"], '"not" AND "near(a)" AND "words:b"'),
    ],
)
def test_fts5_is_asked_for_plain_phrases(backend: str, terms: list[str], query: str) -> None:
    """Words of fewer than three characters are left to the comparison with the text."""
    assert sql_search.match_query(terms) == query
