"""``callhelm-threecx serve``: the server, on gunicorn."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from callhelm_threecx.gunicorn import Server
    from callhelm_threecx.settings import Settings


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        epilog="Example: `THREECX_PUBLIC_URL=https://pbx.example.com callhelm-threecx serve "
        "--workers 4`, with a proxy that speaks https in front of it."
    )(serve)


def serve(
    *,
    host: Annotated[
        str, typer.Option(help="Address to listen on; 0.0.0.0 means all of them.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="TCP port to listen on.")] = 8080,
    workers: Annotated[
        int | None,
        typer.Option(min=1, max=256, help="Processes; unasked one for each processor, at most 8."),
    ] = None,
    threads: Annotated[
        int, typer.Option(min=1, max=256, help="Requests that a process answers at once.")
    ] = 8,
) -> None:
    """Serve the integration to PBXs.

    A SQLite schema is brought up to date first; any other one must be (`db upgrade`). Every
    request is one line on standard error, without keys. SIGTERM ends the server when the requests
    under way are answered and every event is written.
    """
    with _uncollected():
        server = _server(host, port, workers, threads)
    server.run()


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without garbage collection: what is loaded at the start stays, and to look through it time
    and again would take a tenth of the start."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _server(host: str, port: int, workers: int | None, threads: int) -> "Server":
    from callhelm_threecx import logs
    from callhelm_threecx.app import build_app, build_services
    from callhelm_threecx.gunicorn import Server, check_store, require_current_schema
    from callhelm_threecx.settings import Settings

    settings = Settings.load()
    logs.configure(settings.log_level, settings.log_format)
    count = workers or _sensible_workers(settings.contact_store)
    services = build_services(settings)
    require_current_schema(services.database)
    check_store(services.store)
    app = build_app(services)
    _require_free(host, port)
    _announce(settings, host, port, count)
    return Server(
        app,
        settings,
        bind=f"[{host}]:{port}" if ":" in host else f"{host}:{port}",
        workers=count,
        threads=threads,
    )


def _sensible_workers(contact_store: str) -> int:
    from callhelm_threecx.gunicorn import default_workers

    return 1 if contact_store == "memory" else default_workers()  # each process has a memory


def _require_free(host: str, port: int) -> None:
    """gunicorn would try a taken port for five seconds and tell each try."""
    import socket

    from callhelm_threecx.errors import SettingsError

    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as ex:
        raise SettingsError(f"Cannot listen on {host} port {port}: {ex.strerror}.") from ex


def _announce(settings: "Settings", host: str, port: int, workers: int) -> None:
    import logging

    logging.getLogger("callhelm_threecx.server").info(
        "Serving.",
        extra={
            "address": f"{host}:{port}",
            "workers": workers,
            "database": settings.database.render_as_string(hide_password=True),
            "contact_store": settings.contact_store,
            "public_url": settings.public_url,
            "path": settings.prefix,
        },
    )
