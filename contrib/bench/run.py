"""Measures the product against its yardsticks, each row by itself:

python contrib/bench/run.py lookup --worker-class gevent --contacts 1000000
"""

import argparse
import json
from collections.abc import Callable
from typing import Any

import duel
import journals
import lookups
import servers
from databases import create_database, postgres  # noqa: F401 - for the rows beside this file

ROWS: dict[str, Callable[[int, servers.Kind, duel.Pace], dict[str, Any]]] = {
    "lookup": lookups.on_postgres,
    "lookup-sqlite": lookups.on_sqlite,
    "journal": journals.measure,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("row", choices=sorted(ROWS))
    parser.add_argument("--contacts", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0, help="of each round")
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--threads", type=int, default=8)
    parser.add_argument("--worker-class", help="without it, as the product starts by itself")
    parser.add_argument("--parser", default="auto", choices=("auto", "fast", "python"))
    given = parser.parse_args()
    kind = servers.Kind(given.workers, given.worker_class, given.threads, given.parser)
    pace = duel.Pace(given.rounds, given.seconds, given.connections)
    print(json.dumps(ROWS[given.row](given.contacts, kind, pace), indent=2))


if __name__ == "__main__":
    main()
