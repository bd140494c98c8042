"""``callhelm-threecx events purge`` and ``events retention``: how long events are kept."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from callhelm_threecx.cli.common import (
    AsJson,
    checked_organization,
    open_services,
    print_json,
    print_table,
    stopped_by_signals,
    usage,
)

if TYPE_CHECKING:
    from callhelm_threecx.app import Services
    from callhelm_threecx.retention import Retention
    from callhelm_threecx.services.purge_orders import PurgeOrder, PurgeReport

_UNITS: Final = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
OneOrg = Annotated[
    str | None, typer.Option("--org", metavar="ORG", help="Only this organization's.")
]


def register(app: typer.Typer) -> None:
    """Add the commands to the group ``events``."""
    app.command(
        epilog="Example, once a day: `callhelm-threecx events purge`. What would go: "
        "`callhelm-threecx events purge --dry-run`."
    )(purge)
    app.command(
        epilog="Examples: `callhelm-threecx events retention --org acme --keep 90d`, "
        "`callhelm-threecx events retention --org acme --type lookup --keep 30d`."
    )(retention)


def purge(
    *,
    older_than: Annotated[
        str | None,
        typer.Option(
            metavar="AGE",
            help="Everything of that age, whatever retentions say: such as 90d; m, h, d and w are "
            "known.",
        ),
    ] = None,
    org: OneOrg = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would go; delete nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Delete the events that have lived their time, in short transactions. Calls, chats, contacts
    and the daily totals stay.

    How long that is says `THREECX_EVENT_RETENTION`, or an organization's own retention.
    """
    age = _age(older_than) if older_than is not None else None
    organization_id = checked_organization(org) if org else None
    with open_services() as services:
        order = _order(services, age, organization_id)
        if dry_run:
            report, is_stopped = services.purge.forecast(order), False
        else:
            with stopped_by_signals() as stop:
                report = services.purge.run(order, stop)
            is_stopped = stop.is_set()
    if as_json:
        print_json({"dryRun": dry_run, "stopped": is_stopped, **_as_json(report)})
    else:
        for line in _lines(report, dry_run=dry_run):
            typer.echo(line)
        if is_stopped:
            typer.echo("It was stopped; run it again for the rest.", err=True)
    raise typer.Exit(1 if is_stopped else 0)


def _order(
    services: "Services", age: timedelta | None, organization_id: str | None
) -> "PurgeOrder":
    from callhelm_threecx.services.purge_orders import PurgeOrder

    if age is not None:
        return PurgeOrder.older_than(age, organization_id)
    rules = services.retention
    if organization_id is not None:
        return PurgeOrder(None, {organization_id: rules.of(organization_id)})
    return PurgeOrder(rules.server, rules.own())


def _as_json(report: "PurgeReport") -> dict[str, Any]:
    return {
        "purged": report.total,
        "events": [
            {
                "organizationId": one.organization_id,
                "type": one.event_type,
                "before": one.before.isoformat(),
                "count": one.count,
            }
            for one in report.purged
        ],
        "months": report.months,
    }


def _lines(report: "PurgeReport", *, dry_run: bool) -> Iterator[str]:
    are = "would be" if dry_run else "are"
    yield f"{report.total} events {are} deleted{':' if report.total else '.'}"
    for month, count in report.months.items():
        yield f"  {count} of {month}, the whole month at once"
    for one in report.purged:
        whose = f" of {one.organization_id}" if one.organization_id else ""
        yield f"  {one.count} {one.event_type}{whose} from before {one.before:%Y-%m-%d %H:%M} UTC"


def retention(
    *,
    org: Annotated[
        str | None, typer.Option("--org", metavar="ORG", help="This organization's.")
    ] = None,
    kind: Annotated[
        str | None, typer.Option("--type", help="Only events of this type, such as lookup.")
    ] = None,
    keep: Annotated[
        str | None,
        typer.Option(
            metavar="AGE",
            help="Set it: such as 90d, 12w, or `forever`; `server` goes by the server's setting "
            "again.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show how long events are kept before a purge deletes them, or set it for an organization."""
    from callhelm_threecx.services.audit import AT_COMMAND_LINE

    if keep is not None and org is None:
        usage("--keep needs --org; for all others it is set by THREECX_EVENT_RETENTION.")
    if keep is None and kind is not None:
        usage("--type needs --keep.")
    organization_id = checked_organization(org) if org else None
    with open_services() as services:
        rules = services.retention
        if organization_id is None:
            shown = {"": rules.server, **rules.own()}
        elif keep is None:
            shown = {organization_id: rules.of(organization_id)}
        else:
            changed = rules.change(organization_id, {kind or "": keep}, by=AT_COMMAND_LINE)
            shown = {organization_id: changed}
    if as_json:
        print_json([_shown(one, kept) for one, kept in shown.items()])
    else:
        rows = ((one or "(all others)", str(kept)) for one, kept in shown.items())
        print_table(("ORG", "KEPT"), rows)


def _shown(organization_id: str, kept: "Retention") -> dict[str, Any]:
    from callhelm_threecx.retention import age_text

    types = {name: age_text(age) for name, age in kept.types}
    return {
        "organizationId": organization_id or None,
        "everyType": age_text(kept.rest),
        "types": types,
    }


def _age(text: str) -> timedelta:
    found = re.fullmatch(r"(\d{1,6})([mhdw])", text.strip().lower(), re.ASCII)
    if found is None:
        usage(f"--older-than: {text!r} is no age such as 90d, 12h or 4w.")
    age = timedelta(**{_UNITS[found[2]]: int(found[1])})
    if age > timedelta(days=365_000):
        usage(f"--older-than: {text!r} is before all time.")
    return age
