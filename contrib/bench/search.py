"""Searches: the product's, with names, numbers and order, against the bare trigram query.

The yardstick is one query on the same rows for ids and names, without numbers, read as plain
tuples: on SQLite ``MATCH`` on the FTS5 table (it knows nothing of organizations), on PostgreSQL
``LIKE`` on the trigram index, both in the order of activity. Both run in this process, each on its
own connection, in alternating rounds; what counts is the ratio of their 95th percentiles. (The
contacts have no numbers of their own here; their digits are in the text.)

The quick form takes 50,000 contacts; ``--contacts 1000000`` is the real one. ``--organizations``
spreads them.
"""

import argparse
import contextlib
import json
import random
import sqlite3
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from itertools import accumulate
from pathlib import Path
from typing import Any

import psycopg
from run import create_database, postgres

from callhelm_threecx import migrate
from callhelm_threecx.db import Database
from callhelm_threecx.migrations import search_index
from callhelm_threecx.settings import database_url
from callhelm_threecx.stores.base import Organization
from callhelm_threecx.stores.sql import SqlContactStore

TARGET = 3.0
LIMIT = 20
SYLLABLES = ("ba", "ber", "da", "fo", "ge", "hof", "ka", "li", "ma", "no", "pa", "ri", "son", "ta")
COLUMNS = (
    *("organization_id", "id", "first_name", "last_name", "company", "email", "email_folded"),
    *("search_text", "source", "last_active_at", "created_at", "updated_at"),
)
BARE_SQLITE = """
    SELECT c.id, c.first_name, c.last_name, c.company, c.email
    FROM three_cx_search_words AS w
    CROSS JOIN three_cx_search_rows AS r ON r.label = w.rowid
    CROSS JOIN three_cx_contacts AS c ON c.id = r.contact_id
    WHERE w.three_cx_search_words MATCH ? ORDER BY w.rowid DESC LIMIT ?
"""
BARE_POSTGRES = """
    SELECT id, first_name, last_name, company, email FROM three_cx_contacts
    WHERE organization_id = %s AND search_text LIKE %s
    ORDER BY last_active_at DESC, id DESC LIMIT %s
"""
Bare = Callable[[str], object]


@dataclass(frozen=True)
class Options:
    backend: str
    contacts: int
    organizations: int
    queries: int
    rounds: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backend", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--contacts", type=int, default=50_000, help="in all organizations")
    parser.add_argument("--organizations", type=int, default=1)
    parser.add_argument("--queries", type=int, default=40, help="of each kind")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    arguments = vars(parser.parse_args())
    as_json = arguments.pop("json")
    figures = measure(Options(**arguments))
    print(json.dumps(figures, indent=2) if as_json else report(figures))
    if not figures["holds"]:
        sys.exit(1)


def measure(options: Options) -> dict[str, Any]:
    """Fill a database, ask both, compare."""
    with databases(options.backend) as url:
        database = Database(database_url(url))
        migrate.upgrade(database)
        fill = fill_sqlite if options.backend == "sqlite" else fill_postgres
        began = time.perf_counter()
        fill(url, contacts(options))
        filled_s = time.perf_counter() - began
        store, organization = SqlContactStore(database), Organization("org-0", "DE")
        queries = queries_of(options)
        with bare_query(url, organization) as bare:
            kinds = {
                kind: compare(texts, bare, lambda q: store.search(organization, q), options.rounds)
                for kind, texts in queries.items()
            }
        database.dispose()
    judged = [row["ratio"] for kind, row in kinds.items() if kind != "two characters"]
    return {
        "options": vars(options),
        "filled_s": round(filled_s, 1),
        "kinds": kinds,
        "target": TARGET,
        "holds": max(judged) <= TARGET,
    }


def compare(texts: Sequence[str], bare: Bare, ask: Bare, rounds: int) -> dict[str, float]:
    """Percentiles in milliseconds of all runs but those of the first round, which warms up."""
    taken: dict[str, list[float]] = {"bare": [], "product": []}
    for number in range(rounds + 1):
        for text in texts:
            for name, function in (("bare", bare), ("product", ask)):
                began = time.perf_counter()
                function(text)
                if number:
                    taken[name].append((time.perf_counter() - began) * 1000)
    figures = {}
    for name, times in taken.items():
        figures[f"{name}_p50_ms"] = round(statistics.median(times), 3)
        figures[f"{name}_p95_ms"] = round(statistics.quantiles(times, n=20)[-1], 3)
    figures["ratio"] = round(figures["product_p95_ms"] / figures["bare_p95_ms"], 2)
    return figures


def report(figures: dict[str, Any]) -> str:
    """The figures as a table."""
    options = figures["options"]
    spread = f"{options['contacts']:,} contacts in {options['organizations']:,} organizations"
    lines = [
        f"{options['backend']}: {spread}, filled in {figures['filled_s']} s",
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


def people(options: Options) -> Iterator[tuple[int, str, str, str]]:
    """Number, first name, last name and company of each contact; few words are common."""
    chance = random.Random(options.contacts)
    words = ["".join(chance.choices(SYLLABLES, k=chance.choice((2, 3, 4)))) for _ in range(20_000)]
    weights = list(accumulate(1 / (rank + 3) for rank in range(len(words))))
    for index in range(options.contacts):
        yield (index, *chance.choices(words, cum_weights=weights, k=3))


def contacts(options: Options) -> Iterator[tuple[Any, ...]]:
    """Rows of `COLUMNS`; the organizations take turns."""
    at = datetime(2020, 1, 1, tzinfo=timezone.utc)
    for index, first, last, company in people(options):
        email, number = f"{first}.{last}{index}@{company}.com", 20_000_000 + index
        found = f"{first} {last} {company} gmbh {email} 4930{number} 030{number} 30{number}"
        at += timedelta(seconds=1, microseconds=index % 1000)
        owner = (f"org-{index % options.organizations}", uuid.UUID(int=index * 2_654_435_761))
        yield (*owner, first, last, f"{company} GmbH", email, email, found, "bench", at, at, at)


def queries_of(options: Options) -> dict[str, list[str]]:
    """Queries of each kind, by what contacts of the first organization have."""
    chance = random.Random(3)
    ours = [person for person in people(options) if person[0] % options.organizations == 0]
    found: dict[str, list[str]] = {}
    for index, first, last, company in chance.choices(ours, k=options.queries):
        for kind, query in (
            ("three characters", last[:3]),
            ("part of a name", last[1:5]),
            ("name", last),
            ("company", company),
            ("common word", "gmbh"),
            ("e-mail", f"{first}.{last}{index}@{company}.com"),
            ("digits", str(20_000_000 + index)[2:]),
            ("nobody", f"{last[:3]}qz"),
            ("two characters", last[:2]),
        ):
            found.setdefault(kind, []).append(query)
    return found


@contextlib.contextmanager
def databases(backend: str) -> Iterator[str]:
    """The URL of a new database."""
    with contextlib.ExitStack() as running:
        if backend == "postgres":
            yield create_database(running.enter_context(postgres()), "bench_search")
        else:
            folder = running.enter_context(tempfile.TemporaryDirectory())
            yield f"sqlite:///{Path(folder) / 'search.db'}"


@contextlib.contextmanager
def bare_query(url: str, organization: Organization) -> Iterator[Bare]:
    """The yardstick, on a connection of its own."""
    if url.startswith("sqlite"):
        with contextlib.closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as sqlite:
            yield lambda text: sqlite.execute(BARE_SQLITE, (f'"{text}"', LIMIT)).fetchall()
        return
    with psycopg.connect(url, autocommit=True) as server:
        yield lambda text: server.execute(
            BARE_POSTGRES, (organization.id, f"%{text}%", LIMIT), prepare=False
        ).fetchall()


def fill_sqlite(url: str, rows: Iterator[tuple[Any, ...]]) -> None:
    """Contacts first and the index over them, as the migration does with an old database."""
    path = url.removeprefix("sqlite:///")
    statement = (
        f"INSERT INTO three_cx_contacts ({', '.join(COLUMNS)})"
        f" VALUES ({', '.join('?' * len(COLUMNS))})"
    )
    database = Database(database_url(url))
    with database.engine.begin() as connection:
        search_index.drop(connection)
    with contextlib.closing(sqlite3.connect(path)) as sqlite, sqlite:
        sqlite.executemany(statement, ([_plain(value) for value in row] for row in rows))
    with database.engine.begin() as connection:
        search_index.create(connection)
    database.dispose()


def _plain(value: Any) -> Any:
    """A value as the product writes it into SQLite."""
    if isinstance(value, uuid.UUID):
        return value.hex
    return f"{value:%Y-%m-%d %H:%M:%S.%f}" if isinstance(value, datetime) else value


def fill_postgres(url: str, rows: Iterator[tuple[Any, ...]]) -> None:
    """Through COPY, then the statistics that the server would gather by itself."""
    with (
        psycopg.connect(url) as server,
        server.cursor() as cursor,
        cursor.copy(f"COPY three_cx_contacts ({', '.join(COLUMNS)}) FROM STDIN".encode()) as copy,
    ):
        for row in rows:
            copy.write_row(row)
    with psycopg.connect(url, autocommit=True) as server:
        server.execute("VACUUM ANALYZE")


if __name__ == "__main__":
    main()
