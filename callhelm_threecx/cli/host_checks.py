"""What ``doctor`` asks about the tables of a Call-Helm host."""

from collections.abc import Iterator

from callhelm_threecx.cli.checks import Finding, Verdict
from callhelm_threecx.db import Database
from callhelm_threecx.stores.callhelm import CallHelmStore
from callhelm_threecx.stores.callhelm.prepare import Preparation, survey


def findings(store: CallHelmStore, database: Database) -> Iterator[Finding]:
    """Whether our role sees the host's rows, and finds them quickly."""
    closed = store.schema.row_security()
    if closed:
        message = f"row-level security hides rows of {', '.join(closed)} from our role."
        todo = "Let the role bypass it (ALTER ROLE … BYPASSRLS), or give it policies of its own."
        yield Finding("host tables", Verdict.FAIL, message, todo)
    else:
        yield Finding("host tables", Verdict.OK, "every table and column that is needed is there.")
    preparation = survey(database, store.schema)
    if not preparation.lacking:
        yield Finding("host indexes", Verdict.OK, "callers and names are found by index.")
        return
    todo = "See callhelm-threecx callhelm prepare; with --apply it builds what is lacking."
    yield Finding("host indexes", Verdict.WARN, _cost(preparation), todo)


def _cost(preparation: Preparation) -> str:
    names = ", ".join(index.name for index in preparation.lacking)
    rows = "" if preparation.contacts is None else f", of {preparation.contacts:,} in the table"
    return (
        f"questions that they are for read every contact of the organization{rows}; "
        f"lacking: {names}."
    )
