"""One application for generated requests: building one for each would take all the time."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from callhelm_threecx import migrate
from callhelm_threecx.db import Database
from callhelm_threecx.settings import database_url
from tests import servers
from tests.client import Api
from tests.http.identities import SignIn


@pytest.fixture(scope="module")
def shared_api(
    database_source: servers.DatabaseSource, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Api]:
    """An application whose database lives as long as the test module."""
    with _api(database_source, tmp_path_factory.mktemp("shared")) as api:
        yield api


@pytest.fixture(scope="module")
def shared_identity_api(
    database_source: servers.DatabaseSource, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Api]:
    """The same in a host with a sign-in, at ``https://crm.example.com/base``; ``acme`` is set
    up."""
    folder = tmp_path_factory.mktemp("identity")
    public_url = "https://crm.example.com/base"
    with _api(database_source, folder, identity=SignIn(), public_url=public_url) as api:
        api.key()
        yield api


@contextmanager
def _api(source: servers.DatabaseSource, folder: Path, **settings: Any) -> Iterator[Api]:
    with source.empty(folder) as url:
        database = Database(database_url(url))
        migrate.upgrade(database)
        database.dispose()
        api = Api.build(database_url=url, **settings)
        yield api
        api.close()
