"""Reads a page as a browser would, and says what in it could hurt."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from urllib.parse import urlsplit

VOID = {"br", "hr", "img", "input", "link", "meta", "source", "wbr", "path", "rect", "line"}
FORBIDDEN = {"iframe", "frame", "object", "embed", "base", "style", "template", "video", "audio"}
ADDRESSES = {"href", "src", "action", "formaction", "data", "poster", "srcset", "xlink:href"}
UNSEEN_TURNS = re.compile("[\u202a-\u202e\u2066-\u2069\u200e\u200f]")
# Where a text stands alone already, or is none that anybody reads in a line with others.
ALONE = {"bdi", "code", "pre", "title", "textarea", "option", "script"}  # code by console.css


class Page(HTMLParser):
    """The elements of a page with their attributes, and its texts with what they stand in."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: list[tuple[tuple[str, ...], str]] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self._open:
            while self._open.pop() != tag:
                pass

    def handle_data(self, data: str) -> None:
        self.texts.append((tuple(self._open), data))

    @property
    def text(self) -> str:
        """All that is read, and what fields hold."""
        values = (attributes.get("value", "") for _, attributes in self.elements)
        return "\n".join([*(data for _, data in self.texts), *values])


def faults(page: Page, base: str) -> Iterator[str]:
    """What in a page below ``base`` is not ours, or could run, load or send something."""
    for tag, attributes in page.elements:
        if tag in FORBIDDEN:
            yield f"an element <{tag}>"
        if tag == "meta" and "http-equiv" in attributes:
            yield "a meta element that acts"
        for name, value in attributes.items():
            if name.startswith("on") or name in {"style", "srcdoc"}:
                yield f"<{tag} {name}={value[:80]!r}>"
            if name in ADDRESSES and not _is_harmless(tag, value, base):
                yield f"<{tag} {name}={value[:80]!r}>"
    for within, data in page.texts:
        if within[-1:] == ("script",) and data.strip():
            yield f"a script {data[:80]!r}"
        if UNSEEN_TURNS.search(data) and not ALONE & {*within}:
            yield f"a text that turns its line: {data[:80]!r} in {within}"


def not_isolated(page: Page, fragments: list[str]) -> Iterator[str]:
    """Texts of callers that stand among ours without an element that isolates their direction."""
    for within, data in page.texts:
        if not ALONE & {*within} and any(fragment in data for fragment in fragments):
            yield f"{data[:80]!r} in {within[-3:]}"


def _is_harmless(tag: str, value: str, base: str) -> bool:
    parts = urlsplit(value)
    if not parts.scheme and not parts.netloc:
        return value.startswith((base, "#", "?"))
    # Only a link may lead elsewhere, and only to the web.
    return tag == "a" and parts.scheme in {"http", "https"} and bool(parts.hostname)
