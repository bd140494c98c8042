"""``callhelm-threecx template``: the file that a PBX's administrator uploads."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from callhelm_threecx.cli.common import OrgArgument, integration_of, note, open_services

if TYPE_CHECKING:
    from callhelm_threecx.settings import Settings


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        epilog="Example: `callhelm-threecx template acme -o call-helm-3cx.xml`, then upload it "
        "in the 3CX admin console under Integrations, CRM."
    )(template)


def template(
    organization: OrgArgument,
    *,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Write here, readable by you only."),
    ] = None,
    url: Annotated[
        str | None,
        typer.Option(help="What the PBX calls, in place of THREECX_PUBLIC_URL."),
    ] = None,
) -> None:
    """Write the CRM template of an organization, its URL and key filled in.

    The file holds the organization's key in clear text: treat it like a password.
    """
    from callhelm_threecx.cli.files import write_text
    from callhelm_threecx.services.templates import template_of

    with open_services() as services:
        integration = integration_of(services, organization)
        settings = services.settings
        base_url = _base_url(settings, url)
        api_key = services.integrations.clear_key(integration.organization_id)
        text = template_of(integration, api_key, base_url, settings.prefix)
    if output is None:
        typer.echo(text, nl=False)
    else:
        write_text(output, text)
        note(f"{output} is written for {base_url}; it holds the key of {organization}.")


def _base_url(settings: "Settings", url: str | None) -> str:
    """What the PBX calls. Raises `SettingsError` when it is set nowhere, or no URL."""
    from callhelm_threecx.errors import SettingsError
    from callhelm_threecx.settings import Settings

    if url is not None:
        try:
            found = Settings.load(public_url=url).public_url
        except SettingsError as ex:
            raise SettingsError(ex.message.replace("THREECX_PUBLIC_URL", "--url")) from None
    else:
        found = settings.public_url
    if not found:
        raise SettingsError(
            "THREECX_PUBLIC_URL: is not set; set it or name the server's address with --url."
        )
    return found
