"""Rows whose measuring is a program of its own: search and import."""

import imports
import search
from databases import create_database, database_of
from lab import Lab
from report import Row, at_most

from callhelm_threecx import schema_version


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
        found = search.measure_filled(_filled(lab, options), options)
        what = f"search on {name}, {size.searched:,} contacts: p95 / bare query's"
        rows.append(Row(what, at_most(3), found["ratio"], figures=found))
    return rows


def _filled(lab: Lab, options: search.Options) -> str:
    """The URL of a database with what is searched, which the lab keeps with its others."""
    name = f"search_{options.contacts}_{schema_version.HEAD}"
    is_filled = lab.folder / f"{options.backend}_{name}"
    if options.backend == "sqlite":
        file = lab.folder / f"{name}.db"
        url = f"sqlite:///{file}"
    else:
        url = database_of(lab.server, name)
    if not is_filled.exists():
        if options.backend == "sqlite":
            file.unlink(missing_ok=True)
        else:
            create_database(lab.server, name)
        search.fill(url, options)
        is_filled.touch()
    return url


def import_rows(lab: Lab) -> list[Row]:
    """A whole file, against COPY of the same rows."""
    found = imports.measure(lab.size.imported, lab.size.import_rounds)
    what = f"CSV import of {lab.size.imported:,} contacts: time / COPY's"
    return [Row(what, at_most(6), found["ratio"], figures=found)]
