"""Real gunicorn servers with ``callhelm_threecx.wsgi:app``, as an operator starts them."""

import os
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import httpx

from tests import servers
from tests.client import ADMIN_KEY, SECRET_KEY

# Reading the system's certificate authorities for each client would take longer than the request.
_NO_AUTHORITIES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


@dataclass
class Gunicorn:
    """A running server; ``log`` is what it has written to standard error so far."""

    base: str
    process: "subprocess.Popen[bytes]"
    stderr: Path

    @property
    def log(self) -> str:
        return self.stderr.read_text()

    def client(self, key: str = "") -> httpx.Client:
        """A caller with a key."""
        url = f"{self.base}/api/3cx"
        headers = {"x-api-key": key}
        return httpx.Client(base_url=url, headers=headers, timeout=30, verify=_NO_AUTHORITIES)

    def set_up(self, organization: str = "acme") -> str:
        """Set an organization up; returns its key."""
        with self.client(ADMIN_KEY) as client:
            answer = client.post("/setup", json={"organizationId": organization})
        return str(answer.json()["apiKey"])

    def stop(self) -> None:
        """End it as a service manager does, and wait."""
        self.process.terminate()
        self.process.wait(20)


@contextmanager
def gunicorn(folder: Path, worker_class: str, **settings: Any) -> Iterator[Gunicorn]:
    """Two workers of a class; the settings are given in the environment."""
    port = servers.free_port()
    stderr = folder / f"gunicorn-{port}.log"
    environment = {name: value for name, value in os.environ.items() if "THREECX" not in name}
    given = {
        "admin_key": ADMIN_KEY,
        "secret_keys": SECRET_KEY,
        "default_region": "DE",
        "rate_limit": "100000/minute",
        "failed_auth_limit": "100000/minute",
        **settings,
    }
    environment |= {f"THREECX_{name.upper()}": str(value) for name, value in given.items()}
    command = [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "--workers", "2"]
    command += ["--worker-class", worker_class, "--access-logfile", "-", "--log-level", "debug"]
    command += ["--no-control-socket"] if "--no-control-socket" in _help() else []
    if worker_class == "gthread":
        command += ["--threads", "4"]
    with stderr.open("wb") as file:
        process = subprocess.Popen(
            [*command, "callhelm_threecx.wsgi:app"],
            env=environment,
            cwd=folder,
            stdout=file,
            stderr=file,
        )
        try:
            servers.wait_for_port(port, 30)
            yield Gunicorn(f"http://127.0.0.1:{port}", process, stderr)
        finally:
            process.terminate()
            process.wait(20)


@cache
def _help() -> str:
    command = [sys.executable, "-m", "gunicorn", "--help"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
