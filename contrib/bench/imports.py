"""Imports: ``callhelm-threecx contacts import`` of a CSV file, against PostgreSQL's COPY.

The yardstick takes the very rows of contacts and phones that the import ends with and copies them
into the same tables of another database of the same server. Both databases begin empty and have
all indexes in place, the trigram index of the search among them: what it costs to keep them, both
pay. So does the disk: the server syncs what is committed. The copy is one transaction; the import
reads every number, reports refused rows, and commits batch by batch, so that it can be interrupted.

Rounds alternate, behind a checkpoint each; what counts is the median of their ratios, of wall time
and of CPU time (the client's and the server's together). The import's memory is the highest
resident set of its processes, of each added up (``VmHWM``).

The quick form takes 100,000 contacts; ``--contacts 1000000`` is the real one. ``--sqlite`` takes
the product's default database instead, where no yardstick is stated, for its rows a second.
"""

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import people_csv
import psycopg
from databases import create_database, postgres
from sqlalchemy.engine import make_url

from callhelm_threecx import keys, migrate
from callhelm_threecx.app import build_services
from callhelm_threecx.settings import Settings

TARGET = 6.0
REGION = "DE"
ORGANIZATION = "bench"
TABLES = ("three_cx_contacts", "three_cx_contact_phones")
_PIECE = 1 << 20
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Cost:
    """What one run took: seconds on the clock, CPU seconds of client and server, and the highest
    resident set of the client's processes in MiB."""

    wall_s: float
    client_s: float
    server_s: float
    peak_mib: float = 0.0

    @property
    def cpu_s(self) -> float:
        return self.client_s + self.server_s


@dataclass(frozen=True)
class Table:
    """A file ``people.csv`` in a folder: how many rows, how many of them are refused; and the
    secret of the databases into which it goes."""

    folder: Path
    contacts: int
    refused: int
    secret: str

    @classmethod
    def write(cls, folder: Path, contacts: int) -> "Table":
        """Make up the file."""
        refused = people_csv.write(folder / "people.csv", contacts)
        return cls(folder, contacts, refused, keys.generate_secret_key())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("--contacts", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sqlite", action="store_true", help="the product alone, on SQLite")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    arguments = parser.parse_args()
    if arguments.sqlite:
        figures = measure_sqlite(arguments.contacts)
    else:
        figures = measure(arguments.contacts, arguments.rounds)
    print(json.dumps(figures, indent=2) if arguments.json else report(figures))
    if not figures.get("holds", True):
        sys.exit(1)


def measure(contacts: int = 100_000, rounds: int = 3) -> dict[str, object]:
    """The median ratio of so many rounds, and the plain figures of each."""
    with tempfile.TemporaryDirectory() as name, postgres() as server:
        table = Table.write(Path(name), contacts)
        empty = create_database(server, "bench_empty")
        _prepare(empty, table.secret)
        pairs = []
        for _ in range(rounds):
            product = _import(server, empty, table)
            pairs.append({"import": product, "copy": _copy(server, empty, table.folder)})
    return _summary(contacts, pairs)


def measure_sqlite(contacts: int = 100_000) -> dict[str, object]:
    """Rows a second of the product alone on SQLite."""
    with tempfile.TemporaryDirectory() as name:
        table, url = Table.write(Path(name), contacts), f"sqlite:///{name}/bench.db"
        _prepare(url, table.secret)
        cost = _run_import(url, table)
    return {"contacts": contacts, "per_second": round(contacts / cost.wall_s), **asdict(cost)}


def report(figures: dict[str, object]) -> str:
    """The figures as text."""
    return "\n".join(f"{name}: {value}" for name, value in figures.items())


def _summary(contacts: int, pairs: list[dict[str, Cost]]) -> dict[str, object]:
    ratios = [pair["import"].wall_s / pair["copy"].wall_s for pair in pairs]
    ratio = statistics.median(ratios)
    return {
        "contacts": contacts,
        "ratio": round(ratio, 2),
        "target": TARGET,
        "holds": ratio <= TARGET,
        "ratios": [round(each, 2) for each in ratios],
        "cpu_ratio": round(
            statistics.median(pair["import"].cpu_s / pair["copy"].cpu_s for pair in pairs), 2
        ),
        "peak_mib": max(pair["import"].peak_mib for pair in pairs),
        "per_second": round(contacts / statistics.median(pair["import"].wall_s for pair in pairs)),
        "rounds": [
            {name: {k: round(v, 2) for k, v in asdict(cost).items()} for name, cost in pair.items()}
            for pair in pairs
        ],
    }


def _prepare(url: str, secret: str) -> None:
    services = build_services(_settings(url, secret))
    migrate.upgrade(services.database)
    services.integrations.set_up(ORGANIZATION)
    services.close()


def _settings(url: str, secret: str) -> Settings:
    return Settings.load(database_url=url, secret_keys=secret, default_region=REGION)


def _import(server: str, empty: str, table: Table) -> Cost:
    """Import into a new database; what it ends with is kept for the copy."""
    url = _fresh(server, empty, "bench_import")
    with psycopg.connect(url, autocommit=True) as connection, _server_time(connection) as spent:
        cost = _run_import(url, table)
    with psycopg.connect(url) as connection:
        for name in TABLES:
            _keep(connection, name, table.folder / name)
    return Cost(cost.wall_s, cost.client_s, spent[0], cost.peak_mib)


def _run_import(url: str, table: Table) -> Cost:
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("THREECX_")},
        "THREECX_DATABASE_URL": url,
        "THREECX_SECRET_KEYS": table.secret,
        "THREECX_DEFAULT_REGION": REGION,
    }
    command = [sys.executable, "-m", "callhelm_threecx", "contacts", "import", "--json"]
    command += [str(table.folder / "people.csv"), "--org", ORGANIZATION]
    before, start = os.times(), time.perf_counter()
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        with _watched(process.pid) as peaks:
            output, _ = process.communicate()
        wall, after = time.perf_counter() - start, os.times()
    told = json.loads(output)
    assert told["refused"] == len(told["refusedRows"]) == table.refused, told["refused"]
    assert sum(told[k] for k in ("created", "updated", "unchanged", "refused")) == table.contacts
    client = after.children_user + after.children_system
    client -= before.children_user + before.children_system
    return Cost(wall, client, 0.0, round(sum(peaks.values()) / 1024, 1))


def _copy(server: str, empty: str, folder: Path) -> Cost:
    """Copy the rows of the import before into a new database."""
    url = _fresh(server, empty, "bench_copy")
    with psycopg.connect(url, autocommit=True) as connection, _server_time(connection) as spent:
        before, start = time.process_time(), time.perf_counter()
        with psycopg.connect(url) as copying, copying.cursor() as cursor:
            for table in TABLES:
                statement = f"COPY {table} FROM STDIN (FORMAT binary)".encode()
                with cursor.copy(statement) as copy, (folder / table).open("rb") as file:
                    while piece := file.read(_PIECE):
                        copy.write(piece)
        wall, client = time.perf_counter() - start, time.process_time() - before
    return Cost(wall, client, spent[0])


def _keep(connection: psycopg.Connection, table: str, path: Path) -> None:
    with (
        path.open("wb") as file,
        connection.cursor() as cursor,
        cursor.copy(f"COPY {table} TO STDOUT (FORMAT binary)".encode()) as copy,
    ):
        for piece in copy:
            file.write(piece)


def _fresh(server: str, empty: str, name: str) -> str:
    """A new database as the empty one, and nothing left to write of what was before."""
    template = make_url(empty).database
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name}".encode())
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}".encode())
        connection.execute("CHECKPOINT")
    url = make_url(server).set(drivername="postgresql", database=name)
    return url.render_as_string(hide_password=False)


@contextlib.contextmanager
def _watched(pid: int) -> Iterator[dict[int, int]]:
    """The highest resident set of a process and of those that it starts, in KiB, by their ids."""
    peaks: dict[int, int] = {}
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(0.05):
            for each in _tree(pid):
                with contextlib.suppress(OSError, StopIteration):
                    lines = Path(f"/proc/{each}/status").read_text().splitlines()
                    line = next(line for line in lines if line.startswith("VmHWM"))
                    peaks[each] = int(line.split()[1])

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield peaks
    finally:
        ended.set()
        thread.join()


@contextlib.contextmanager
def _server_time(connection: psycopg.Connection) -> Iterator[list[float]]:
    """The CPU seconds of the server's processes while the block lasts; 0 for a server elsewhere."""
    row = connection.execute("SELECT pg_read_file('postmaster.pid')").fetchone()
    assert row
    pid = int(row[0].split()[0])
    before, spent = _cpu_seconds(pid), [0.0]
    yield spent
    spent[0] = _cpu_seconds(pid) - before


def _cpu_seconds(pid: int) -> float:
    total = 0
    for each in _tree(pid):
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
            total += sum(map(int, fields[11:15] if each == pid else fields[11:13]))
    return total / _TICKS


def _tree(pid: int) -> list[int]:
    """A process and those below it."""
    found = [pid]
    for each in found:
        with contextlib.suppress(OSError):
            for task in Path(f"/proc/{each}/task").iterdir():
                found += map(int, (task / "children").read_text().split())
    return found


if __name__ == "__main__":
    main()
