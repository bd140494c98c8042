"""Journaled calls, durable before the answer, against one prepared insert and commit."""

import contextlib
import json
import random
from typing import Any

import dataset
import duel
import servers
import wrk
from databases import create_database, postgres

ASKED = 5_000  # different callers


def requests(filled: dataset.Filled, path: str, *, with_key: bool = True) -> list[wrk.Request]:
    """Reports of calls, each of them another one."""
    chance = random.Random(5)
    chosen = [chance.randrange(filled.contacts) for _ in range(ASKED)]
    return [
        wrk.Request(path, filled.key_of(index) if with_key else "", _body(index))
        for index in chosen
    ]


def _body(index: int) -> str:
    return json.dumps(
        {
            "CallType": "Inbound",
            "CallDirection": "Inbound",
            "Number": dataset.number(index),
            "Name": f"Caller {index}",
            "Agent": str(100 + index % 50),
            "Duration": "00:01:40",
            "CallStartTimeUTC": wrk.UNIQUE_INSTANT,
            "Subject": "Answered incoming call",
        }
    )


def measure(contacts: int, kind: servers.Kind, pace: duel.Pace) -> dict[str, Any]:
    """The product and the bare insert in turns."""
    with postgres() as server:
        filled = dataset.fill(create_database(server, "bench_journal"), contacts)
        return against_bare(filled, kind, pace)


def against_bare(filled: dataset.Filled, kind: servers.Kind, pace: duel.Pace) -> dict[str, Any]:
    """The figures of both, and the product's over the yardstick's."""
    with contextlib.ExitStack() as running:
        product = running.enter_context(servers.product(filled.environment, kind))
        bare = running.enter_context(servers.bare(filled.url, filled.environment, kind))
        sides = {
            "product": duel.Side(product, requests(filled, "/api/3cx/calls/journal")),
            "bare insert": duel.Side(bare, requests(filled, "/journal", with_key=False)),
        }
        turns = duel.fight(sides, pace)
    return {
        "sides": duel.medians(turns),
        "throughput": duel.ratio(turns, "product", "bare insert", lambda turn: turn.per_second),
        "cpu": duel.ratio(turns, "product", "bare insert", lambda turn: turn.cpu_ms),
    }
