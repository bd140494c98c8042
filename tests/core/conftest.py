"""What the tests of the core share: an open database, and services on it."""

from collections.abc import Iterator

import pytest

from callhelm_threecx.db import Database
from callhelm_threecx.keys import KeyRing
from callhelm_threecx.services.agents import Agents, NewMapping
from callhelm_threecx.services.contact_imports import ContactImports
from callhelm_threecx.services.integrations import (
    Change,
    Integration,
    Integrations,
)
from callhelm_threecx.services.journal import Journal
from callhelm_threecx.settings import database_url as parse_url
from callhelm_threecx.stores.sql import SqlContactStore
from tests.client import SECRET_KEY


def pytest_configure(config: pytest.Config) -> None:
    line = "only(backend): a behaviour that this database alone can show"
    config.addinivalue_line("markers", line)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    wrong = [item for item in items if not _is_for_its_backend(item)]
    if wrong:
        config.hook.pytest_deselected(items=wrong)
        items[:] = [item for item in items if item not in wrong]


def _is_for_its_backend(item: pytest.Item) -> bool:
    marker, callspec = item.get_closest_marker("only"), getattr(item, "callspec", None)
    return marker is None or callspec is None or callspec.params.get("backend") == marker.args[0]


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A migrated, empty database, on SQLite and on PostgreSQL."""
    database = Database(parse_url(database_url))
    yield database
    database.dispose()


@pytest.fixture
def ring() -> KeyRing:
    return KeyRing([SECRET_KEY])


@pytest.fixture
def integrations(database: Database, ring: KeyRing) -> Integrations:
    return Integrations(database, ring, "DE")


@pytest.fixture
def acme(integrations: Integrations) -> Integration:
    """The integration of the organization ``acme``, in Germany."""
    return integrations.set_up("acme")[0]


@pytest.fixture
def store(database: Database) -> SqlContactStore:
    return SqlContactStore(database)


@pytest.fixture
def journal(database: Database, store: SqlContactStore) -> Journal:
    return Journal(database, store)


@pytest.fixture
def auto(integrations: Integrations, acme: Integration) -> Integration:
    """The organization ``acme``, with automatic creation on."""
    return integrations.change(
        acme.organization_id, Change(settings={"auto_create_contacts": True})
    )


@pytest.fixture
def agents(database: Database) -> Agents:
    agents = Agents(database)
    agents.put_all(
        "acme",
        [
            NewMapping("101", "u1", "one@example.com", "Olga", "One"),
            NewMapping("102", "u2", "Two@Example.com"),
            NewMapping("201", "u3", "shared@example.com"),
            NewMapping("200", "u4", "shared@example.com"),
        ],
    )
    agents.put_all("other", [NewMapping("300", "theirs", "theirs@example.com")])
    return agents


@pytest.fixture
def imports(database: Database, store: SqlContactStore) -> Iterator[ContactImports]:
    imports = ContactImports(database, store)
    yield imports
    imports.close()
