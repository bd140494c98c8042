"""What a rule reports, and where."""

from __future__ import annotations

from dataclasses import dataclass, field

from callhelm_threecx.template.elements import Element, RawNode
from callhelm_threecx.template.linting.codes import CODES, Severity

TEXT = "text()"
"""The attribute name that stands for an element's own text."""


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, or worth knowing, in a template.

    `code` and `slug` are stable names of the kind. `line` and `column` count from 1; both are 0
    when the template was not read from a file. `message` says what the PBX does, `hint` how to mend
    it.
    `path` names the element, `attribute` the attribute in it ("text()" for its text, "" for the
    element as a whole).
    """

    code: str
    severity: Severity
    line: int
    message: str
    hint: str
    path: str
    column: int = 0
    attribute: str = ""

    @property
    def slug(self) -> str:
        """The readable name of the code."""
        return CODES[self.code].slug


@dataclass(frozen=True)
class Place:
    """An element, or an attribute of one, with the path by which a person finds it."""

    path: str
    element: Element | RawNode
    attribute: str = ""

    def at(self, attribute: str) -> Place:
        """The same element, at one of its attributes."""
        return Place(self.path, self.element, attribute)

    def inside(self, tag: str, element: Element | RawNode, name: str | None = None) -> Place:
        """A child element; `name` tells it from its siblings."""
        label = f"[{name[:40]}]" if name else ""
        return Place(f"{self.path}/{tag}{label}", element)


@dataclass
class Report:
    """Collects findings; the same one twice is kept once."""

    found: dict[Finding, None] = field(default_factory=dict)

    def add(self, code: str, place: Place, message: str, hint: str = "") -> None:
        """Report one finding with the severity of its code."""
        self.found[
            Finding(
                code=code,
                severity=CODES[code].severity,
                line=place.element.line,
                column=place.element.column,
                message=message,
                hint=hint,
                path=place.path,
                attribute=place.attribute,
            )
        ] = None

    def sorted(self) -> list[Finding]:
        """The findings in the order of the file, then of their codes."""
        return sorted(self.found, key=lambda f: (f.line, f.column, f.code, f.message))
