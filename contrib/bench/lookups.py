"""Lookups, everything on: against one prepared query, and against what an afternoon gives."""

import contextlib
import random
from dataclasses import replace

import dataset
import duel
import servers
import twin_data
from lab import Lab
from report import Row, at_least, at_most
from wrk import Request

ASKED = 5_000  # different numbers
PATH = "/api/3cx/contacts/lookup?number="
BEST_KIND = "gevent"  # of worker for an application that waits for nothing but its database


def requests(filled: dataset.Filled, asked: int = ASKED) -> list[Request]:
    """Lookups for the product, of contacts of all organizations."""
    return [
        Request(PATH + dataset.number_in_url(index), filled.key_of(index))
        for index in _chosen(filled, asked)
    ]


def bare_requests(filled: dataset.Filled) -> list[Request]:
    """The same for the bare yardstick."""
    return [
        Request(f"/lookup?number={dataset.number_in_url(index)}")
        for index in _chosen(filled, ASKED)
    ]


def _chosen(filled: dataset.Filled, asked: int) -> list[int]:
    chance = random.Random(3)
    return [chance.randrange(filled.contacts) for _ in range(asked)]


def on_postgres(lab: Lab) -> list[Row]:
    """Against the limit, under the same kind of worker and under the best one; and the twin."""
    filled = lab.on_postgres(lab.size.contacts)
    best = replace(lab.kind, worker_class=BEST_KIND)
    twin_data.prepare(filled)
    settings, url = filled.environment, filled.url
    with contextlib.ExitStack() as running:
        product = running.enter_context(servers.product(settings, lab.kind))
        limit = running.enter_context(servers.bare(url, settings, lab.kind))
        limit_at_best = running.enter_context(servers.bare(url, settings, best))
        twin = running.enter_context(servers.twin(url, lab.kind))
        sides = {
            "product": duel.Side(product, requests(filled)),
            "limit": duel.Side(limit, bare_requests(filled)),
            f"limit, {BEST_KIND}": duel.Side(limit_at_best, bare_requests(filled)),
            "twin": duel.Side(twin, requests(filled)),
        }
        turns = duel.fight(sides, lab.pace)
    fast = duel.ratio(turns, "product", "limit", duel.throughput)
    slowest = duel.ratio(turns, "product", "limit", duel.tail_latency)
    at_best = duel.ratio(turns, "product", f"limit, {BEST_KIND}", duel.throughput)
    over_twin = duel.ratio(turns, "product", "twin", duel.throughput)
    against_limit = duel.figures(turns, "product", "limit")
    against_best = duel.figures(turns, "product", f"limit, {BEST_KIND}")
    against_twin = duel.figures(turns, "product", "twin")
    size = f"{lab.size.contacts:,} contacts"
    return [
        Row(f"lookup, {size}: throughput / limit", at_least(0.85), fast, figures=against_limit),
        Row(f"lookup: throughput / limit under {BEST_KIND}", None, at_best, figures=against_best),
        Row("lookup: throughput / twin", at_least(6), over_twin, figures=against_twin),
        Row("lookup: p99 / limit's", at_most(1.5), slowest, figures=against_limit),
    ]


def on_sqlite(lab: Lab) -> list[Row]:
    """The same from a file, against one prepared query there."""
    filled = lab.on_sqlite(lab.size.contacts)
    bare_url = f"sqlite:///{dataset.bare_file(filled.url)}"
    with (
        servers.product(filled.environment, lab.kind) as product,
        servers.bare(bare_url, filled.environment, lab.kind) as limit,
    ):
        sides = {
            "product": duel.Side(product, requests(filled)),
            "limit": duel.Side(limit, bare_requests(filled)),
        }
        turns = duel.fight(sides, lab.pace)
    what = f"lookup on SQLite, {lab.kind.workers} workers: throughput / limit"
    found = duel.ratio(turns, "product", "limit", duel.throughput)
    return [Row(what, at_least(0.85), found, figures=duel.figures(turns, "product", "limit"))]
