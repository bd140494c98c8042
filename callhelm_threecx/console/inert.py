"""Texts of callers as a page may show them: bounded, nothing hidden in them, and a link only where
it is one. Escaping is the templates'."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

MAX_LINK: Final = 2048
_ESCAPED: Final = {"&": 5, "<": 4, ">": 4, "'": 5, '"': 5}  # bytes of what stands for them
_WORD: Final = 80  # characters that a cut goes back to the end of a word
_HIDDEN: Final = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
_NOT_IN_LINK: Final = re.compile(r"[\s\x00-\x1f\x7f\\]")


@dataclass(frozen=True, slots=True)
class Excerpt:
    """The beginning of a text, or all of it; ``length`` is that of the whole, in characters."""

    text: str
    length: int

    @property
    def is_cut(self) -> bool:
        """Whether there is more."""
        return len(self.text) < self.length


def excerpt(text: str, most: int) -> Excerpt:
    """As much of a text as takes ``most`` bytes in a page, cut behind a word where there is one."""
    size = 0
    for position, char in enumerate(text):
        size += _ESCAPED.get(char) or len(char.encode("utf-8", "replace"))
        if size > most:
            return Excerpt(_whole_words(text[:position]), len(text))
    return Excerpt(text, len(text))


def _whole_words(text: str) -> str:
    end = max(text.rfind(" ", -_WORD), text.rfind("\n", -_WORD))
    return text[:end] if end > 0 else text


def pretty_json(data: Mapping[str, Any], *, indent: int | None = 2) -> str:
    """A report as JSON, of one line without an indent. What is not seen but turns the text around
    it, or hides it, is written as an escape; it is JSON still."""
    text = json.dumps(data, indent=indent, ensure_ascii=False, default=str)
    return _HIDDEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


@dataclass(frozen=True, slots=True)
class WebLink:
    """An address that may be opened, and the host that it leads to."""

    url: str
    host: str


def web_link(text: str) -> WebLink | None:
    """A text as a link; None for anything but an http or https address with a host.

    A backslash or a blank would let a browser see another host in it than we do.
    """
    if len(text) > MAX_LINK or _NOT_IN_LINK.search(text):
        return None
    try:
        parts = urlsplit(text)
        host, _port = parts.hostname, parts.port
    except ValueError:  # brackets of no IPv6 address, a port that is none
        return None
    return WebLink(text, host) if parts.scheme in {"http", "https"} and host else None
