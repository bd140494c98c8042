"""The people of the search benchmark are kept as the product would keep them."""

import sqlite3
import uuid
from pathlib import Path
from typing import Any

import pytest

from callhelm_threecx import migrate
from callhelm_threecx.db import Database
from callhelm_threecx.settings import database_url as parse_url
from callhelm_threecx.stores import folding
from callhelm_threecx.stores.base import Organization
from callhelm_threecx.stores.sql import SqlContactStore

CONTACTS = 400


@pytest.fixture
def filled(filling: Any, tmp_path: Path) -> Database:
    url = f"sqlite:///{tmp_path / 'people.db'}"
    database = Database(parse_url(url))
    migrate.upgrade(database)
    filling.fill(url, CONTACTS, organizations=2)
    return database


def test_their_text_is_what_the_product_derives(filled: Database, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "people.db") as connection:
        rows = connection.execute("SELECT id, search_text FROM three_cx_contacts").fetchall()
    connection.close()
    texts = {str(uuid.UUID(key)): text for key, text in rows}
    store = SqlContactStore(filled)
    contacts = [
        contact
        for organization in (Organization("org-0", "DE"), Organization("org-1", "DE"))
        for contact in store.export(organization)
    ]
    filled.dispose()
    assert len(contacts) == len(texts) == CONTACTS
    for contact in contacts:
        fields = folding.fields_of(contact)
        numbers = folding.parsed_phones(fields, "DE")
        assert texts[contact.id] == folding.search_text(fields, numbers)


def test_they_are_found_by_number_and_by_words(filled: Database) -> None:
    store, organization = SqlContactStore(filled), Organization("org-1", "DE")
    contact = next(iter(store.export(organization)))
    for number in contact.phones:
        (match,) = store.find_by_number(organization, number.number)
        assert match.contact.id == contact.id
    found = store.search(organization, f"{contact.last_name} {contact.phones[0].number[-7:]}")
    filled.dispose()
    assert contact.id in {one.id for one in found}
