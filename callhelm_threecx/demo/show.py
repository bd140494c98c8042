"""The demo as it is shown on a terminal."""

import shlex
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from callhelm_threecx import routes
from callhelm_threecx.demo import server, story
from callhelm_threecx.demo.people import COUNTRIES, contacts

WIDTH = 132
"""Columns of the table where there is no terminal that has a width."""


def run(folder: Path | None, port: int, *, leave: bool) -> int:
    """Prepare, serve, play and show; then serve on until Ctrl-C unless told to ``leave``.

    The exit status: 0 when every step did what it should, else 1. Raises `server.DemoError`.
    """
    console = Console(highlight=False, width=None if sys.stdout.isatty() else WIDTH)
    with _folder(folder) as place:
        stage = server.prepare(place, port)
        count = sum(1 for _ in contacts())
        console.print(
            f"{count} invented contacts from {len(COUNTRIES)} countries are in {place}.",
            soft_wrap=True,
        )
        with server.serving(place, stage) as process:
            steps = list(story.play(stage))
            console.print(table(steps))
            wrong = sum(not step.ok for step in steps)
            if wrong:
                console.print(f"[red]{wrong} of {len(steps)} steps went wrong.[/]")
                console.print(f"The server's log is {place / server.LOG}.", soft_wrap=True)
            else:
                console.print(f"[green]All {len(steps)} steps did what they should.[/]")
            if not leave:
                _invite(console, stage)
                with suppress(KeyboardInterrupt):
                    process.wait()
    return 1 if wrong else 0


def table(steps: Iterable[story.Step]) -> Table:
    """The steps: what happened, what an agent should see and what one saw."""
    shown = Table("What happens", "An agent should see", "An agent sees", "")
    for step in steps:
        mark = Text("ok", "green") if step.ok else Text("failed", "bold red")
        shown.add_row(Text(step.action), Text(step.expected), Text(step.seen), mark)
    return shown


@contextmanager
def _folder(named: Path | None) -> Iterator[Path]:
    if named is not None:
        yield named
        return
    with tempfile.TemporaryDirectory(prefix="callhelm-threecx-demo-") as name:
        yield Path(name)


def _invite(console: Console, stage: story.Stage) -> None:
    """Say what to try now."""
    base = stage.base_url + stage.prefix
    org, admin = f"x-api-key: {stage.api_key}", f"x-api-key: {stage.admin_key}"
    number = story.star().phones[0].number
    organization = f"organizationId={story.ORGANIZATION}"
    look_up = ("-G", "-H", org, "--data-urlencode", f"number={number}")
    lines = {
        "Look a caller up": (*look_up, base + routes.CONTACTS_LOOKUP),
        "Search": ("-H", org, f"{base}{routes.CONTACTS_SEARCH}?query=patel"),
        "Take the template for a PBX": ("-OJ", "-H", org, base + routes.TEMPLATE),
        "See the events": ("-H", admin, f"{base}{routes.EVENTS}?{organization}"),
        "See the statistics": ("-H", admin, f"{base}{routes.STATS}?{organization}"),
    }
    console.print(f"\nThe server goes on at {base} until Ctrl-C.")
    console.print(f"Organization key: {stage.api_key}")
    console.print(f"Admin key:        {stage.admin_key}")
    for title, arguments in lines.items():
        console.print(f"\n[bold]{title}[/]")
        command = shlex.join(["curl", "-sS", *arguments])
        console.print(f"  {command}", soft_wrap=True, markup=False)
