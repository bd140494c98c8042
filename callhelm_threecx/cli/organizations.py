"""``callhelm-threecx org``: organizations and their keys."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from callhelm_threecx.cli.common import (
    AsJson,
    OrgArgument,
    checked_organization,
    fail,
    integration_of,
    note,
    open_services,
    print_json,
    print_table,
)

if TYPE_CHECKING:
    from callhelm_threecx.app import Services
    from callhelm_threecx.services.integrations import Integration

app = typer.Typer(help="Organizations and their keys.", no_args_is_help=True)


@app.command(epilog="Example: `callhelm-threecx org create acme --name 'Acme Ltd' --region GB`")
def create(
    organization: OrgArgument,
    *,
    name: Annotated[str, typer.Option(help="What people call it.")] = "",
    region: Annotated[
        str, typer.Option(help="Where its national numbers are read, such as US or DE.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Make an organization and print its key, which is shown here and in its template only."""
    from callhelm_threecx.services.audit import AT_COMMAND_LINE
    from callhelm_threecx.services.integrations import Change

    organization_id = checked_organization(organization)
    region = _checked_region(region)
    with open_services() as services:
        if services.integrations.get(organization_id) is not None:
            fail(f"{organization_id} is there already; `org rotate-key` gives it a new key.")
        integration, api_key = services.integrations.set_up(
            organization_id, organization_name=name or None, by=AT_COMMAND_LINE
        )
        if region:
            change = Change(default_region=region)
            integration = services.integrations.change(organization_id, change, by=AT_COMMAND_LINE)
        _show_key(services, integration, api_key, as_json=as_json)


@app.command("list")
def list_(*, as_json: AsJson = False) -> None:
    """List the organizations, with what may be shown of their keys."""
    with open_services() as services:
        integrations = services.integrations.all()
    if as_json:
        print_json([_state(integration) for integration in integrations])
        return
    columns = ("ORG", "NAME", "STATE", "REGION", "KEY", "KEY SINCE")
    print_table(columns, (_row(integration) for integration in integrations))


@app.command(
    "rotate-key",
    epilog="Example: `callhelm-threecx org rotate-key acme --grace-minutes 60`, then upload the "
    "new template within the hour.",
)
def rotate_key(
    organization: OrgArgument,
    *,
    grace_minutes: Annotated[
        int, typer.Option(min=0, max=7 * 24 * 60, help="How long the old key still opens.")
    ] = 0,
    as_json: AsJson = False,
) -> None:
    """Give an organization a new key. The old one stops within 5 seconds, or after its grace."""
    from callhelm_threecx.services.audit import AT_COMMAND_LINE

    with open_services() as services:
        organization_id = integration_of(services, organization).organization_id
        integration, api_key = services.integrations.set_up(
            organization_id, grace_minutes=grace_minutes, by=AT_COMMAND_LINE
        )
        _show_key(services, integration, api_key, as_json=as_json)


@app.command()
def disable(organization: OrgArgument) -> None:
    """Switch an organization off: its key is answered with 403 within 5 seconds."""
    _switch(organization, enabled=False)


@app.command()
def enable(organization: OrgArgument) -> None:
    """Switch an organization on again; its key is the one that it had."""
    _switch(organization, enabled=True)


def _switch(organization: str, *, enabled: bool) -> None:
    from callhelm_threecx.services.audit import AT_COMMAND_LINE
    from callhelm_threecx.services.integrations import Change

    with open_services() as services:
        integration = integration_of(services, organization)
        change = Change(enabled=enabled)
        services.integrations.change(integration.organization_id, change, by=AT_COMMAND_LINE)
    typer.echo(f"{integration.organization_id} is {'enabled' if enabled else 'disabled'}.")


def _checked_region(region: str) -> str:
    from callhelm_threecx import phone
    from callhelm_threecx.errors import BadInputError

    if region and not phone.is_region(region.upper()):
        raise BadInputError("--region: must be a two-letter region such as US or DE")
    return region.upper()


def _show_key(
    services: "Services", integration: "Integration", api_key: str, *, as_json: bool
) -> None:
    """Print a new key: alone on standard output, so that a script may catch it."""
    url = services.settings.public_url
    if as_json:
        print_json({**_state(integration), "apiKey": api_key, "crmUrl": url})
        return
    typer.echo(api_key)
    note(f"This is the key of {integration.organization_id}; it is not shown again.")
    if integration.previous_key_expires_at:
        note(f"The old one opens until {integration.previous_key_expires_at:%Y-%m-%d %H:%M} UTC.")
    option = "" if url else " --url https://…"
    name = integration.organization_id
    note(f"Its template: callhelm-threecx template {name}{option} -o call-helm-3cx.xml")


def _state(integration: "Integration") -> dict[str, Any]:
    grace = integration.previous_key_expires_at
    return {
        "organizationId": integration.organization_id,
        "organizationName": integration.organization_name,
        "enabled": integration.enabled,
        "defaultRegion": integration.region,
        "keyHint": integration.key_hint,
        "keyCreatedAt": integration.key_created_at.isoformat(),
        "previousKeyExpiresAt": grace.isoformat() if grace else None,
        "settings": integration.settings,
    }


def _row(integration: "Integration") -> tuple[str, ...]:
    return (
        integration.organization_id,
        integration.organization_name,
        "enabled" if integration.enabled else "disabled",
        integration.region,
        integration.key_hint,
        f"{integration.key_created_at:%Y-%m-%d}",
    )
