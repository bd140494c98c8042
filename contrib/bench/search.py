"""Searches: the product's, with names, numbers and order, against the bare trigram query.

The yardstick is the best single statement for the same question on the same rows: the same terms,
limit and order, by the same indexes, for ids and names, read as plain tuples. It knows nothing of
phone numbers, and is told what was folded and how a number is written. On SQLite it is ``MATCH`` on
the FTS5 table, on PostgreSQL ``LIKE`` on the trigram index. Both run in this process, each on its
own connection, in alternating rounds. What counts is the ratio of their 95th percentiles over the
queries of a kind, each of which takes the median of its rounds: so it is told what a rare word or a
common one costs, and not what else the machine was doing.

The quick form takes 50,000 contacts; ``--contacts 1000000`` is the real one. ``--organizations``
spreads them.
"""

import argparse
import contextlib
import json
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import filling
import psycopg
from databases import create_database, postgres

from callhelm_threecx import migrate
from callhelm_threecx.db import Database
from callhelm_threecx.settings import database_url
from callhelm_threecx.stores import folding
from callhelm_threecx.stores.base import Contact, Organization
from callhelm_threecx.stores.sql import SqlContactStore

TARGET = 3.0
LIMIT = 20
NOT_JUDGED = frozenset({"two characters"})
BARE_SQLITE = """
    SELECT c.id, c.first_name, c.last_name, c.company, c.email
    FROM three_cx_search_words AS w
    CROSS JOIN three_cx_search_rows AS r ON r.label = w.rowid
    CROSS JOIN three_cx_contacts AS c ON c.id = r.contact_id
    WHERE w.three_cx_search_words MATCH ? AND r.organization_id = ?
    ORDER BY w.rowid DESC LIMIT ?
"""
BARE_POSTGRES = """
    SELECT id, first_name, last_name, company, email FROM three_cx_contacts
    WHERE organization_id = %s AND {likes}
    ORDER BY last_active_at DESC, id DESC LIMIT %s
"""
Ask = Callable[[str], object]


@dataclass(frozen=True)
class Options:
    """``backend`` is ``sqlite`` or ``postgres``; ``queries`` are of each kind."""

    backend: str = "sqlite"
    contacts: int = 50_000
    organizations: int = 1
    queries: int = 40
    rounds: int = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    usual = Options()
    parser.add_argument("--backend", choices=["sqlite", "postgres"], default=usual.backend)
    parser.add_argument("--contacts", type=int, default=usual.contacts, help="of all organizations")
    parser.add_argument("--organizations", type=int, default=usual.organizations)
    parser.add_argument("--queries", type=int, default=usual.queries, help="of each kind")
    parser.add_argument("--rounds", type=int, default=usual.rounds)
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    arguments = vars(parser.parse_args())
    as_json = arguments.pop("json")
    figures = measure(Options(**arguments))
    print(json.dumps(figures, indent=2) if as_json else report(figures))
    if not figures["holds"]:
        sys.exit(1)


def measure(options: Options, server: str | None = None) -> dict[str, Any]:
    """Fill a database, ask both, compare.

    ``server`` is the URL of a PostgreSQL server on which databases may be created; without one it
    is started for this. The answer has ``kinds`` (each with the percentiles of both in milliseconds
    and ``ratio``, of the 95th ones), ``ratio`` (the greatest of those that are judged), ``target``
    and ``holds``.
    """
    with new_database(options.backend, server) as url:
        fill(url, options)
        return measure_filled(url, options)


def fill(url: str, options: Options) -> None:
    """Fill an empty database with what is searched."""
    database = Database(database_url(url))
    migrate.upgrade(database)
    database.dispose()
    filling.fill(url, options.contacts, options.organizations)


def measure_filled(url: str, options: Options) -> dict[str, Any]:
    """Ask both of a database that is filled."""
    database = Database(database_url(url))
    store, organization = SqlContactStore(database), Organization("org-0", "DE")
    queries = queries_of(store, organization, options.queries)
    kinds = {}
    with bare_query(url, organization) as bare:
        for kind, texts in queries.items():

            def ask(query: str) -> object:
                return store.search(organization, query, limit=LIMIT)

            kinds[kind] = compare(texts, bare, ask, options.rounds)
    database.dispose()
    ratio = max(row["ratio"] for kind, row in kinds.items() if kind not in NOT_JUDGED)
    return {
        "options": asdict(options),
        "kinds": kinds,
        "ratio": ratio,
        "target": TARGET,
        "holds": ratio <= TARGET,
    }


def compare(texts: Sequence[str], bare: Ask, ask: Ask, rounds: int) -> dict[str, float]:
    """Percentiles in milliseconds over the queries, of each the median of its rounds; the first
    round warms up."""
    taken: dict[str, list[list[float]]] = {
        name: [[] for _ in texts] for name in ("bare", "product")
    }
    for number in range(rounds + 1):
        for place, text in enumerate(texts):
            for name, function in (("bare", bare), ("product", ask)):
                began = time.perf_counter()
                function(text)
                if number:
                    taken[name][place].append((time.perf_counter() - began) * 1000)
    figures = {}
    for name, runs in taken.items():
        times = [statistics.median(times) for times in runs]
        figures[f"{name}_p50_ms"] = round(statistics.median(times), 3)
        figures[f"{name}_p95_ms"] = round(statistics.quantiles(times, n=20)[-1], 3)
    figures["ratio"] = round(figures["product_p95_ms"] / figures["bare_p95_ms"], 2)
    return figures


def report(figures: dict[str, Any]) -> str:
    """The figures as a table."""
    options = figures["options"]
    spread = f"{options['contacts']:,} contacts in {options['organizations']:,} organizations"
    lines = [
        f"{options['backend']}: {spread}",
        "",
        "| query | bare p50 ms | bare p95 ms | product p50 ms | product p95 ms | ratio of p95 |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for kind, row in figures["kinds"].items():
        times = (row[f"{name}_{p}_ms"] for name in ("bare", "product") for p in ("p50", "p95"))
        lines.append(f"| {kind} | {' | '.join(map(str, times))} | {row['ratio']} |")
    verdict = "holds" if figures["holds"] else "DOES NOT HOLD"
    lines += ["", f"target (p95 at most {TARGET:g} times bare, 3 characters and more): {verdict}"]
    return "\n".join(lines)


def queries_of(
    store: SqlContactStore, organization: Organization, count: int
) -> dict[str, list[str]]:
    """Queries of each kind, by what contacts of the organization have."""
    found: dict[str, list[str]] = {}
    for contact in islice(filter(is_telling, store.export(organization)), count):
        for kind, query in queries_for(contact).items():
            found.setdefault(kind, []).append(query)
    return found


def is_telling(contact: Contact) -> bool:
    """Whether every kind of query can be made from a contact. (They come by id: in no order.)"""
    is_german = contact.phones[0].number.startswith("+49")
    return is_german and len(contact.last_name) > 4 and bool(contact.company)


def queries_for(contact: Contact) -> dict[str, str]:
    """What people type who look for this contact."""
    last, number = contact.last_name, contact.phones[0].number
    local = contact.email.partition("@")[0]
    return {
        "three characters": last[:3],
        "three characters, very common": "gmb",
        "part of a name": last[1:5],
        "surname": last,
        "first name": contact.first_name,
        "both names": f"{contact.first_name} {last}",
        "three common words": f"{contact.first_name} gmbh 030",
        "company": contact.company,
        "common word": "GmbH",
        "e-mail address": contact.email,
        "part of an address": local[-8:] + "@",
        "digits, national": "0" + number[3:],
        "digits, international": number[:3] + " " + number[3:6] + " " + number[6:],
        "last digits": number[-6:],
        "three digits": number[-3:],
        "nobody": last[:3] + "qz",
        "two characters": last[:2],
    }


@contextlib.contextmanager
def new_database(backend: str, server: str | None) -> Iterator[str]:
    """The URL of a new database, which is gone at the end."""
    if backend == "sqlite":
        with tempfile.TemporaryDirectory() as folder:
            yield f"sqlite:///{Path(folder) / 'search.db'}"
        return
    with contextlib.ExitStack() as running:
        yield create_database(server or running.enter_context(postgres()), "bench_search")


@contextlib.contextmanager
def bare_query(url: str, organization: Organization) -> Iterator[Ask]:
    """The yardstick, on a connection of its own."""
    if url.startswith("sqlite"):
        with contextlib.closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as sqlite:
            yield lambda query: sqlite.execute(
                BARE_SQLITE, (phrases(query), organization.id, LIMIT)
            ).fetchall()
        return
    with psycopg.connect(url, autocommit=True) as server:
        yield lambda query: server.execute(
            *bare_postgres(query, organization), prepare=False
        ).fetchall()


def phrases(query: str) -> str:
    """An FTS5 query for all terms."""
    return " AND ".join(f'"{term}"' for term in folding.search_terms(query))


def bare_postgres(query: str, organization: Organization) -> tuple[bytes, list[Any]]:
    """The statement for all terms, and its parameters."""
    terms = folding.search_terms(query)
    likes = " AND ".join("search_text LIKE %s" for _ in terms)
    values = [organization.id, *(f"%{term}%" for term in terms), LIMIT]
    return BARE_POSTGRES.format(likes=likes).encode(), values


if __name__ == "__main__":
    main()
