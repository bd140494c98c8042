"""A load of requests over kept connections, by wrk (Debian has it; `install.sh` installs it).

Each connection sends its next request when the answer to the one before is complete, as the HTTP
client of a PBX does.
"""

import json
import random
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

SCRIPT = Path(__file__).with_name("ask.lua")
UNIQUE_INSTANT = "@@@@-@@-@@T@@:@@:@@Z"
"""In a body: an instant, another one for each request."""

_FIRST_INSTANT = 1_800_000_000 + random.SystemRandom().randrange(700) * 10_000_000
"""Seconds since 1970. Later than any contact of the dataset was active, so that each call that is
journaled also moves its contact on; and not that of an earlier run on the same database, whose
calls would be repeated."""


@dataclass(frozen=True)
class Request:
    """One request, with the API key that goes in its header."""

    path: str
    key: str = ""
    body: str = ""

    @property
    def line(self) -> str:
        """The request as `ask.lua` reads it."""
        return "\t".join(("POST" if self.body else "GET", self.path, self.key, self.body))


@dataclass(frozen=True)
class Outcome:
    """What one round measured; latencies in milliseconds."""

    requests: int
    seconds: float
    p50: float
    p95: float
    p99: float

    @property
    def per_second(self) -> float:
        return self.requests / self.seconds


class LoadError(Exception):
    """A server did not answer as it should."""


def run(
    port: int,
    requests: Sequence[Request],
    *,
    connections: int,
    seconds: float,
    seed: int = 1,
    refusals: bool = False,
) -> Outcome:
    """Send requests, chosen at random, for so many seconds over so many connections.

    Rounds with different seeds choose differently and never share a unique instant. Raises
    `LoadError` when a connection broke or, unless ``refusals`` are wanted, an answer was an error.
    """
    executable = shutil.which("wrk")
    if executable is None:
        raise LoadError("wrk is not installed: run contrib/bench/install.sh.")
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as listed:
        listed.write("".join(f"{request.line}\n" for request in requests))
        listed.flush()
        command = [executable, "--threads", "1", "--connections", str(connections)]
        command += ["--duration", f"{max(1, round(seconds))}s", "--timeout", "60s"]
        command += ["--latency", "--script", str(SCRIPT), f"http://127.0.0.1:{port}", "--"]
        command += [listed.name, str(seed), str(_FIRST_INSTANT + seed * 1_000_000)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    return outcome(done, refusals=refusals)


def first_answer(port: int, request: Request, seconds: float = 60.0) -> None:
    """Return when a server has answered: it listens before its workers are ready."""
    headers = {"x-api-key": request.key} if request.key else {}
    url = f"http://127.0.0.1:{port}{request.path}"
    if request.body:
        headers["content-type"] = "application/json"
        body = request.body.replace(UNIQUE_INSTANT, "2000-01-01T00:00:00Z")
        httpx.post(url, headers=headers, content=body, timeout=seconds).raise_for_status()
    else:
        httpx.get(url, headers=headers, timeout=seconds).raise_for_status()


def outcome(done: "subprocess.CompletedProcess[str]", *, refusals: bool) -> Outcome:
    """What wrk has printed. Raises `LoadError` as `run` does."""
    line = next((line for line in done.stdout.splitlines() if line.startswith("{")), None)
    if done.returncode or line is None:
        raise LoadError(f"wrk failed: {done.stderr or done.stdout}")
    found = json.loads(line)
    is_refused = found["refused"] and not refusals
    if is_refused or found["broken"] or not found["requests"]:
        raise LoadError(
            f"Of {found['requests']} requests {found['refused']} were refused"
            f" and {found['broken']} got no answer."
        )
    latencies = {name: found[name] / 1000 for name in ("p50", "p95", "p99")}
    return Outcome(found["requests"], found["microseconds"] / 1e6, **latencies)
