"""Our own stores keep the contract that every backend keeps."""

from collections.abc import Iterator

import pytest

from callhelm_threecx.db import Database
from callhelm_threecx.settings import database_url as parse_url
from callhelm_threecx.stores.memory import MemoryContactStore
from callhelm_threecx.stores.sql import SqlContactStore
from callhelm_threecx.testing import ContactStoreContract, EditableContactsContract


class TestSqlContactStore(ContactStoreContract, EditableContactsContract):
    """On SQLite and on PostgreSQL."""

    @pytest.fixture
    def store(self, database_url: str) -> Iterator[SqlContactStore]:
        database = Database(parse_url(database_url))
        yield SqlContactStore(database)
        database.dispose()


class TestMemoryContactStore(ContactStoreContract, EditableContactsContract):
    """In one process."""

    @pytest.fixture
    def store(self) -> MemoryContactStore:
        return MemoryContactStore()
