"""``callhelm-threecx agents``: which user answers which extension, as CSV."""

from pathlib import Path
from typing import Annotated, Final

import typer

from callhelm_threecx.cli.agents_sync import sync
from callhelm_threecx.cli.common import (
    AsJson,
    Org,
    integration_of,
    note,
    open_services,
    print_json,
)

COLUMNS_HELP: Final = (
    "Columns, in any order and case: Extension, AgentEmail, AgentFirstName, AgentLastName, AgentId."
)

app = typer.Typer(
    help="Bring agent mappings in and out as CSV, or in from the CRM.", no_args_is_help=True
)
app.command()(sync)


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
    """Map extensions to users, in place of what they were mapped to; others stay as they are.

    A row that cannot be kept is told with its line; the others go in together, and the exit status
    is 1.
    """
    from callhelm_threecx.cli.importing import reading, refusing, warn_of_unknown
    from callhelm_threecx.services import agent_tables
    from callhelm_threecx.services.audit import AT_COMMAND_LINE

    with (
        reading(file, agent_tables.COLUMNS, encoding=encoding) as table,
        open_services() as services,
        refusing(table, rejects, as_json=as_json) as refused,
    ):
        warn_of_unknown(table)
        organization_id = integration_of(services, org).organization_id
        plan = agent_tables.plan(services.agents, organization_id, table)
        for row, reason in plan.refused:
            refused.add(row, reason)
        agent_tables.apply(services.agents, organization_id, plan, by=AT_COMMAND_LINE)
    if as_json:
        counts = {"mapped": plan.mapped, "refused": refused.count}
        print_json({**counts, "refusedRows": refused.lines})
    else:
        typer.echo(f"{plan.mapped} mapped, {refused.count} refused.")
    raise typer.Exit(1 if refused.count else 0)


@app.command()
def export(
    file: Annotated[Path, typer.Argument(metavar="FILE.csv", help="Where to; - is stdout.")],
    *,
    org: Org,
) -> None:
    """Write every mapping of an organization, as an import takes them."""
    import sys

    from callhelm_threecx.cli.files import writing
    from callhelm_threecx.services.agent_tables import COLUMNS, row_of
    from callhelm_threecx.services.csv_tables import write_rows

    with open_services() as services:
        mappings = services.agents.all(integration_of(services, org).organization_id)
    rows = [row_of(row) for row in mappings]
    if str(file) == "-":
        write_rows(sys.stdout, COLUMNS, rows)
    else:
        with writing(file) as target:
            write_rows(target, COLUMNS, rows)
    note(f"{len(rows)} mappings.")
