"""Lookups, everything on, against one prepared query: on PostgreSQL and on SQLite."""

import contextlib
import random
import tempfile
from pathlib import Path
from typing import Any

import dataset
import duel
import servers
from databases import create_database, postgres
from wrk import Request

ASKED = 5_000  # different numbers


def requests(filled: dataset.Filled, seed: int = 3) -> list[Request]:
    """Lookups for the product."""
    chosen = _chosen(filled, seed)
    path = "/api/3cx/contacts/lookup?number="
    return [Request(path + dataset.number_in_url(i), filled.key_of(i)) for i in chosen]


def bare_requests(filled: dataset.Filled, seed: int = 3) -> list[Request]:
    """The same for the yardstick."""
    return [Request(f"/lookup?number={dataset.number_in_url(i)}") for i in _chosen(filled, seed)]


def _chosen(filled: dataset.Filled, seed: int) -> list[int]:
    chance = random.Random(seed)
    return [chance.randrange(filled.contacts) for _ in range(ASKED)]


def on_postgres(contacts: int, kind: servers.Kind, pace: duel.Pace) -> dict[str, Any]:
    """The product and the limit in turns."""
    with postgres() as server:
        filled = dataset.fill(create_database(server, "bench_lookup"), contacts)
        return against_bare(filled, filled.url, kind, pace)


def on_sqlite(contacts: int, kind: servers.Kind, pace: duel.Pace) -> dict[str, Any]:
    """The same in a file."""
    with tempfile.TemporaryDirectory(prefix="threecx-bench-") as folder:
        filled = dataset.fill(f"sqlite:///{Path(folder) / 'bench.db'}", contacts)
        bare_url = f"sqlite:///{dataset.bare_file(filled.url)}"
        return against_bare(filled, bare_url, kind, pace)


def against_bare(
    filled: dataset.Filled, bare_url: str, kind: servers.Kind, pace: duel.Pace
) -> dict[str, Any]:
    """The figures of both, and the product's over the yardstick's."""
    with contextlib.ExitStack() as running:
        product = running.enter_context(servers.product(filled.environment, kind))
        bare = running.enter_context(servers.bare(bare_url, filled.environment, kind))
        sides = {
            "product": duel.Side(product, requests(filled)),
            "limit": duel.Side(bare, bare_requests(filled)),
        }
        turns = duel.fight(sides, pace)
    return {
        "sides": duel.medians(turns),
        "throughput": duel.ratio(turns, "product", "limit", lambda turn: turn.per_second),
        "p99": duel.ratio(turns, "product", "limit", lambda turn: turn.p99_ms),
        "cpu": duel.ratio(turns, "product", "limit", lambda turn: turn.cpu_ms),
    }
