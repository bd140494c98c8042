"""The server gunicorn, set up for this application: what ``serve`` and a configuration file for
``gunicorn -c`` share.

Some things are not as gunicorn has them by itself. No connection of a database crosses a fork.
A worker that ends writes the events that wait, and ends in the same order for Ctrl-C as for
SIGTERM. No key ever reaches gunicorn's logs, whatever is switched on in them.
"""

import logging
import os
import re
import sys
from datetime import timedelta
from typing import Any, Final, Literal

from gunicorn import glogging  # type: ignore[import-untyped]
from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]

from callhelm_threecx import logs, schema_version
from callhelm_threecx.app import Services, open_database
from callhelm_threecx.db import Database
from callhelm_threecx.errors import ThreeCXError
from callhelm_threecx.middleware.context import hide_query
from callhelm_threecx.settings import Settings
from callhelm_threecx.stores import registry
from callhelm_threecx.stores.base import CheckedAtStart, ContactStore, StoreOptions

WORKER_CLASS: Final = "callhelm_threecx.worker.Worker"
THREADS: Final = 8
"""Requests that one worker answers at once; its pool of database connections is larger."""

MAX_WORKERS: Final = 8
"""Most workers that are started unasked. A worker whose threads are all busy holds some twenty
connections, so a PostgreSQL server with its usual limit of a hundred serves four such workers; more
need a higher limit, or a pooler in front of it."""

KEEPALIVE_S: Final = 30
"""Seconds that an idle connection stays open: a call makes several requests, minutes apart at
most, and a proxy in front of the server holds its connections too."""

GRACEFUL_TIMEOUT_S: Final = 8
"""Seconds that requests have to end when the server is stopped: less than the ten after which
container runtimes kill. A worker that is told to stop while it still boots misses it, and is ended
after this time (seen with gunicorn 27)."""

_SECRETS: Final = re.compile(r"(api_?key(?:=|%3d|\W{2,4}))[^&\s'\"]+|(3cx_)[\w-]+", re.IGNORECASE)
_SECRET_ATOMS: Final = re.compile(
    r"\{(?:http_)?(?:x[-_]api[-_]key|(?:proxy[-_])?authorization|cookie)\}[ie]", re.IGNORECASE
)


class OutdatedSchemaError(ThreeCXError):
    """The tables are those of another version of the package, or are not there."""

    code = "outdated_schema"


def default_workers() -> int:
    """A worker for each processor that this process may use, at most `MAX_WORKERS`."""
    if hasattr(os, "sched_getaffinity"):
        return min(len(os.sched_getaffinity(0)), MAX_WORKERS)
    return min(os.cpu_count() or 1, MAX_WORKERS)


def require_current_schema(database: Database) -> None:
    """Return when the tables are this version's; raise `OutdatedSchemaError` when not."""
    current = schema_version.current(database)
    if current != schema_version.HEAD:
        raise OutdatedSchemaError(
            f"The database schema is {f'at {current}' if current else 'empty'}, "
            f"not at {schema_version.HEAD}; run callhelm-threecx db upgrade."
        )


def check_store(store: ContactStore) -> None:
    """Return when a store that works on tables of somebody else's finds them; raise the error that
    names what is missing, or says that the database does not answer, when not."""
    if isinstance(store, CheckedAtStart):
        store.check()


def prepare() -> Settings:
    """For a configuration file: read the settings, configure logging, look at the schema and at the
    tables that the contact store needs.

    What is wrong ends the process with one line on standard error and exit status 1, before
    gunicorn has opened a port.
    """
    try:
        settings = Settings.load()
        logs.configure(settings.log_level, settings.log_format)
        if settings.sqlite_path is None:  # a SQLite schema is brought up to date at start
            database = open_database(settings)
            try:
                require_current_schema(database)
                options = StoreOptions(settings.contact_store_options, database=database)
                check_store(registry.load(settings.contact_store, options))
            finally:
                database.dispose()
    except ThreeCXError as ex:
        sys.stderr.write(f"{ex.message}\n")
        sys.exit(1)
    return settings


def services_of(app: object) -> Services | None:
    """The services behind a WSGI application: ours, or `ThreeCXMiddleware` around a host's."""
    inner = getattr(app, "threecx", app)
    services = getattr(inner, "services", None)
    return services if isinstance(services, Services) else None


def pre_fork(server: Any, _worker: Any) -> None:
    """gunicorn's hook: close what a preloaded application has opened, so that no worker inherits
    a connection."""
    services = services_of(server.app.callable)
    if services is not None:
        services.database.dispose()


def worker_exit(_server: Any, worker: Any) -> None:
    """gunicorn's hook: write the events that wait, and close the worker's connections."""
    services = services_of(getattr(worker, "wsgi", None))
    if services is not None:
        services.close()


class KeylessFormatter(logging.Formatter):
    """Another formatter's lines without the keys in them."""

    def __init__(self, inner: logging.Formatter) -> None:
        super().__init__()
        self._inner = inner

    def format(self, record: logging.LogRecord) -> str:
        """The line; the value of ``apiKey``, and whatever looks like a key, is ``***``."""
        line = self._inner.format(record)
        return _SECRETS.sub(lambda found: f"{found[1] or found[2]}***", line)


class ServerLogger(glogging.Logger):  # type: ignore[misc]
    """gunicorn's logger without keys.

    The application hides the query of what it answers; this is for what it never sees (a request
    that gunicorn refuses) and for access log formats that name headers.
    """

    log_format: Literal["json", "text"] = "json"

    def setup(self, cfg: Any) -> None:
        """Open the logs as they are configured; what is no access log has our format."""
        super().setup(cfg)
        ours = logs.JsonFormatter() if self.log_format == "json" else logs.TextFormatter()
        for handler in self.error_log.handlers:
            handler.setFormatter(KeylessFormatter(ours))
        for handler in self.access_log.handlers:
            handler.setFormatter(KeylessFormatter(handler.formatter or logging.Formatter()))

    def atoms(
        self, resp: Any, req: Any, environ: dict[str, Any], request_time: timedelta
    ) -> dict[str, Any]:
        """What an access log line may name."""
        shown = dict(environ)
        hide_query(shown)
        atoms: dict[str, Any] = super().atoms(resp, req, shown, request_time)
        return {name: "***" if _SECRET_ATOMS.fullmatch(name) else v for name, v in atoms.items()}


class JsonServerLogger(ServerLogger):
    """One JSON object a line."""


class TextServerLogger(ServerLogger):
    """Lines for people."""

    log_format = "text"


def options(settings: Settings) -> dict[str, Any]:
    """gunicorn's settings, by name, without the address and the number of workers."""
    is_json = settings.log_format == "json"
    return {
        "worker_class": WORKER_CLASS,
        "threads": THREADS,
        "keepalive": KEEPALIVE_S,
        "graceful_timeout": GRACEFUL_TIMEOUT_S,
        "preload_app": True,
        "logger_class": JsonServerLogger if is_json else TextServerLogger,
        "loglevel": settings.log_level.lower(),
        # Forwarded headers are believed as THREECX_TRUSTED_PROXIES says, by the application.
        "forwarded_allow_ips": "",
        # A control socket has one path for all servers of a user: a second one would take it.
        "control_socket_disable": True,
        "pre_fork": pre_fork,
        "worker_exit": worker_exit,
    }


class Server(BaseApplication):  # type: ignore[misc]
    """gunicorn around an application that is there already."""

    def __init__(self, app: Any, settings: Settings, **others: Any) -> None:
        self._app = app
        self._options = {**options(settings), **others}
        super().__init__(prog="callhelm-threecx")

    def load_config(self) -> None:
        """Set what this gunicorn knows; older ones have no control socket to switch off."""
        for name, value in self._options.items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def load(self) -> Any:
        """The application."""
        return self._app
