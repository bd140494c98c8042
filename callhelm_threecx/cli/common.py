"""What the commands have in common: services, organizations, output."""

import json
import queue
import signal
import sys
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

if TYPE_CHECKING:
    from callhelm_threecx.app import Services
    from callhelm_threecx.services.integrations import Integration

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]
DryRun = Annotated[
    bool,
    typer.Option(
        "--dry-run", help="Say what would be done, and what stands against it; do nothing."
    ),
]
Org = Annotated[
    str,
    typer.Option("--org", metavar="ORG", help="The organization, as `org list` shows it."),
]
OrgArgument = Annotated[
    str,
    typer.Argument(metavar="ORG", help="The organization: 1 to 64 of `A-Z a-z 0-9 . _ : -`."),
]


@contextmanager
def open_services() -> Iterator["Services"]:
    """Everything that the settings describe, on a database whose schema is this version's.

    Raises `SettingsError`, `OutdatedSchemaError`, `StorageUnavailableError`.
    """
    from callhelm_threecx.app import build_services
    from callhelm_threecx.gunicorn import require_current_schema
    from callhelm_threecx.settings import Settings

    services = build_services(Settings.load())
    try:
        require_current_schema(services.database)
        yield services
    finally:
        services.close()


class _Stop(threading.Event):
    """An event that the handler of a signal may set.

    Python's own holds a lock while it begins and ends to wait. A handler runs in between, in the
    same thread, and would wait for that lock for ever.
    """

    def __init__(self) -> None:
        super().__init__()
        self._is_set = False
        self._told: queue.SimpleQueue[None] = queue.SimpleQueue()  # whose `put` is reentrant

    def is_set(self) -> bool:
        """Whether it is set."""
        return self._is_set

    def set(self) -> None:
        """Set it, and wake who waits."""
        self._is_set = True
        self._told.put(None)

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it is set, or for so many seconds; whether it is."""
        if self._is_set:
            return True
        try:
            self._told.get(timeout=timeout)
        except queue.Empty:
            return self._is_set
        self._told.put(None)  # for others who wait
        return True


@contextmanager
def stopped_by_signals() -> Iterator[threading.Event]:
    """Set at SIGINT and SIGTERM: what is under way is finished, and told."""
    stop = _Stop()
    before = {
        number: signal.signal(number, lambda *_: stop.set())
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def checked_organization(text: str) -> str:
    """An organization's id as it was typed. Raises `BadInputError` for what cannot be one."""
    from callhelm_threecx.services.organizations import checked_organization_id

    return checked_organization_id(text)


def integration_of(services: "Services", organization: str) -> "Integration":
    """The integration of an organization. Raises `NotFoundError` when there is none."""
    from callhelm_threecx.errors import NotFoundError

    organization_id = checked_organization(organization)
    integration = services.integrations.get(organization_id)
    if integration is None:
        raise NotFoundError(
            f"There is no organization {organization_id}; "
            f"make it with callhelm-threecx org create {organization_id}."
        )
    return integration


def fail(message: str) -> NoReturn:
    """End with one line on standard error and exit status 1."""
    typer.echo(message, err=True)
    raise typer.Exit(1)


def usage(message: str) -> NoReturn:
    """End with one line on standard error and exit status 2: the command itself is wrong."""
    typer.echo(message, err=True)
    raise typer.Exit(2)


def note(message: str) -> None:
    """A line for people, beside the output."""
    typer.echo(message, err=True)


def print_json(data: Any) -> None:
    """Print one JSON document."""
    typer.echo(json.dumps(data, ensure_ascii=False, indent=2, default=str))


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A table on a terminal; elsewhere one line a row, separated by tabs, whole."""
    if not sys.stdout.isatty():
        for row in (columns, *rows):
            typer.echo("\t".join(row))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        table.add_row(*row)
    Console(highlight=False, markup=False).print(table)
