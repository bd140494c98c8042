"""``callhelm-threecx agents``: which user answers which extension, as CSV."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from callhelm_threecx.cli.common import (
    AsJson,
    Org,
    integration_of,
    note,
    open_services,
    print_json,
)

if TYPE_CHECKING:
    from callhelm_threecx.cli.tables import Row
    from callhelm_threecx.services.agents import NewMapping

COLUMNS: Final = ("Extension", "AgentEmail", "AgentFirstName", "AgentLastName", "AgentId")
_LENGTHS: Final = dict(zip(COLUMNS, (20, 320, 320, 320, 64), strict=True))

app = typer.Typer(help="Bring agent mappings in and out as CSV.", no_args_is_help=True)


@app.command("import", epilog=f"Columns, in any order and case: {', '.join(COLUMNS)}.")
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
    """Map extensions to users, in place of what they were mapped to; others stay as they are.

    A row that cannot be kept is told with its line; the others go in together, and the exit status
    is 1.
    """
    from callhelm_threecx.cli.importing import Refused, warn_of_unknown
    from callhelm_threecx.cli.tables import read_table
    from callhelm_threecx.errors import BadInputError
    from callhelm_threecx.services.audit import AT_COMMAND_LINE

    table = read_table(file, COLUMNS, encoding=encoding)
    warn_of_unknown(table)
    refused = Refused()
    mappings: dict[str, NewMapping] = {}
    for row in table.rows():
        try:
            mapping = _mapping(row, mappings)
            mappings[mapping.extension] = mapping
        except BadInputError as ex:  # noqa: PERF203 - each row fails by itself
            refused.add(row, ex.message)
    with open_services() as services:
        organization_id = integration_of(services, org).organization_id
        if mappings:
            services.agents.put_all(organization_id, list(mappings.values()), by=AT_COMMAND_LINE)
    if rejects is not None:
        refused.write(rejects, table.header)
    if as_json:
        lines = [{"line": row.line, "reason": reason} for row, reason in refused.rows]
        print_json({"mapped": len(mappings), "refused": len(lines), "refusedRows": lines})
    else:
        typer.echo(f"{len(mappings)} mapped, {len(refused.rows)} refused.")
    raise typer.Exit(1 if refused.rows else 0)


@app.command()
def export(
    file: Annotated[Path, typer.Argument(metavar="FILE.csv", help="Where to; - is stdout.")],
    *,
    org: Org,
) -> None:
    """Write every mapping of an organization, as an import takes them."""
    import sys

    from callhelm_threecx.cli.files import writing
    from callhelm_threecx.cli.tables import write_rows

    with open_services() as services:
        mappings = services.agents.all(integration_of(services, org).organization_id)
    rows = [
        (
            row.three_cx_extension,
            row.agent_email or "",
            row.agent_first_name or "",
            row.agent_last_name or "",
            row.agent_id or "",
        )
        for row in mappings
    ]
    if str(file) == "-":
        write_rows(sys.stdout, COLUMNS, rows)
    else:
        with writing(file) as target:
            write_rows(target, COLUMNS, rows)
    note(f"{len(rows)} mappings.")


def _mapping(row: "Row", earlier: Mapping[str, "NewMapping"]) -> "NewMapping":
    """The mapping in a row. Raises `BadInputError` whose message says what is wrong with it."""
    from callhelm_threecx.cli.importing import texts_of
    from callhelm_threecx.errors import BadInputError
    from callhelm_threecx.services.agents import NewMapping

    texts = texts_of(row, _LENGTHS)
    extension = texts["Extension"]
    if not extension:
        raise BadInputError("has no Extension")
    if extension in earlier:
        raise BadInputError(f"the extension {extension} stands further up already")
    return NewMapping(
        extension=extension,
        agent_id=texts["AgentId"],
        agent_email=texts["AgentEmail"],
        agent_first_name=texts["AgentFirstName"],
        agent_last_name=texts["AgentLastName"],
    )
