"""``callhelm-threecx doctor``: what is set up, what is not, and what to do about it."""

from typing import Final

import typer

from callhelm_threecx.cli.common import AsJson, print_json

_COLORS: Final = {"ok": "green", "warn": "yellow", "fail": "red"}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog="Run it where the server runs, with the server's environment.")(doctor)


def doctor(*, as_json: AsJson = False) -> None:
    """Check settings, database, keys, limits, contact store and public URL; change nothing.

    Each line says ok, warn or fail, and what to do. Exit status 1 when anything fails.
    """
    from callhelm_threecx.cli.checks import Verdict, run

    findings = run()
    failed = any(finding.verdict is Verdict.FAIL for finding in findings)
    if as_json:
        checks = [
            {
                "check": finding.check,
                "verdict": finding.verdict.value,
                "message": finding.message,
                "todo": finding.todo,
            }
            for finding in findings
        ]
        print_json({"ok": not failed, "checks": checks})
    else:
        for finding in findings:
            word = finding.verdict.value
            mark = typer.style(f"{word:<5}", fg=_COLORS[word])
            todo = f" {finding.todo}" if finding.todo else ""
            typer.echo(f"{mark} {finding.check}: {finding.message}{todo}")
    raise typer.Exit(1 if failed else 0)
