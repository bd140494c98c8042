"""Commands as a user types them, on real databases."""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from callhelm_threecx.app import Services, build_services
from callhelm_threecx.cli import app
from callhelm_threecx.settings import Settings
from tests import servers
from tests.cli.processes import Server, serve
from tests.client import ADMIN_KEY, SECRET_KEY

ANNA = "+4930123456"


@dataclass
class Cli:
    """Runs ``callhelm-threecx`` in this process."""

    folder: Path

    def __call__(self, *arguments: str, status: int | None = 0, stdin: Any = None) -> Result:
        result = CliRunner().invoke(app, [str(each) for each in arguments], input=stdin)
        if status is not None:
            assert result.exit_code == status, (result.output, result.exception)
        assert "Traceback" not in result.output
        return result

    def json(self, *arguments: str, status: int = 0) -> Any:
        return json.loads(self(*arguments, "--json", status=status).stdout)

    def write(self, name: str, text: str | bytes) -> str:
        """A file in the test's folder; its path."""
        path = self.folder / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return str(path)

    def path(self, name: str) -> str:
        return str(self.folder / name)


@pytest.fixture
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting of the machine counts, and the working directory is the test's own."""
    for name in list(os.environ):
        if name.startswith("THREECX_") and not name.startswith("THREECX_TEST_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def bare_cli(clean_environment: None, tmp_path: Path) -> Cli:
    """The command line without any setting: SQLite in the working directory."""
    return Cli(tmp_path)


@pytest.fixture
def environment(
    clean_environment: None, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The settings of a server, on SQLite and on PostgreSQL."""
    monkeypatch.setenv("THREECX_DATABASE_URL", database_url)
    monkeypatch.setenv("THREECX_SECRET_KEYS", SECRET_KEY)
    monkeypatch.setenv("THREECX_ADMIN_KEY", ADMIN_KEY)
    monkeypatch.setenv("THREECX_DEFAULT_REGION", "DE")


@pytest.fixture
def cli(environment: None, tmp_path: Path) -> Cli:
    """The command line with an organization ``acme``."""
    made = Cli(tmp_path)
    made("org", "create", "acme")
    return made


@pytest.fixture
def services(environment: None) -> Iterator[Services]:
    """What the commands work with, to look at what they did."""
    built = build_services(Settings.load())
    yield built
    built.close()


@pytest.fixture
def phonebook(cli: Cli, services: Services) -> Callable[..., dict[str, tuple[str, ...]]]:
    """The contacts of an organization: their numbers by their names."""

    def read(organization: str = "acme") -> dict[str, tuple[str, ...]]:
        integration = services.integrations.get(organization)
        assert integration is not None
        found = services.store.export(integration.organization)  # type: ignore[attr-defined]
        return {
            " ".join(filter(None, (c.first_name, c.last_name, c.company))): tuple(
                f"{p.type.name.lower()} {p.number}" for p in c.phones
            )
            for c in found
        }

    return read


@pytest.fixture(scope="session")
def postgres_source(postgres_server: str) -> servers.DatabaseSource:
    return servers.PostgresSource(postgres_server)


@pytest.fixture
def postgres_url(postgres_source: servers.DatabaseSource, tmp_path: Path) -> Iterator[str]:
    """The URL of a migrated, empty database on PostgreSQL."""
    with postgres_source.fresh(tmp_path) as url:
        yield url


@pytest.fixture
def one_worker(postgres_url: str, tmp_path: Path) -> Iterator[tuple[Server, str]]:
    """``serve`` with one worker on PostgreSQL, and a key of an organization that knows `ANNA`."""
    with serve(postgres_url, tmp_path, "--workers", "1") as server:
        key = server.set_up()
        with server.client(key) as client:
            anna = {"FirstName": "Anna", "Number": ANNA}
            client.post("/contacts/create", json=anna).raise_for_status()
        yield server, key
