"""Finding an attribute or a text in the source, from the place of its element.

The parser tells where a tag begins; in a tag of many lines a person wants that of the attribute.
"""

from __future__ import annotations

import codecs
import re
from typing import Final

from callhelm_threecx.template.linting.findings import TEXT

_DECLARED: Final = re.compile(rb"""<\?xml[^>]{0,200}?encoding\s*=\s*["']([\w.\-]{1,40})["']""")
_NAME: Final = re.compile(r"<[^\s/>]+")
_ATTRIBUTE: Final = re.compile(r"""\s*([^\s=/>]+)\s*=\s*("[^"]*"|'[^']*')""")


class Source:
    """The text of a file, by lines."""

    def __init__(self, xml: bytes | str) -> None:
        self.text = xml if isinstance(xml, str) else decode(xml)
        self.text = self.text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
        self.lines = self.text.split("\n")
        self._starts = [0]
        for line in self.lines:
            self._starts.append(self._starts[-1] + len(line) + 1)

    def line(self, number: int) -> str:
        """One line, counted from 1; "" when there is none."""
        return self.lines[number - 1] if 0 < number <= len(self.lines) else ""

    def find(self, line: int, column: int, attribute: str) -> tuple[int, int]:
        """The place of an attribute ("text()" for the text) of the element that begins there.

        Gives the element's own place when the attribute is not found.
        """
        if not attribute or not 0 < line <= len(self.lines):
            return line, column
        start = self._starts[line - 1] + column - 1
        name = _NAME.match(self.text, start)
        if name is None:
            return line, column
        position = name.end()
        while found := _ATTRIBUTE.match(self.text, position):
            if found.group(1) == attribute:
                return self._place(found.start(1))
            position = found.end()
        if attribute != TEXT:
            return line, column
        return self._place(self._text_start(position))

    def _text_start(self, position: int) -> int:
        inside = self.text.find(">", position) + 1
        after = len(self.text) - len(self.text[inside:].lstrip())
        return after if after < len(self.text) else inside

    def _place(self, offset: int) -> tuple[int, int]:
        low, high = 0, len(self.lines) - 1
        while low < high:
            middle = (low + high + 1) // 2
            if self._starts[middle] <= offset:
                low = middle
            else:
                high = middle - 1
        return low + 1, offset - self._starts[low] + 1


def decode(data: bytes) -> str:
    """The text of a file that has been parsed, by its mark or declaration; UTF-8 else."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", errors="replace")
    declared = _DECLARED.match(data.removeprefix(codecs.BOM_UTF8))
    encoding = declared.group(1).decode("ascii") if declared else "utf-8"
    try:
        return data.decode(encoding, errors="replace")
    except LookupError:
        return data.decode("utf-8", errors="replace")
