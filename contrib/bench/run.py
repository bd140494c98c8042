"""Measures the product against its yardsticks and prints one table: what, target, measured,
verdict. Exit status 1 when a row does not hold.

    python contrib/bench/run.py                     every row, in full: an hour
    python contrib/bench/run.py --quick             every row, roughly: three minutes
    python contrib/bench/run.py lookup journal      some rows
    python contrib/bench/run.py --contacts 100000 --worker-class gevent lookup

A row of the quick form fails when it is beyond half of its target.
"""

import argparse
import importlib
import signal
import sys
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from types import FrameType

import servers
from databases import create_database, postgres  # noqa: F401 - for rows that start their own
from lab import FULL, QUICK, Lab, Size
from report import Report, Row, not_measured, put_into

ROWS: Mapping[str, str] = {
    "lookup": "lookups:on_postgres",
    "lookup-sqlite": "lookups:on_sqlite",
    "contacts": "growth:by_contacts",
    "organizations": "growth:by_organizations",
    "journal": "journals:rows",
    "search": "elsewhere:search_rows",
    "import": "elsewhere:import_rows",
    "template": "templates:rows",
    "memory": "memory:rows",
    "cold-start": "cold_start:rows",
}
"""Each row by name: its module and function, which are loaded when they are asked for."""


def main() -> None:
    given = _arguments()
    signal.signal(signal.SIGTERM, _end)  # as Ctrl-C does, so that every server is stopped
    kind = servers.Kind(given.workers, given.worker_class, given.threads, given.parser)
    size, slack = _size(given), 2.0 if given.quick else 1.0
    with Lab(size, kind, given.data) as lab:
        rows = [row for name in given.rows or ROWS for row in measure(name, lab, slack)]
    report = Report(rows, {"size": asdict(size), "kind": asdict(kind)}, slack)
    print(f"\n{report.text()}")
    if given.json:
        given.json.write_text(report.json() + "\n", "utf-8")
    if given.chart:
        import chart

        chart.draw(report, given.chart)
    if given.document:
        put_into(given.document, "bench", report.text())
    sys.exit(0 if report.holds else 1)


def measure(name: str, lab: Lab, slack: float) -> Sequence[Row]:
    """The rows of one name. One that cannot be measured does not keep the others from it."""
    module, function = ROWS[name].split(":")
    try:
        rows: Sequence[Row] = getattr(importlib.import_module(module), function)(lab)
    except Exception as ex:  # whatever it is, it is told, and the table does not hold
        traceback.print_exc()
        rows = [not_measured(name, str(ex).splitlines()[0] if str(ex) else type(ex).__name__)]
    for row in rows:
        print(f"{row.what}: {row.measured:.3g} ({row.verdict(slack)})", file=sys.stderr, flush=True)
    return rows


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"of {', '.join(ROWS)}")
    parser.add_argument("--quick", action="store_true", help="small and short")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    parser.add_argument("--chart", type=Path, metavar="FILE", help="draw the table there")
    parser.add_argument("--document", type=Path, metavar="FILE", help="put the table into it")
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="keep the databases there")
    parser.add_argument("--contacts", type=int)
    parser.add_argument("--organizations", type=int)
    parser.add_argument("--requests", type=int, help="of the memory's row")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--import-rounds", type=int)
    parser.add_argument("--seconds", type=float, help="of each round")
    parser.add_argument("--connections", type=int)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--threads", type=int, default=8)
    parser.add_argument("--worker-class", help="without it, as the product starts by itself")
    parser.add_argument("--parser", default="auto", choices=("auto", "fast", "python"))
    given = parser.parse_args()
    unknown = [row for row in given.rows if row not in ROWS]
    if unknown:
        parser.error(f"there is no row {unknown[0]}; there are {', '.join(ROWS)}")
    return given


def _size(given: argparse.Namespace) -> Size:
    size = QUICK if given.quick else FULL
    names = ("rounds", "seconds", "connections")
    pace = {name: getattr(given, name) for name in names if getattr(given, name)}
    named = {
        "contacts": given.contacts,
        "organizations": given.organizations,
        "mixed_requests": given.requests,
        "import_rounds": given.import_rounds,
    }
    changed = {name: value for name, value in named.items() if value}
    return replace(size, **changed, pace=replace(size.pace, **pace))


def _end(_signal: int, _frame: FrameType | None) -> None:
    sys.exit(143)


if __name__ == "__main__":
    main()
