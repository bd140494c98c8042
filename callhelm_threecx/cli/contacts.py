"""``callhelm-threecx contacts``: the store's contacts as CSV."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from callhelm_threecx.cli.common import (
    AsJson,
    Org,
    integration_of,
    note,
    open_services,
    print_json,
    stopped_by_signals,
)

if TYPE_CHECKING:
    from callhelm_threecx.app import Services
    from callhelm_threecx.cli.importing import Refused
    from callhelm_threecx.services.csv_tables import Row, Table
    from callhelm_threecx.stores.base import (
        BulkContacts,
        ImportReport,
        NewContact,
        Organization,
    )

COLUMNS_HELP = (
    "Columns, in any order and case: FirstName, LastName, Company, Email, PhoneBusiness, "
    "PhoneBusiness2, PhoneMobile, PhoneMobile2, PhoneHome, PhoneOther, FaxBusiness, ExternalId."
)

INTERRUPTED = 130
"""The exit status of what SIGINT ended, as shells have it."""

app = typer.Typer(help="Bring contacts in and out as CSV.", no_args_is_help=True)


@app.command("import", epilog=COLUMNS_HELP)
def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE.csv", help="The table; - is stdin.")],
    *,
    org: Org,
    rejects: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the refused rows here.")
    ] = None,
    encoding: Annotated[
        str, typer.Option(help="Of a file that is neither UTF-8 nor marked UTF-16.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Bring contacts in; run it again, and only what changed is changed.

    A contact that is there is known by its ExternalId, else by the same number and name. Rows go
    in by 500 (of a large file by up to 2,000), each batch whole: an import that was interrupted is
    simply run again. A row that cannot be kept is told with its line; the others go in, and the
    exit status is 1.
    """
    from callhelm_threecx.cli.importing import reading, refusing, warn_of_unknown
    from callhelm_threecx.services.contact_tables import COLUMNS

    with (
        reading(file, COLUMNS, encoding=encoding) as table,
        open_services() as services,
        refusing(table, rejects, as_json=as_json) as refused,
    ):
        warn_of_unknown(table)
        organization = integration_of(services, org).organization
        report = _import(_bulk(services), organization, table, refused)
    counts = {
        "created": report.created,
        "updated": report.updated,
        "unchanged": report.unchanged,
        "refused": refused.count,
    }
    if as_json:
        print_json({**counts, "refusedRows": refused.lines})
    else:
        typer.echo(", ".join(f"{number} {name}" for name, number in counts.items()) + ".")
    raise typer.Exit(1 if refused.count else 0)


@app.command(
    epilog="A cell that begins with = + - or @ gets an apostrophe in front, so that no spreadsheet "
    "runs it; an import takes it off again. Phone numbers stay as they are."
)
def export(
    file: Annotated[Path, typer.Argument(metavar="FILE.csv", help="Where to; - is stdout.")],
    *,
    org: Org,
    bom: Annotated[
        bool, typer.Option("--bom", help="Begin with the mark by which Excel knows UTF-8.")
    ] = False,
) -> None:
    """Write every contact of an organization, as an import takes them.

    The file appears whole or not at all, readable by you only.
    """
    import sys

    from callhelm_threecx.cli.files import writing
    from callhelm_threecx.services.contact_tables import COLUMNS
    from callhelm_threecx.services.csv_tables import write_rows

    with open_services() as services:
        organization = integration_of(services, org).organization
        lost: list[int] = []
        rows = _rows(_bulk(services), organization, lost)
        if str(file) == "-":
            sys.stdout.write("\ufeff" if bom else "")
            count = write_rows(sys.stdout, COLUMNS, rows)
        else:
            with writing(file, "utf-8-sig" if bom else "utf-8") as target:
                count = write_rows(target, COLUMNS, rows)
    note(f"{count} contacts.")
    if lost:
        note(f"{sum(lost)} numbers of {len(lost)} contacts have no column and were left out.")


def _import(
    store: "BulkContacts", organization: "Organization", table: "Table", refused: "Refused"
) -> "ImportReport":
    from callhelm_threecx.cli.importing import progress
    from callhelm_threecx.stores.base import ImportReport

    total, done = ImportReport(), 0
    with progress(table, "Contacts") as advance, stopped_by_signals() as stop:
        for rows, contacts, seen in _batches(table, refused):
            report = store.import_batch(organization, contacts)
            total.created += report.created
            total.updated += report.updated
            total.unchanged += report.unchanged
            for index, reason in report.refused:
                refused.add(rows[index], reason)
            advance(seen)
            done += seen
            if stop.is_set() and done < table.length:
                note(f"Interrupted behind {done} of {table.length} rows; run it again to go on.")
                raise typer.Exit(INTERRUPTED)
    return total


def _batches(
    table: "Table", refused: "Refused"
) -> Iterator[tuple[Sequence["Row"], Sequence["NewContact"], int]]:
    """(rows, their contacts, how many rows were looked at), in batches."""
    from callhelm_threecx.cli.importing import batch_size
    from callhelm_threecx.errors import BadInputError
    from callhelm_threecx.services.contact_tables import contact_of

    rows: list[Row] = []
    contacts: list[NewContact] = []
    seen, most = 0, batch_size(table.length)
    for row in table.rows():
        seen += 1
        try:
            contacts.append(contact_of(row))
            rows.append(row)
        except BadInputError as ex:
            refused.add(row, ex.message)
        if seen == most:
            yield rows, contacts, seen
            rows, contacts, seen = [], [], 0
    if seen:
        yield rows, contacts, seen


def _rows(
    store: "BulkContacts", organization: "Organization", lost: list[int]
) -> Iterator[Sequence[str]]:
    from callhelm_threecx.services.contact_tables import left_out, row_of

    for contact in store.export(organization):
        missing = left_out(contact)
        if missing:
            lost.append(missing)
        yield row_of(contact)


def _bulk(services: "Services") -> "BulkContacts":
    """The store, when it takes and gives contacts in bulk. Raises `SettingsError` when not."""
    from callhelm_threecx.errors import SettingsError
    from callhelm_threecx.stores.base import BulkContacts

    if isinstance(services.store, BulkContacts):
        return services.store
    raise SettingsError(
        f"THREECX_CONTACT_STORE: the store {services.settings.contact_store} takes and gives no "
        "contacts in bulk; use the tools of what is behind it."
    )
