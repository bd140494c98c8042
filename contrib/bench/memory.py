"""What a worker keeps of the requests it has answered: nothing, once its caches are full."""

import json
import random
from dataclasses import replace

import dataset
import servers
import wrk
from lab import Lab
from lookups import PATH as LOOKUP
from report import Row, at_most

ROUND_S = 5
MB = 2**20
CALLERS = 60_000  # different numbers, most of them nobody's: more than a cache holds


def rows(lab: Lab) -> list[Row]:
    """One worker, warmed up, then asked everything that a PBX asks."""
    filled = lab.on_postgres(lab.size.few_contacts)
    mixed = requests(filled)
    with servers.product(filled.environment, replace(lab.kind, workers=1)) as product:
        wrk.first_answer(product.port, mixed[0])
        warmed = _ask(product, mixed, lab.size.warming_requests, lab, seed=1)
        before = _sizes(product)
        asked = _ask(product, mixed, lab.size.mixed_requests, lab, seed=1000)
        after = _sizes(product)
    growth = {name: round((after[name] - before[name]) / MB, 2) for name in before}
    figures = {
        "warming_requests": warmed,
        "requests": asked,
        "before_mb": {name: round(value / MB, 1) for name, value in before.items()},
        "growth_mb": growth,
    }
    what = f"memory of a worker: growth over {asked:,} mixed requests"
    return [Row(what, at_most(10), max(growth.values()), unit="MB", figures=figures)]


def _ask(server: servers.Server, mixed: list[wrk.Request], least: int, lab: Lab, seed: int) -> int:
    asked = 0
    while asked < least:
        asked += wrk.run(
            server.port,
            mixed,
            connections=lab.pace.connections,
            seconds=ROUND_S,
            seed=seed,
            refusals=True,
        ).requests
        seed += 1
    return asked


def _sizes(server: servers.Server) -> dict[str, int]:
    """What the worker has in memory, in bytes: all of it, and its share of what it shares."""
    (worker,) = server.workers()
    found = worker.memory_full_info()
    return {"rss": found.rss, "pss": found.pss}


def requests(filled: dataset.Filled) -> list[wrk.Request]:
    """Of a hundred: 78 lookups by number, most of strangers, 6 journaled calls, 4 lookups by
    address, 4 searches, 3 templates, 3 wrong keys and 2 wrong paths."""
    chance = random.Random(11)
    key = filled.key_of(0)
    mixed = []
    for index in range(CALLERS):
        number = dataset.number_in_url(index)
        known = chance.randrange(filled.contacts)
        draw = chance.random()
        if draw < 0.78:
            asked = wrk.Request(LOOKUP + number, key)
        elif draw < 0.84:
            asked = wrk.Request("/api/3cx/calls/journal", key, _call(index))
        elif draw < 0.88:
            path = f"/api/3cx/contacts/lookup?email=contact{known}%40example.com"
            asked = wrk.Request(path, key)
        elif draw < 0.92:
            query = dataset.number(known)[5:]
            asked = wrk.Request(f"/api/3cx/contacts/search?query={query}", key)
        elif draw < 0.95:
            asked = wrk.Request("/api/3cx/template", key)
        elif draw < 0.98:
            asked = wrk.Request(LOOKUP + number, f"3cx_{chance.getrandbits(240):060x}"[:47])
        else:
            asked = wrk.Request(f"/api/3cx/nothing/{index}", key)
        mixed.append(asked)
    return [wrk.Request(LOOKUP + dataset.number_in_url(0), key), *mixed]


def _call(index: int) -> str:
    report = {
        "CallType": "Missed",
        "Number": dataset.number(index),
        "Name": f"Caller {index}",
        "Agent": str(100 + index % 50),
        "CallStartTimeUTC": wrk.UNIQUE_INSTANT,
    }
    return json.dumps(report)
