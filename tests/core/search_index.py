"""SQLite's search index: who is in it, what holds it against the texts, and how they are active."""

from sqlalchemy import text

from callhelm_threecx.db import Database
from callhelm_threecx.stores.base import NewContact, Organization
from callhelm_threecx.stores.sql import SqlContactStore

ACME, OTHER = Organization("acme", "DE"), Organization("other", "DE")


def three_and_one(store: SqlContactStore) -> list[str]:
    """The ids of three people of acme in the order of activity; there is one of another one too."""
    ids = [store.create(ACME, NewContact(f"Anna {n}", "Li"))[0].id for n in "123"]
    store.create(OTHER, NewContact("Anna 4", "Li"))
    return ids


def names(store: SqlContactStore, organization: Organization, query: str) -> list[str]:
    return [contact.first_name for contact in store.search(organization, query)]


def set_activity(database: Database, name: str, at: str) -> None:
    """Move the last activity of who has this first name."""
    with database.engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE three_cx_contacts SET last_active_at = ? WHERE first_name = ?", (at, name)
        )


def assert_in_step(database: Database) -> None:
    """The index holds the text of each contact, in the order of their activity, and the trigrams of
    just these texts."""
    indexed = "SELECT contact_id, organization_id, words FROM three_cx_search_rows"
    kept = "SELECT id, organization_id, search_text FROM three_cx_contacts"
    in_order = (
        "SELECT number, last_active_at FROM three_cx_search_rows AS row"
        " JOIN three_cx_contacts AS contact ON contact.id = row.contact_id"
        " JOIN three_cx_search_organizations AS owner"
        " ON owner.organization_id = contact.organization_id ORDER BY label"
    )
    with database.engine.begin() as connection:
        rows = connection.execute(text(indexed)).all()
        assert sorted(rows) == sorted(connection.execute(text(kept)).all())
        moments = connection.execute(text(in_order)).all()
        assert moments == sorted(moments)
        check = "INSERT INTO three_cx_search_words (three_cx_search_words, rank) VALUES (:what, 1)"
        connection.execute(text(check), {"what": "integrity-check"})
