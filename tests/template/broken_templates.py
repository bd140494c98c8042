"""The table of broken templates: `broken-templates.txt`, applied to `good-template.xml`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
GOOD = (HERE / "good-template.xml").read_text(encoding="utf-8")
MARK = "¤"


@dataclass(frozen=True)
class Broken:
    """One fault, the code that it must give, and where."""

    code: str
    name: str
    old: str
    new: str

    @property
    def marked(self) -> str:
        assert GOOD.count(self.old) == 1, f"{self.old} must occur once"
        changed = GOOD.replace(self.old, self.new)
        assert changed.count(MARK) == 1
        return changed

    @property
    def xml(self) -> str:
        return self.marked.replace(MARK, "")

    @property
    def place(self) -> tuple[int, int]:
        """Line and column of the fault, from 1."""
        before = self.marked.partition(MARK)[0]
        return before.count("\n") + 1, len(before) - before.rfind("\n")


def _read(block: str) -> Broken:
    title, *lines = block.splitlines()
    code, _, name = title.partition(" ")
    old = "\n".join(line[2:] for line in lines if line.startswith("- "))
    new = "\n".join(line[2:] for line in lines if line.startswith("+ "))
    return Broken(code, name, old, new)


_TEXT = (HERE / "broken-templates.txt").read_text(encoding="utf-8")
TABLE = [_read(block) for block in re.split(r"^== ", _TEXT, flags=re.MULTILINE)[1:]]
