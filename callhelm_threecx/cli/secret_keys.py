"""``callhelm-threecx keygen`` and ``keys``: the keys that encrypt organization keys."""

import typer

from callhelm_threecx.cli.common import AsJson, open_services, print_json

app = typer.Typer(help="Rotate the keys that encrypt organization keys.", no_args_is_help=True)


def register(root: typer.Typer) -> None:
    """Add ``keygen``."""
    root.command(epilog="Example: `export THREECX_SECRET_KEYS=$(callhelm-threecx keygen)`")(keygen)


def keygen() -> None:
    """Print a new encryption key for `THREECX_SECRET_KEYS`: 32 random bytes, URL-safe base64.

    Keep it apart from the database: who has both has every organization's key.
    """
    from callhelm_threecx.keys import generate_secret_key

    typer.echo(generate_secret_key())


@app.command(
    epilog="Put a new key in front (`THREECX_SECRET_KEYS=new,old`), restart every server, run "
    "this, take the old key away, restart again. Keys of PBXs do not change."
)
def reencrypt(*, as_json: AsJson = False) -> None:
    """Encrypt every organization's key anew with the first of `THREECX_SECRET_KEYS`.

    Nothing happens to keys that are encrypted with it already. An old organization key that is in
    its grace period stops with the secret key that it was made under.
    """
    with open_services() as services:
        total = len(services.integrations.all())
        changed = services.integrations.reencrypt()
    if as_json:
        print_json({"changed": changed, "total": total})
    else:
        typer.echo(f"{changed} of {total} keys are now under the first secret key; it opens all.")
