"""The earlier tables in a database of each test's own."""

from collections.abc import Iterator

import pytest

from callhelm_threecx.db import Database
from tests.callhelm.adoption import earlier_integration
from tests.callhelm.adoption.earlier_integration import KEY, Earlier


@pytest.fixture(scope="session")
def template(postgres_server: str) -> Earlier:
    """The earlier tables without a row, to be copied."""
    return earlier_integration.create(postgres_server)


@pytest.fixture
def earlier(template: Earlier, postgres_server: str) -> Earlier:
    """The earlier tables, without a row."""
    return earlier_integration.create(postgres_server, template.url)


@pytest.fixture
def database(earlier: Earlier) -> Iterator[Database]:
    database = earlier.database()
    yield database
    database.dispose()


@pytest.fixture
def acme(earlier: Earlier) -> str:
    """An organization with the key ``KEY``."""
    return earlier.integration("Acme", KEY, created_at="'2024-05-06 07:08+00'")
