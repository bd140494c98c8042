"""Rows whose measuring is a program of its own: search and import."""

import imports
import search
from lab import Lab
from report import Row, at_most


def search_rows(lab: Lab) -> list[Row]:
    """Of all kinds of query the one that is furthest from the bare one, on both databases."""
    rows = []
    for backend, name in (("postgres", "PostgreSQL"), ("sqlite", "SQLite")):
        size = lab.size
        options = search.Options(
            backend=backend,
            contacts=size.searched,
            organizations=1,
            queries=size.searches,
            rounds=size.search_rounds,
        )
        found = search.measure(options, lab.server if backend == "postgres" else None)
        what = f"search on {name}, {size.searched:,} contacts: p95 / bare query's"
        rows.append(Row(what, at_most(3), found["ratio"], figures=found))
    return rows


def import_rows(lab: Lab) -> list[Row]:
    """A whole file, against COPY of the same rows."""
    found = imports.measure(lab.size.imported, lab.size.import_rounds)
    what = f"CSV import of {lab.size.imported:,} contacts: time / COPY's"
    return [Row(what, at_most(6), found["ratio"], figures=found)]
