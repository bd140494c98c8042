"""``callhelm-threecx pbx lint``: the findings of the lint, for people and for scripts."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from enum import Enum
from pathlib import Path

import typer

from callhelm_threecx.template.report import FileReport, as_json, as_sarif, as_text, lint_file


class Format(str, Enum):
    """How findings are reported."""

    text = "text"
    json = "json"
    sarif = "sarif"


class Level(str, Enum):
    """From which severity on a finding makes the command fail."""

    error = "error"
    warning = "warning"
    info = "info"


_WRITERS: dict[Format, Callable[[Sequence[FileReport]], str]] = {
    Format.text: as_text,
    Format.json: as_json,
    Format.sarif: as_sarif,
}
_WORSE = {
    Level.error: ("error",),
    Level.warning: ("error", "warning"),
    Level.info: ("error", "warning", "info"),
}


def lint_files(files: Sequence[Path], form: Format, fail_on: Level) -> int:
    """Report on files, ``-`` being standard input, and give the exit status."""
    try:
        reports = [lint_file(*_read(file)) for file in files]
    except OSError as problem:
        typer.secho(f"{problem.filename}: {problem.strerror}.", err=True, fg="red")
        return 2
    typer.echo(_WRITERS[form](reports), nl=False)
    return int(any(report.counts[each] for report in reports for each in _WORSE[fail_on]))


def _read(file: Path) -> tuple[str, bytes]:
    if str(file) == "-":
        return "<stdin>", sys.stdin.buffer.read()
    return str(file), file.read_bytes()
