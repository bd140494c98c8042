"""Lookups and journals go on while a large purge runs beside the servers."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from statistics import median

import httpx
import pytest
from sqlalchemy import func, select
from sqlmodel import col

from callhelm_threecx import migrate
from callhelm_threecx.db import Database
from callhelm_threecx.models import EventRow, utc_now
from callhelm_threecx.settings import database_url
from tests import servers
from tests.cli.processes import settings
from tests.core import big_log
from tests.http.gunicorns import Gunicorn, gunicorn

EVENTS = 60_000
ROUNDS = 3
REQUESTS = 200
JOURNAL_EVERY = 4
# The 99th percentile beside a purge against that without one, at the median of the rounds. A purge
# takes a share of the processors, so it is not the same; what makes callers wait is far beyond.
MOST_TIMES = {"lookup": 6.0, "journal": 8.0}
# Below this nobody who waits for a telephone feels a difference, whatever the ratio.
UNFELT_S = {"lookup": 0.05, "journal": 0.15}


@pytest.fixture
def big_url(database_source: servers.DatabaseSource, tmp_path: Path) -> Iterator[str]:
    """A database with a log that is to be purged for longer than the test takes."""
    with database_source.empty(tmp_path) as url:
        database = Database(database_url(url))
        migrate.upgrade(database)
        big_log.fill(database, events=EVENTS, calls=10, now=utc_now() - timedelta(days=40))
        database.dispose()
        yield url


def percentile(times: list[float]) -> float:
    return sorted(times)[int(len(times) * 0.99)]


def ask(client: httpx.Client, part: int) -> dict[str, float]:
    """The 99th percentile of lookups and of journals, in seconds, by one PBX after another."""
    took: dict[str, list[float]] = {"lookup": [], "journal": []}
    for number in range(REQUESTS):
        kind = "journal" if number % JOURNAL_EVERY == 0 else "lookup"
        started = time.perf_counter()
        if kind == "lookup":
            answer = client.get("/contacts/lookup", params={"number": f"+49301{number:06}"})
        else:
            body = {"CallType": "Inbound", "Number": f"+49301{part:03}{number:03}"}
            answer = client.post("/calls/journal", json=body)
        took[kind].append(time.perf_counter() - started)
        assert answer.status_code in {200, 201}, answer.text
    return {kind: percentile(times) for kind, times in took.items()}


@contextmanager
def purging(url: str) -> Iterator[None]:
    """A purge from the command line, which is deleting from the beginning of the block to its
    end."""
    database = Database(database_url(url))
    before = number_of_old_events(database)
    command = ["-m", "callhelm_threecx", "events", "purge", "--older-than", "1d", "--json"]
    with subprocess.Popen(
        [sys.executable, *command], env=settings(url), stdout=subprocess.PIPE, text=True
    ) as process:
        deadline = time.monotonic() + 120
        while number_of_old_events(database) == before:  # the days are counted first
            assert process.poll() is None
            assert time.monotonic() < deadline
        yield
        process.send_signal(signal.SIGTERM)
        told = json.loads(process.communicate(timeout=60)[0])
    database.dispose()
    assert told["stopped"]
    assert told["purged"] > 0


def number_of_old_events(database: Database) -> int:
    old = select(func.count()).where(col(EventRow.created_at) < utc_now() - timedelta(days=2))
    with database.read_all_organizations() as session:
        return int(session.execute(old).scalar_one())


def test_nobody_who_calls_waits_for_a_purge(big_url: str, tmp_path: Path) -> None:
    ratios: dict[str, list[float]] = {"lookup": [], "journal": []}
    beside: dict[str, list[float]] = {"lookup": [], "journal": []}
    with gunicorn(tmp_path, "gthread", database_url=big_url) as server:
        key = server.set_up("acme")
        with server.client(key) as client:
            ask(client, 2 * ROUNDS)
            for number in range(ROUNDS):
                alone = ask(client, number)
                with purging(big_url):
                    during = ask(client, ROUNDS + number)
                for kind, seconds in during.items():
                    beside[kind].append(seconds)
                    ratios[kind].append(seconds / alone[kind])
        assert_journals(server, key)
    for kind, times in MOST_TIMES.items():
        print(kind, [round(r, 2) for r in ratios[kind]], [round(b, 4) for b in beside[kind]])
        assert median(ratios[kind]) <= times or median(beside[kind]) <= UNFELT_S[kind], ratios


def assert_journals(server: Gunicorn, key: str) -> None:
    """Every journal that was answered is there."""
    with server.client(key) as client:
        counted = client.get("/stats", params={"days": 1}).json()
    assert counted["journals"] == (2 * ROUNDS + 1) * REQUESTS // JOURNAL_EVERY
