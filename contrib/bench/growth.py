"""What a lookup costs when there is much more of everything.

One worker answers. How connections fall to several decides how long each waits behind others; with
one, half of the answers' time is what a lookup costs.
"""

from dataclasses import replace

import duel
import lookups
import servers
import wrk
from lab import Lab
from report import Row, at_most

MEETINGS = 6
"""Lookups of each key before it is measured: then the worker knows all but a few."""


def by_contacts(lab: Lab) -> list[Row]:
    """The same organization with few contacts and with many."""
    few, many = lab.size.few_contacts, lab.size.contacts
    what = f"lookup, one worker: p50 at {many:,} contacts / at {few:,}"
    return [_compare(lab, what, (many, 1), (few, 1), 1.15)]


def by_organizations(lab: Lab) -> list[Row]:
    """The same contacts in few organizations and in many; every PBX is as likely to ask. The worker
    has met nearly every key before, as after some minutes of a day."""
    few, many = lab.size.few_organizations, lab.size.organizations
    contacts = lab.size.contacts
    what = f"lookup, one worker: p50 at {many:,} organizations / at {few:,}"
    return [_compare(lab, what, (contacts, many), (contacts, few), 1.1)]


def _meet(side: duel.Side, lab: Lab, asked: int) -> None:
    """Ask a server so often."""
    wrk.first_answer(side.server.port, side.requests[0])
    seed = 1_000
    while asked > 0:
        seed += 1
        pace = lab.pace
        found = wrk.run(
            *(side.server.port, side.requests),
            connections=pace.connections,
            seconds=pace.seconds,
            seed=seed,
        )
        asked -= found.requests


def _compare(
    lab: Lab, what: str, many: tuple[int, int], few: tuple[int, int], target: float
) -> Row:
    large, small = lab.on_postgres(*many), lab.on_postgres(*few)
    asked = max(lookups.ASKED, 4 * many[1])
    kind = replace(lab.kind, workers=1)
    with (
        servers.product(large.environment, kind) as with_many,
        servers.product(small.environment, kind) as with_few,
    ):
        sides = {
            "many": duel.Side(with_many, lookups.requests(large, asked)),
            "few": duel.Side(with_few, lookups.requests(small, asked)),
        }
        _meet(sides["many"], lab, MEETINGS * many[1])
        turns = duel.fight(sides, lab.pace)
    found = duel.ratio(turns, "many", "few", duel.median_latency)
    return Row(what, at_most(target), found, figures=duel.figures(turns, "many", "few"))
