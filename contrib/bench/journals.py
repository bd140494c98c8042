"""Journaled calls, durable before the answer, against one prepared insert and commit."""

import contextlib
import json
import random

import dataset
import duel
import servers
import twin_data
import wrk
from lab import Lab
from report import Row, at_least

ASKED = 5_000  # different callers
PATH = "/api/3cx/calls/journal"


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


def rows(lab: Lab) -> list[Row]:
    """Against the bare insert and the twin."""
    filled = lab.on_postgres(lab.size.contacts)
    twin_data.prepare(filled)
    with contextlib.ExitStack() as running:
        settings, url = filled.environment, filled.url
        product = running.enter_context(servers.product(settings, lab.kind))
        bare = running.enter_context(servers.bare(url, settings, lab.kind))
        twin = running.enter_context(servers.twin(url, lab.kind))
        reports = requests(filled, PATH)
        sides = {
            "product": duel.Side(product, reports),
            "bare insert": duel.Side(bare, requests(filled, "/journal", with_key=False)),
            "twin": duel.Side(twin, reports),
        }
        turns = duel.fight(sides, lab.pace)
    return [
        Row(
            f"journal: throughput / {name}",
            at_least(least),
            duel.ratio(turns, "product", name, duel.throughput),
            figures=duel.figures(turns, "product", name),
        )
        for name, least in (("bare insert", 0.6), ("twin", 4))
    ]
