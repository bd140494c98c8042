"""How the ``pbx`` commands print what the engine did."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from callhelm_threecx.pbx.calls import Call, Journal
from callhelm_threecx.pbx.results import Answer, Contact, Failure
from callhelm_threecx.pbx.storm import Storm
from callhelm_threecx.pbx.tally import PERCENTILES, Tally, outcome_of, percent_line

Result = Answer | Call | Journal


def error(message: str) -> None:
    """Print a complaint on standard error."""
    typer.secho(message, err=True, fg=typer.colors.RED)


def succeeded(result: Result) -> bool:
    """Say whether an action did what it was asked for."""
    if isinstance(result, Journal):
        return result.ok
    if result.failures or result.dropped:
        return False
    if isinstance(result, Answer) and not result.contacts:
        return bool(result.outcomes)  # a call flow is handed the raw answer
    return bool(result.contacts)


def as_data(result: Result) -> dict[str, object]:
    """Give a result as JSON-ready data, keys masked."""
    if isinstance(result, Answer):
        return {"screenPop": result.screen_pop, **result.to_dict()}
    if isinstance(result, Journal):
        named = {"callType": result.call_type, "outcome": outcome_of(result)}
        return {**named, **result.answer.to_dict()}
    data = result.answer.to_dict()
    data["contacts"] = [dict(contact.outputs) for contact in result.contacts]
    data["exchanges"] = [exchange.to_dict() for exchange in result.exchanges]
    return {
        "number": result.number,
        "searched": result.searched,
        "direction": result.direction,
        "screenPop": result.screen_pop,
        **data,
    }


def result(found: Result, *, trace: bool) -> None:
    """Print a result for people; ``trace`` puts every exchange in front of it."""
    if trace:
        for exchange in found.exchanges:
            typer.echo(exchange.show() + "\n")
    if isinstance(found, Journal):
        _journal(found)
    elif isinstance(found, Call):
        _call(found)
    else:
        _answer(found, trace=trace)


def _call(call: Call) -> None:
    typer.echo(f"{call.direction} {call.number}, looked up as {call.searched}")
    _contacts(call.contacts)
    if call.screen_pop:
        typer.echo(f"Screen pop: {call.screen_pop}")
    _complaints(call)


def _journal(journal: Journal) -> None:
    said = {"new": "journaled", "duplicate": "already journaled", "accepted": "accepted"}
    typer.echo(f"{journal.call_type}: {said.get(outcome_of(journal), outcome_of(journal))}")
    for name in ("callId", "chatId", "contactId"):
        for value in journal.find(name)[:1]:
            typer.echo(f"  {name}: {value}")
    _complaints(journal.answer)


def _answer(answer: Answer, *, trace: bool) -> None:
    if answer.contacts or not answer.outcomes:
        _contacts(answer.contacts)
    elif not trace and answer.exchanges:
        typer.echo(answer.exchanges[-1].masked(answer.body))
    _complaints(answer)


def _contacts(contacts: tuple[Contact, ...]) -> None:
    if not contacts:
        typer.echo("No contact.")
    for contact in contacts:
        typer.echo(f"{contact.name}" + (f" ({contact.company})" if contact.company else ""))
        for output, text in contact.outputs.items():
            if text:
                typer.echo(f"  {output}: {text}")


def _complaints(found: Answer | Call) -> None:
    for dropped in found.dropped:
        typer.secho(f"Dropped: {dropped}", fg=typer.colors.YELLOW)
    failures: tuple[Failure, ...] = found.failures
    for failure in failures:
        typer.secho(f"Failed: {failure}", fg=typer.colors.RED)
    for note in found.notes:
        typer.secho(f"Note: {note}", fg=typer.colors.BRIGHT_BLACK)


def watch(storm: Storm, console: Console) -> Tally:
    """Run a storm and show how far it is."""
    columns = (
        TextColumn("calls"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[up]} up, {task.fields[failed]} failed"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("calls", total=storm.plan.calls, up=0, failed=0)

        def tick(tally: Tally) -> None:
            failed = tally.journals["failed"]
            progress.update(task, completed=tally.calls, up=tally.up, failed=failed)

        tally = _interruptible(storm, tick)
        tick(tally)
    return tally


def _interruptible(storm: Storm, tick: Callable[[Tally], None]) -> Tally:
    """Run in a thread of its own, so that Ctrl-C ends the storm in order.

    A future is waited for and not the thread: an interrupted ``Thread.join`` takes a running
    thread for an ended one in Python 3.11 and before.
    """
    with ThreadPoolExecutor(1, "storm") as pool:
        running = pool.submit(storm.run, tick)
        try:
            return running.result()
        except KeyboardInterrupt:
            storm.stop.set()
            return running.result()


def account(tally: Tally) -> None:
    """Print the account of a storm."""
    console = Console()
    console.print(_latencies(tally))
    facts = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    facts.add_row("Calls", f"{tally.calls} of {tally.planned} in {tally.seconds:.1f} s")
    facts.add_row("Up at once", f"{tally.most_up} at the most")
    facts.add_row("Latest start", f"{tally.latest:.2f} s behind the plan")
    facts.add_row("Lookups", _counted(tally.lookups))
    facts.add_row("Call types", _counted(tally.call_types))
    facts.add_row("Journals", f"{_counted(tally.journals)} ({len(tally.identities)} call ids)")
    facts.add_row("Sent again", _counted(tally.repeats))
    facts.add_row("Adds up", "yes" if tally.adds_up else "NO")
    facts.add_row("Exactly once", "yes, as far as the answers tell" if tally.exactly_once else "NO")
    console.print(facts)
    for reason, count in tally.dropped.most_common():
        console.print(f"[yellow]Dropped {count} times:[/] {reason}", highlight=False)
    for reason, count in tally.failures.most_common():
        console.print(f"[red]Failed {count} times:[/] {reason}", highlight=False)


def _latencies(tally: Tally) -> Table:
    table = Table(title="Answering times in milliseconds")
    table.add_column("Scenario", no_wrap=True)
    for heading in ("requests", "failed", *(f"p{each}" for each in PERCENTILES), "max"):
        table.add_column(heading, justify="right")
    for name, latency in sorted(tally.scenarios.items()):
        counts = (str(len(latency.seconds)), str(latency.failed))
        table.add_row(name, *counts, *percent_line(latency))
    return table


def _counted(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items())) or "none"
