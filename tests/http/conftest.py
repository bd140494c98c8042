"""One application for generated requests: building one for each would take all the time."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from callhelm_threecx import migrate
from callhelm_threecx.db import Database
from callhelm_threecx.settings import database_url
from tests import servers
from tests.client import Api


@pytest.fixture(scope="module")
def shared_api(
    database_source: servers.DatabaseSource, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Api]:
    """An application whose database lives as long as the test module."""
    folder: Path = tmp_path_factory.mktemp("shared")
    with database_source.empty(folder) as url:
        database = Database(database_url(url))
        migrate.upgrade(database)
        database.dispose()
        api = Api.build(database_url=url)
        yield api
        api.close()
