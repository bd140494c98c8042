"""What the story needs around it: a fresh database with contacts, and a server on it."""

import os
import secrets
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import httpx

from callhelm_threecx import routes
from callhelm_threecx.app import Services, build_services
from callhelm_threecx.demo.people import REGION, contacts
from callhelm_threecx.demo.story import AGENT, AGENT_ID, ORGANIZATION, Stage
from callhelm_threecx.errors import ThreeCXError
from callhelm_threecx.services.agents import NewMapping
from callhelm_threecx.services.audit import Actor
from callhelm_threecx.settings import ENV_PREFIX, Settings
from callhelm_threecx.stores.base import BulkContacts

START_S: Final = 30.0
"""Longest time in which the server must answer."""

LOG: Final = "server.log"
_DEMO: Final = Actor("demo")


class DemoError(ThreeCXError):
    """The demo cannot be played; the message says why."""

    code = "demo_error"


def furnish(services: Services) -> str:
    """Set the demo's organization up, with its contacts and an agent; the organization's key."""
    integration, api_key = services.integrations.set_up(
        ORGANIZATION, organization_name="Call-Helm Demo", by=_DEMO
    )
    if not isinstance(services.store, BulkContacts):
        raise DemoError("The demo needs a store that takes contacts in bulk.")
    services.store.import_batch(integration.organization, list(contacts()))
    mapping = NewMapping(
        extension=AGENT.extension,
        agent_id=AGENT_ID,
        agent_email=AGENT.email,
        agent_first_name=AGENT.first_name,
        agent_last_name=AGENT.last_name,
    )
    services.agents.put(ORGANIZATION, mapping, by=_DEMO)
    return api_key


def prepare(folder: Path, port: int) -> Stage:
    """Make the database in a folder that is new or empty. Raises `DemoError`."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise DemoError(f"{folder} is not empty; name a folder that is new or empty.")
    except OSError as ex:
        raise DemoError(f"{folder}: {ex.strerror}.") from ex
    base_url = f"http://127.0.0.1:{port or _free_port()}"
    admin_key = secrets.token_urlsafe(24)
    services = build_services(_settings(folder, base_url, admin_key))
    try:
        api_key = furnish(services)
    finally:
        services.close()
    return Stage(base_url, api_key, admin_key)


@contextmanager
def serving(folder: Path, stage: Stage) -> Iterator["subprocess.Popen[bytes]"]:
    """The server as a process of its own, answering; it is ended in order.

    Its log is in the folder. Raises `DemoError` when it does not start.
    """
    command = [sys.executable, "-m", "callhelm_threecx", "serve"]
    port = stage.base_url.rpartition(":")[2]
    with (folder / LOG).open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 - our own program
            [*command, "--port", port, "--workers", "2"],
            env=_environment(folder, stage),
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait_until_ready(process, stage, folder)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _settings(folder: Path, base_url: str, admin_key: str) -> Settings:
    """The settings of the demo: every one that the environment may hold is set aside."""
    defaults = {
        name: field.get_default(call_default_factory=True)
        for name, field in Settings.model_fields.items()
    }
    ours = {
        "database_url": _database_url(folder),
        "public_url": base_url,
        "admin_key": admin_key,
        "default_region": REGION,
    }
    return Settings.load(**{**defaults, **ours})


def _environment(folder: Path, stage: Stage) -> dict[str, str]:
    inherited = {k: v for k, v in os.environ.items() if not k.upper().startswith(ENV_PREFIX)}
    return {
        **inherited,
        "THREECX_DATABASE_URL": _database_url(folder),
        "THREECX_PUBLIC_URL": stage.base_url,
        "THREECX_ADMIN_KEY": stage.admin_key,
        "THREECX_DEFAULT_REGION": REGION,
    }


def _database_url(folder: Path) -> str:
    return f"sqlite:///{folder.resolve() / 'demo.db'}"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_ready(process: "subprocess.Popen[bytes]", stage: Stage, folder: Path) -> None:
    deadline = time.monotonic() + START_S
    pause = threading.Event()
    while not _answers(stage):
        if process.poll() is not None:
            lines = (folder / LOG).read_text(encoding="utf-8", errors="replace").split("\n")
            reason = next((line for line in reversed(lines) if line.strip()), "It said nothing.")
            raise DemoError(f"The server did not start. {reason}")
        if time.monotonic() > deadline:
            raise DemoError(f"The server did not answer within {START_S:g} seconds.")
        pause.wait(0.05)


def _answers(stage: Stage) -> bool:
    try:
        return stage.get(routes.READYZ, "").status_code == 200
    except httpx.HTTPError:
        return False
