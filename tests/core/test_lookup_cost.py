"""A lookup is one indexed query, whatever is asked."""

from typing import Any

import pytest
from sqlalchemy import insert, text

from callhelm_threecx.db import Database
from callhelm_threecx.models import ContactPhoneRow, ContactRow, new_id
from callhelm_threecx.stores.base import NewContact, Organization, Phone, PhoneType
from callhelm_threecx.stores.sql import SqlContactStore
from tests.core.statements import recorded

ACME = Organization("acme", "DE")
CONTACTS = {ACME.id: 1000, "other": 100}
BUSINESS = PhoneType.BUSINESS.value
TAIL_INDEX = "ix_three_cx_contact_phones_organization_id_tail"


@pytest.fixture
def filled(database: Database, store: SqlContactStore) -> SqlContactStore:
    """Two organizations with some contacts each, of whom the planner knows."""
    contacts, phones = [], []
    for organization_id, count in CONTACTS.items():
        for n in range(count):
            contact = ContactRow(organization_id=organization_id, first_name=f"First {n}")
            number = f"4930{1000000 + n}"
            phone = {"number": f"+{number}", "tail": number[::-1], "raw": number, "type": BUSINESS}
            owner = {"organization_id": organization_id, "contact_id": contact.id}
            contacts.append(contact.model_dump())
            phones.append({**owner, **phone, "id": new_id(), "position": 0, "extension": ""})
    with database.write_all_organizations() as session:
        session.execute(insert(ContactRow), contacts)
        session.execute(insert(ContactPhoneRow), phones)
    with database.engine.begin() as connection:
        connection.execute(text("ANALYZE"))
    return store


@pytest.mark.parametrize(
    ("number", "exact"),
    [("+49301000007", True), ("0301000007", True), ("1000007", False), ("+493099999", None)],
)
def test_a_lookup_by_number_is_one_statement(
    database: Database, filled: SqlContactStore, number: str, exact: bool | None
) -> None:
    with recorded(database) as statements:
        found = filled.find_by_number(ACME, number)
    assert [match.exact for match in found] == ([] if exact is None else [exact])
    assert len(statements) == 1
    assert statements[0].lstrip().upper().startswith("SELECT")


@pytest.mark.parametrize("number", ["+49301000007", "1000007"])
def test_a_lookup_by_number_uses_the_index_on_the_tail(
    database: Database, filled: SqlContactStore, number: str
) -> None:
    """And reads the numbers of no organization from end to end."""
    with recorded(database) as statements:
        filled.find_by_number(ACME, number)
    plan = explained(database, filled, number, statements[0])
    assert TAIL_INDEX in plan
    assert "Seq Scan on three_cx_contact_phones" not in plan
    assert "SCAN three_cx" not in plan


def explained(database: Database, store: SqlContactStore, number: str, sql: str) -> str:
    """The database's plan for the very statement of a lookup.

    SQLite's trace holds the values; PostgreSQL is asked through the cursor that would run it.
    """
    if database.dialect == "sqlite":
        with database.reader.connect() as connection:
            rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}")
            return "\n".join(str(row[-1]) for row in rows)
    return _explained_by_postgres(database, store, number)


def _explained_by_postgres(database: Database, store: SqlContactStore, number: str) -> str:
    plans: list[str] = []
    raw = database.reader.raw_connection()
    cursor_class: Any = raw.driver_connection.cursor_factory  # type: ignore[union-attr]

    class Explaining(cursor_class):  # type: ignore[misc]
        def execute(self, query: Any, *args: Any, **kwargs: Any) -> Any:
            super().execute(f"EXPLAIN {query}", *args, **kwargs)
            plans.extend(row[0] for row in super().fetchall())
            return super().execute(query, *args, **kwargs)

    raw.driver_connection.cursor_factory = Explaining  # type: ignore[union-attr]
    raw.close()  # back to the pool, from which the lookup takes it
    store.find_by_number(ACME, number)
    return "\n".join(plans)


@pytest.mark.parametrize("contacts", [1, 9])
def test_the_number_of_statements_does_not_grow_with_what_is_found(
    database: Database, store: SqlContactStore, contacts: int
) -> None:
    numbers = (Phone("030 123456"), Phone("0171 123456"), Phone("089 123456"))
    for index in range(contacts):
        store.create(ACME, NewContact(f"Person {index}", email="a@b.org", phones=numbers))
    store.search(ACME, "person")  # the first search asks what the database has
    with recorded(database) as statements:
        assert len(store.find_by_number(ACME, "030123456")) == contacts
        assert len(store.find_by_number(ACME, "123456")) == contacts
        assert len(store.find_by_email(ACME, "a@b.org")) == contacts
        assert len(store.search(ACME, "person")) == contacts
    assert len(statements) == 4
