"""Servers that are measured: started on a free port, and their processor time read."""

import contextlib
import os
import socket
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import psycopg
from gunicorn.util import load_class

HERE = Path(__file__).parent
PRODUCT_APP = "callhelm_threecx.wsgi:app"
BARE_APP = "bare:app"


@dataclass(frozen=True)
class Kind:
    """How gunicorn runs an application. Without a worker class it is the product's own way; a
    yardstick then has the kind of gunicorn's own that the product's worker derives from."""

    workers: int = 2
    worker_class: str | None = None
    threads: int = 8
    parser: str = "auto"

    def arguments(self, settings: Mapping[str, str]) -> list[str]:
        """gunicorn's arguments; ``settings`` are the product's, from the environment."""
        options = own_options(settings) if self.worker_class is None else {}
        worker_class = self.worker_class or _stock(options["worker_class"])
        threads = options.get("threads", self.threads)
        return [
            *("--workers", str(self.workers), "--worker-class", worker_class),
            *("--threads", str(threads), "--keep-alive", str(options.get("keepalive", 30))),
            *("--http-parser", self.parser),
        ]


def _stock(worker_class: str) -> str:
    found = load_class(worker_class)
    stock = next(base for base in found.__mro__ if base.__module__.startswith("gunicorn."))
    return f"{stock.__module__}.{stock.__qualname__}"


def own_options(settings: Mapping[str, str]) -> dict[str, Any]:
    """What the product sets when it starts gunicorn itself."""
    from callhelm_threecx import gunicorn as threecx
    from callhelm_threecx.settings import Settings

    prefix = "THREECX_"
    given = {name.removeprefix(prefix).lower(): value for name, value in settings.items()}
    return threecx.options(Settings.load(**given))


@dataclass(frozen=True)
class Server:
    """A running server."""

    port: int
    process: psutil.Process

    def cpu_seconds(self) -> float:
        """Processor time, user and system, of the server and its workers since they started."""
        return sum(_cpu_seconds(process) for process in [self.process, *self.workers()])

    def workers(self) -> list[psutil.Process]:
        """The processes that answer; the server itself when it has no others."""
        return self.process.children(recursive=True)


def database_cpu_seconds(url: str) -> float:
    """Processor time of a PostgreSQL server, with the connections that are closed by now."""
    with psycopg.connect(url) as connection:
        backend = psutil.Process(connection.info.backend_pid)
        postmaster = backend.parent()
        if postmaster is None:
            raise RuntimeError("The database is not on this machine.")
        ended = postmaster.cpu_times()
        living = sum(_cpu_seconds(process) for process in postmaster.children())
        return float(living + ended.children_user + ended.children_system)


def _cpu_seconds(process: psutil.Process) -> float:
    with contextlib.suppress(psutil.NoSuchProcess):
        times = process.cpu_times()
        return float(times.user + times.system)
    return 0.0


@contextlib.contextmanager
def product(settings: Mapping[str, str], kind: Kind) -> Iterator[Server]:
    """The product: by ``callhelm-threecx serve``, unless a kind of worker is asked for."""
    if kind.worker_class is None and kind.parser == "auto":
        port = free_port()
        command = ["-m", "callhelm_threecx", "serve", "--workers", str(kind.workers)]
        command += ["--port", str(port)]
        with running([sys.executable, *command], settings, port) as server:
            yield server
    else:
        with gunicorn(PRODUCT_APP, settings, kind.arguments(settings)) as server:
            yield server


@contextlib.contextmanager
def bare(url: str, settings: Mapping[str, str], kind: Kind) -> Iterator[Server]:
    """The yardstick, under the same gunicorn as the product."""
    with gunicorn(BARE_APP, {"BENCH_DATABASE_URL": url}, kind.arguments(settings)) as server:
        yield server


@contextlib.contextmanager
def twin(url: str, kind: Kind) -> Iterator[Server]:
    """What an afternoon gives, under its own server."""
    command = [sys.executable, "-m", "uvicorn", "twin:app", "--app-dir", str(HERE)]
    port = free_port()
    command += ["--workers", str(kind.workers), "--log-level", "warning", "--port", str(port)]
    with running(command, {"BENCH_DATABASE_URL": url}, port) as server:
        yield server


@contextlib.contextmanager
def gunicorn(
    app: str, environment: Mapping[str, str], arguments: Sequence[str]
) -> Iterator[Server]:
    """A gunicorn that serves an application."""
    command = [sys.executable, "-m", "gunicorn", app, *arguments]
    port = free_port()
    command += ["--log-level", "warning", "--no-control-socket", "--bind", f"127.0.0.1:{port}"]
    with running(command, environment, port) as server:
        yield server


@contextlib.contextmanager
def running(command: Sequence[str], environment: Mapping[str, str], port: int) -> Iterator[Server]:
    """A program that listens on a port, until the end of the block."""
    with tempfile.TemporaryFile() as log:
        process = psutil.Popen(
            command,
            cwd=HERE,  # not where the source is: what is installed is measured
            env={**os.environ, **environment},
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C is ours: we stop the servers in order
        )
        try:
            _wait(port, process, log)
            yield Server(port, process)
        finally:
            _stop(process)


def _stop(process: psutil.Popen) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):  # it ended by itself: whoever waits says why
        process.terminate()
    try:
        process.wait(20)
    except psutil.TimeoutExpired:
        for child in [*process.children(recursive=True), process]:
            child.kill()
        process.wait(10)


def _wait(port: int, process: psutil.Popen, log: Any, seconds: float = 120.0) -> None:
    deadline = time.monotonic() + seconds
    while not _is_listening(port):
        if process.poll() is not None or time.monotonic() > deadline:
            log.seek(0)
            raise RuntimeError(f"The server did not start: {log.read().decode()[-2000:]}")
        time.sleep(0.02)


def free_port() -> int:
    """A TCP port on loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _is_listening(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
