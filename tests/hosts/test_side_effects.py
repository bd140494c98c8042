"""What importing and building leaves alone."""

import json
import logging
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.client import Api

WATCH = """
import json, logging, os, socket, sys, threading
before = (
    set(os.listdir(".")), threading.active_count(), dict(os.environ),
    logging.root.level, list(logging.root.handlers), logging.raiseExceptions,
)
sockets = []
real = socket.socket.__init__
def noting(self, *args, **kwargs):
    sockets.append(args)
    real(self, *args, **kwargs)
socket.socket.__init__ = noting
import importlib, pkgutil
import callhelm_threecx
MODULES
after = (
    set(os.listdir(".")), threading.active_count(), dict(os.environ),
    logging.root.level, list(logging.root.handlers), logging.raiseExceptions,
)
ours = logging.getLogger("callhelm_threecx")
print(json.dumps({
    "same": before == after,
    "sockets": len(sockets),
    "handlers": len(ours.handlers),
    "level": ours.level,
    "falcon": "falcon" in sys.modules,
}))
"""

EVERY_MODULE = """
for found in pkgutil.walk_packages(callhelm_threecx.__path__, "callhelm_threecx."):
    skipped = (".wsgi", ".__main__", ".migrations.env", ".pytest_plugin")
    if not found.name.endswith(skipped) and ".testing" not in found.name:
        importlib.import_module(found.name)
"""


def watched(modules: str, folder: Path) -> dict[str, Any]:
    program = [sys.executable, "-c", WATCH.replace("MODULES", modules)]
    done = subprocess.run(program, cwd=folder, check=True, capture_output=True, text=True)
    assert done.stderr == ""
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def test_importing_the_package_does_nothing(tmp_path: Path) -> None:
    told = watched("", tmp_path)
    assert told == {"same": True, "sockets": 0, "handlers": 0, "level": 0, "falcon": False}


def test_importing_every_module_does_nothing(tmp_path: Path) -> None:
    told = watched(EVERY_MODULE, tmp_path)
    assert (told["same"], told["handlers"], told["level"]) == (True, 0, 0)
    assert told["sockets"] == 0


@pytest.fixture
def host_logging() -> Any:
    """A host's own loggers, one of them ours by name."""
    names = ("", "callhelm_threecx", "alembic", "sqlalchemy", "falcon", "host")
    return lambda: [
        (name, logger.level, list(logger.handlers), logger.propagate, logger.disabled)
        for name in names
        for logger in [logging.getLogger(name)]
    ]


def test_building_the_application_leaves_logging_and_threads_alone(
    host_logging: Any, database_url: str
) -> None:
    before, threads = host_logging(), threading.active_count()
    api = Api.build(database_url=database_url)
    assert host_logging() == before
    assert threading.active_count() == threads
    api.lookup("1")
    api.close()
    assert host_logging() == before
    assert threading.active_count() == threads


def test_a_postgres_application_connects_to_nothing_until_it_is_asked() -> None:
    api = Api.build(database_url="postgresql://nobody@192.0.2.1/nothing")
    assert api.app.services.database.dialect == "postgresql"
    api.close()


def test_migrating_at_start_leaves_the_hosts_loggers_alone(
    host_logging: Any, tmp_path: Path
) -> None:
    before = host_logging()
    logging.getLogger("host").setLevel(logging.NOTSET)
    api = Api.build(database_url=f"sqlite:///{tmp_path / 'new.db'}")
    assert host_logging() == before
    api.close()
