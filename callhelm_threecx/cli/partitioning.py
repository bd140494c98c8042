"""``callhelm-threecx db partition-events``: the event log by months."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from callhelm_threecx.cli.common import (
    AsJson,
    DryRun,
    fail,
    note,
    open_services,
    print_json,
    stopped_by_signals,
)

if TYPE_CHECKING:
    from callhelm_threecx.services.event_table import RebuildPlan


def register(app: typer.Typer) -> None:
    """Add the command to the group ``db``."""
    app.command(
        "partition-events",
        epilog="Example: `callhelm-threecx db partition-events --dry-run`, then without it.",
    )(partition_events)


def partition_events(
    *,
    undo: Annotated[bool, typer.Option("--undo", help="Back into one table.")] = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Bring the event log into PostgreSQL's partitions, one for each month.

    Servers go on meanwhile: the new table is filled beside the old one (which takes as much room
    again), then they change places. Interrupted at any moment, everything is as it was. Run again,
    it makes the months that are missing, as every `events purge` does.
    """
    from callhelm_threecx.services.event_table import EventTable

    with open_services() as services:
        table = EventTable(services.database)
        if dry_run:
            plan = table.plan(partitioned=not undo)
        else:
            with stopped_by_signals() as stop:
                plan = table.rebuild(partitioned=not undo, stop=stop, progress=_Progress())
    if as_json:
        print_json(
            {
                "dryRun": dry_run,
                "changed": plan.is_change,
                "events": plan.events,
                "months": [str(month) for month in plan.months],
                "hindrances": list(plan.hindrances),
            }
        )
    else:
        for line in _lines(plan, dry_run=dry_run, undo=undo):
            typer.echo(line)
    if plan.hindrances:
        fail(" ".join(plan.hindrances))


class _Progress:
    """Says how far a copy has come, every 100,000 events."""

    def __init__(self) -> None:
        self._next = 100_000

    def __call__(self, copied: int) -> None:
        if copied >= self._next:
            note(f"{copied} events are copied.")
            self._next = copied + 100_000


def _lines(plan: "RebuildPlan", *, dry_run: bool, undo: bool) -> Iterator[str]:
    would = "would be" if dry_run else "are"
    if plan.is_change:
        shape = "one table" if undo else "months"
        yield f"The event log {would} copied into {shape}: about {plan.events} events."
    else:
        yield f"The event log is {'one table' if undo else 'in months'} already."
    if plan.months:
        first, last = plan.months[0], plan.months[-1]
        span = str(first) if first == last else f"{first} to {last}"
        yield f"Months that {would} made: {span}."
