"""The measured table: what was promised, what was found, and whether it holds."""

import json
import math
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from enum import Enum
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

SHOWN_VERSIONS = ("callhelm-threecx", "falcon", "gunicorn", "psycopg", "sqlalchemy")


class Sense(Enum):
    """Which side of its target a figure has to be on."""

    AT_LEAST = "≥"
    AT_MOST = "≤"


@dataclass(frozen=True)
class Target:
    """A promise about one figure."""

    sense: Sense
    value: float

    def holds(self, measured: float, slack: float = 1.0) -> bool:
        """Whether a figure keeps the promise. With a slack of two it may be half as good.

        What could not be measured (not a number) keeps no promise.
        """
        if not math.isfinite(measured):
            return False
        if self.sense is Sense.AT_LEAST:
            return measured >= self.value / slack
        return measured <= self.value * slack

    def share(self, measured: float) -> float:
        """How good a figure is: one at the target, two when it is twice as good."""
        if not math.isfinite(measured):
            return 0.0
        if self.sense is Sense.AT_LEAST:
            return measured / self.value
        return self.value / measured if measured > 0 else math.inf

    def __str__(self) -> str:
        return f"{self.sense.value} {self.value:g}"


def at_least(value: float) -> Target:
    """The figure has to be this much or more."""
    return Target(Sense.AT_LEAST, value)


def at_most(value: float) -> Target:
    """The figure has to be this much or less."""
    return Target(Sense.AT_MOST, value)


@dataclass(frozen=True)
class Row:
    """One line of the table. Without a target it is told and not judged."""

    what: str
    target: Target | None
    measured: float
    unit: str = "x"
    figures: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""

    def holds(self, slack: float = 1.0) -> bool:
        """Whether the row keeps what it promises."""
        if self.error:
            return False
        return self.target is None or self.target.holds(self.measured, slack)

    def verdict(self, slack: float = 1.0) -> str:
        """The same for people."""
        if self.error:
            return "NOT MEASURED"
        if self.target is None:
            return "-"
        if self.target.holds(self.measured):
            return "holds"
        return "near" if self.holds(slack) else "FAILS"


def not_measured(what: str, error: str) -> Row:
    """A row whose measurement failed: it counts as one that does not hold."""
    return Row(what, None, math.nan, error=error)


@dataclass(frozen=True)
class Report:
    """All rows of one run. ``slack`` is 1 for the full form and 2 for the quick one."""

    rows: Sequence[Row]
    options: Mapping[str, Any]
    slack: float = 1.0

    @property
    def holds(self) -> bool:
        """Whether something was measured and every row holds."""
        return bool(self.rows) and all(row.holds(self.slack) for row in self.rows)

    def text(self) -> str:
        """The table for people, and one line that says whether it holds.

        Beside each figure stands the ratio of processor time a request, ours over theirs.
        """
        head = ("what", "target", "measured", "processor time", "verdict")
        cells = [head, *(self._cells(row) for row in self.rows)]
        widths = [max(len(line[column]) for line in cells) for column in range(len(head))]
        lines = [_line(line, widths) for line in cells]
        lines.insert(1, "|".join(["", *("-" * (width + 2) for width in widths), ""]))
        bound = "its target" if self.slack == 1 else "half of its target"
        failed = sum(not row.holds(self.slack) for row in self.rows)
        told = f"{failed} of {len(self.rows)} rows are beyond {bound}."
        return "\n".join([*lines, "", f"Every row is within {bound}." if self.holds else told])

    def _cells(self, row: Row) -> tuple[str, ...]:
        target = f"{row.target} {row.unit}" if row.target else "-"
        measured = (
            f"{row.measured:.3g} {row.unit}" if math.isfinite(row.measured) else row.error[:60]
        )
        cpu = f"{row.figures['cpu_ratio']:.3g} x" if "cpu_ratio" in row.figures else "-"
        return row.what, target, measured, cpu, row.verdict(self.slack)

    def json(self) -> str:
        """The table and the plain figures behind it, for programs."""
        whole = {
            "made_at": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            "machine": machine(),
            "options": dict(self.options),
            "slack": self.slack,
            "holds": self.holds,
            "rows": [self._record(row) for row in self.rows],
        }
        return json.dumps(whole, indent=2, ensure_ascii=False)

    def _record(self, row: Row) -> dict[str, Any]:
        return {
            "what": row.what,
            "target": str(row.target) if row.target else None,
            "measured": round(row.measured, 4) if math.isfinite(row.measured) else None,
            "unit": row.unit,
            "verdict": row.verdict(self.slack),
            "holds": row.holds(self.slack),
            "error": row.error,
            "figures": dict(row.figures),
        }


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
    return f"| {' | '.join(padded)} |"


def put_into(document: Path, mark: str, text: str) -> None:
    """Replace what a document has between ``<!-- mark -->`` and ``<!-- /mark -->``."""
    begin, end = f"<!-- {mark} -->\n", f"<!-- /{mark} -->"
    before, _, rest = document.read_text("utf-8").partition(begin)
    _, found, after = rest.partition(end)
    if not found:
        raise ValueError(f"{document} has no place for {mark}")
    document.write_text(f"{before}{begin}{text}\n{end}{after}", "utf-8")


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    return {
        "processors": psutil.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 2**30),
        "load_before": [round(value, 1) for value in psutil.getloadavg()],
        "system": platform.platform(),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in SHOWN_VERSIONS},
    }
