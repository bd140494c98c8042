"""``callhelm-threecx events``: the event log."""

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from callhelm_threecx.cli import purging
from callhelm_threecx.cli.common import (
    checked_organization,
    open_services,
    usage,
)

if TYPE_CHECKING:
    from callhelm_threecx.models import EventRow
    from callhelm_threecx.services.events import EventFilter, EventLog, EventType

POLL_S: Final = 1.0
OVERLAP: Final = timedelta(seconds=15)
"""How far a look for new events reaches back: a server may write one later than a younger one."""

MOST: Final = 200

app = typer.Typer(help="Look at the event log, and purge it.", no_args_is_help=True)
purging.register(app)
OneOrg = Annotated[
    str | None, typer.Option("--org", metavar="ORG", help="Only this organization's.")
]


@app.command(
    epilog="Examples: `callhelm-threecx events tail --org acme -n 50`, "
    "`callhelm-threecx events tail --follow --type refused`."
)
def tail(
    *,
    org: OneOrg = None,
    number: Annotated[
        int, typer.Option("--number", "-n", min=0, max=MOST, help="How many, at first.")
    ] = 20,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C.")] = False,
    kind: Annotated[
        str | None, typer.Option("--type", help="Only this type, such as lookup or refused.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object a line, for scripts.")
    ] = False,
) -> None:
    """Show the newest events, the newest last."""
    from callhelm_threecx.services.events import EventFilter

    wanted = EventFilter(
        organization_id=checked_organization(org) if org else None,
        type=_type(kind) if kind else None,
    )
    with open_services() as services:
        try:
            for row in _events(services.events, wanted, number, follow=follow):
                typer.echo(_json_line(row) if as_json else _line(row))
        except KeyboardInterrupt:
            raise typer.Exit from None


def _events(
    log: "EventLog", wanted: "EventFilter", number: int, *, follow: bool
) -> Iterator["EventRow"]:
    """The last ``number`` events, oldest first, then those to come."""
    from dataclasses import replace

    from callhelm_threecx.models import utc_now

    recent = _since(log, replace(wanted, since=utc_now() - OVERLAP)) if follow else []
    first = list(log.page(wanted, limit=max(number, 1)).events)[:number]
    told = {row.id: row.created_at for row in (*recent, *first)}  # before anything new is written
    yield from reversed(first)
    if not follow:
        return
    pause = threading.Event()
    while True:
        pause.wait(POLL_S)
        since = utc_now() - OVERLAP
        fresh = [row for row in _since(log, replace(wanted, since=since)) if row.id not in told]
        told = {key: at for key, at in told.items() if at >= since}
        told.update((row.id, row.created_at) for row in fresh)
        yield from fresh


def _since(log: "EventLog", wanted: "EventFilter") -> "list[EventRow]":
    """Every event of a filter that begins at an instant, oldest first."""
    rows: list[EventRow] = []
    cursor: str | None = None
    while True:
        page = log.page(wanted, limit=MOST, cursor=cursor)
        rows.extend(page.events)
        cursor = page.next_cursor
        if cursor is None:
            return rows[::-1]


def _json_line(row: "EventRow") -> str:
    from callhelm_threecx.resources.events import event_view

    return json.dumps(event_view(row), ensure_ascii=False, default=str)


def _line(row: "EventRow") -> str:
    shown: dict[str, Any] = {
        "number": row.phone_number,
        "agent": row.agent_extension,
        "call": row.call_type,
        "seconds": row.duration_seconds,
        "contact": row.contact_id,
        "ms": row.latency_ms,
        "error": row.error,
    }
    fields = " ".join(f"{name}={value}" for name, value in shown.items() if value is not None)
    kind = f"{row.event_type} {row.status}"
    return (
        f"{row.created_at:%Y-%m-%d %H:%M:%S} {row.organization_id or '-'} {kind:<24} {fields}"
    ).rstrip()


def _type(text: str) -> "EventType":
    from callhelm_threecx.services.events import EventType

    try:
        return EventType(text)
    except ValueError:
        usage(f"--type: {text!r} is none of {', '.join(kind.value for kind in EventType)}.")
