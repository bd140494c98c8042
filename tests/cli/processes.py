"""Servers as processes of their own, as an operator starts them."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests import servers
from tests.client import ADMIN_KEY, PREFIX, SECRET_KEY


def settings(database_url: str, **others: str) -> dict[str, str]:
    """The environment of a server."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("THREECX_")}
    ours = {
        "database_url": database_url,
        "secret_keys": SECRET_KEY,
        "admin_key": ADMIN_KEY,
        "default_region": "DE",
        "rate_limit": "100000/minute",
        **others,
    }
    return inherited | {f"THREECX_{name.upper()}": value for name, value in ours.items()}


@dataclass
class Server:
    """A running server, and what it wrote so far."""

    process: "subprocess.Popen[bytes]"
    url: str
    log: Path

    def output(self) -> str:
        return self.log.read_text()

    def client(self, key: str = ADMIN_KEY) -> httpx.Client:
        headers = {"x-api-key": key}
        return httpx.Client(base_url=self.url + PREFIX, headers=headers, trust_env=False)

    def set_up(self, organization: str = "acme") -> str:
        """Set an organization up; its key."""
        with self.client() as client:
            answer = client.post("/setup", json={"organizationId": organization})
            key: str = answer.raise_for_status().json()["apiKey"]
        return key

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(how)
        return self.process.wait(30)


@contextmanager
def running(
    command: list[str], environment: Mapping[str, str], port: int, folder: Path
) -> Iterator[Server]:
    """Start a server and wait until it answers."""
    log = folder / "server.log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            env=dict(environment),
            cwd=folder,
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    server = Server(process, f"http://127.0.0.1:{port}", log)
    try:
        _wait(server)
        yield server
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def _wait(server: Server) -> None:
    pause = threading.Event()
    with server.client() as client:
        for _ in range(600):
            assert server.process.poll() is None, server.output()
            try:
                if client.get("/healthz").status_code == 200:
                    return
            except httpx.TransportError:
                pass
            pause.wait(0.05)
    raise AssertionError(f"The server did not answer:\n{server.output()}")


@contextmanager
def serve(database_url: str, folder: Path, *options: str, **others: str) -> Iterator[Server]:
    """``callhelm-threecx serve``."""
    port = servers.free_port()
    command = ["callhelm_threecx", "serve", "--port", str(port), "--workers", "2", *options]
    with running(command, settings(database_url, **others), port, folder) as server:
        yield server


def fails(command: list[str], environment: Mapping[str, str], folder: Path) -> tuple[int, str]:
    """Run what should not start: (exit status, all that it wrote)."""
    done = subprocess.run(
        [sys.executable, "-m", *command],
        env=dict(environment),
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=60,
        check=False,
        text=True,
    )
    return done.returncode, done.stdout
