"""What the tests share. Servers are real; see ``servers.py`` for where they come from."""

import logging
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest

# A failed expectation of the contract shows its values, as in a test module.
pytest.register_assert_rewrite("callhelm_threecx.testing")

from tests import servers  # noqa: E402
from tests.client import ADMIN_KEY, Api  # noqa: E402

BACKENDS = ("sqlite", "postgres", "redis", "browser")

# How long an example takes, or is made, says more of a busy machine than of the code.
hypothesis.settings.register_profile(
    "patient", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("patient")

BROWSER_TESTS = Path(__file__).parent / "browser"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--backend",
        choices=[*BACKENDS, "all"],
        default="all",
        help="Run what needs this backend only; what needs none runs with sqlite.",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "redis: needs a Redis server")
    servers.spare_the_disk()
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as a shell starts what it leaves alone
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "backend" in metafunc.fixturenames:
        metafunc.parametrize("backend", ["sqlite", "postgres"], scope="session")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """What drives a browser is installed for that run alone."""
    if config.getoption("--backend") in {"all", "browser"}:
        return None
    return True if collection_path == BROWSER_TESTS else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    wanted = config.getoption("--backend")
    if wanted == "all":
        return
    chosen = [item for item in items if _backend_of(item) == wanted]
    left_out = [item for item in items if _backend_of(item) != wanted]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = chosen


def _backend_of(item: pytest.Item) -> str:
    if item.get_closest_marker("redis"):
        return "redis"
    if BROWSER_TESTS in item.path.parents:
        return "browser"
    callspec = getattr(item, "callspec", None)
    if callspec is not None and "backend" in callspec.params:
        return str(callspec.params["backend"])
    return "postgres" if "postgres_server" in getattr(item, "fixturenames", ()) else "sqlite"


@pytest.fixture(autouse=True)
def _logger_as_imported() -> None:
    """The package's log lines go where a host's do, whatever a test before has configured."""
    logger = logging.getLogger("callhelm_threecx")
    logger.handlers.clear()
    logger.propagate = True
    logger.setLevel(logging.NOTSET)


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a PostgreSQL server on which databases may be created."""
    with servers.postgres(tmp_path_factory) as url:
        yield url


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a Redis server."""
    with servers.redis(tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture(scope="session")
def database_source(
    backend: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> servers.DatabaseSource:
    """Where migrated, empty databases of the backend come from."""
    if backend == "sqlite":
        return servers.SqliteSource(tmp_path_factory.mktemp("sqlite"))
    return servers.PostgresSource(request.getfixturevalue("postgres_server"))


@pytest.fixture
def database_url(database_source: servers.DatabaseSource, tmp_path: Path) -> Iterator[str]:
    """The URL of a migrated, empty database of the test's own, on SQLite and on PostgreSQL."""
    with database_source.fresh(tmp_path) as url:
        yield url


@pytest.fixture
def make_api(database_url: str) -> Iterator[Callable[..., Api]]:
    """Builds the application in this process from settings: ``make_api(rate_limit="2/minute")``."""
    made: list[Api] = []

    def make(**settings: Any) -> Api:
        made.append(Api.build(**{"database_url": database_url, **settings}))
        return made[-1]

    yield make
    for api in made:
        api.close()


@pytest.fixture
def api(make_api: Callable[..., Api]) -> Api:
    """The application with its defaults, the region DE, and the admin key ``client.ADMIN_KEY``."""
    assert ADMIN_KEY
    return make_api()
