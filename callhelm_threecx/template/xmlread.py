"""Reading XML text into a plain tree, safely.

The parser is expat, told to refuse every document type declaration: without one there are no
entities to expand and nothing outside the file to fetch. Size, depth and the number of elements are
bounded. Whatever is wrong becomes one `TemplateError` with its place and a plain sentence.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final
from xml.parsers import expat

from callhelm_threecx.template.elements import RawNode
from callhelm_threecx.template.errors import TemplateError

MAX_BYTES: Final = 1024 * 1024
MAX_DEPTH: Final = 64
MAX_ELEMENTS: Final = 20_000
DEPTH_CEILING: Final = 150  # the tree is walked recursively: keep well inside the interpreter's own

_UTF16_MARKS: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)

# By expat's error numbers, which are part of its stable interface.
_SENTENCES: Final[dict[int, tuple[str, str]]] = {
    3: ("not_well_formed", "The file ends before the root element is closed."),
    5: ("not_well_formed", "A tag, comment or declaration is not closed before the file ends."),
    8: ("not_well_formed", "The same attribute stands twice in one tag."),
    9: ("not_well_formed", "Something follows the end of the root element."),
    11: (
        "undefined_entity",
        "An entity is used that XML does not know; a plain & is written as &amp;.",
    ),
    14: ("not_well_formed", "A numeric reference names a character that XML does not allow."),
    17: ("not_well_formed", "The XML declaration must be the very first thing in the file."),
    18: ("bad_encoding", "The encoding that the XML declaration names is not known."),
    19: ("bad_encoding", "The file is not in the encoding that its XML declaration names."),
    20: ("not_well_formed", "A CDATA section is not closed before the file ends."),
}
_UNTOLD: Final = (
    "not_well_formed",
    "The XML is not well-formed here: look for a stray '<' or '&' or for a missing quote.",
)
_TAG_MISMATCH: Final = 7


def read_tree(
    xml: bytes | str,
    *,
    max_bytes: int = MAX_BYTES,
    max_depth: int = MAX_DEPTH,
    max_elements: int = MAX_ELEMENTS,
) -> RawNode:
    """Read one XML document; comments and processing instructions are dropped.

    Args:
        xml: the file; a string is taken as already decoded, whatever encoding it declares.
        max_bytes: the largest file accepted, in bytes of UTF-8.
        max_depth: how deep elements may nest (never more than 150).
        max_elements: how many elements there may be.

    Raises:
        TemplateError: with code `empty`, `too_large`, `too_deep`, `too_many_elements`, `not_xml`,
            `not_well_formed`, `comment_double_hyphen`, `doctype`, `undefined_entity` or
            `bad_encoding`.
    """
    data, encoding = _to_bytes(xml)
    if len(data) > max_bytes:
        raise TemplateError(
            "too_large",
            f"The file has {len(data)} bytes, more than the {max_bytes} that are accepted.",
        )
    _refuse_what_is_no_xml(data)
    builder = _TreeBuilder(min(max_depth, DEPTH_CEILING), max_elements)
    parser = builder.attach(encoding)
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise _explain(error, parser, data, builder) from None
    except (LookupError, ValueError):
        raise TemplateError(*_SENTENCES[18], line=1, column=1) from None
    return builder.root()


def _to_bytes(xml: bytes | str) -> tuple[bytes, str | None]:
    if isinstance(xml, bytes) and xml.startswith(_UTF16_MARKS):
        try:
            xml = xml.decode("utf-16")
        except UnicodeDecodeError:
            raise TemplateError("bad_encoding", "The file is not valid UTF-16.") from None
    if isinstance(xml, bytes):
        return xml, None
    try:
        return xml.removeprefix("\ufeff").encode("utf-8"), "utf-8"
    except UnicodeEncodeError as error:
        before = xml[: error.start]
        raise TemplateError(
            "bad_encoding",
            "The text holds half of a surrogate pair, which no file can contain.",
            line=before.count("\n") + 1,
            column=error.start - before.rfind("\n"),
        ) from None


def _refuse_what_is_no_xml(data: bytes) -> None:
    start = data.removeprefix(codecs.BOM_UTF8).lstrip()
    if not start:
        raise TemplateError("empty", "The file is empty.")
    if not start.startswith((b"<", b"\x00<")):
        raise TemplateError(
            "not_xml", "The file does not begin with '<': it is no XML.", line=1, column=1
        )


@dataclass
class _Open:
    """An element whose end tag has not been read yet."""

    tag: str
    attributes: tuple[tuple[str, str], ...]
    line: int
    column: int
    content: list[str | RawNode] = field(default_factory=list)

    def add_text(self, text: str) -> None:
        last = self.content[-1] if self.content else None
        if isinstance(last, str):
            self.content[-1] = last + text
        else:
            self.content.append(text)

    def close(self) -> RawNode:
        """The finished element; white space that only separates elements is dropped."""
        content = [part for part in self.content if not isinstance(part, str) or part.strip()]
        if not content or any(isinstance(part, str) for part in content):
            content = self.content
        return RawNode(
            self.tag, self.attributes, tuple(content), line=self.line, column=self.column
        )


class _TreeBuilder:
    """Receives expat's events and puts the tree together, counting what it is given."""

    def __init__(self, max_depth: int, max_elements: int) -> None:
        self._max_depth = max_depth
        self._max_elements = max_elements
        self._count = 0
        self._done: RawNode | None = None
        self._place: Callable[[], tuple[int, int]] = lambda: (0, 0)
        self.stack: list[_Open] = []

    def attach(self, encoding: str | None) -> expat.XMLParserType:
        """A parser that reports to this builder."""
        parser = expat.ParserCreate(encoding)
        parser.ordered_attributes = True
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        parser.StartDoctypeDeclHandler = self._doctype
        self._place = lambda: (parser.CurrentLineNumber, parser.CurrentColumnNumber + 1)
        return parser

    def root(self) -> RawNode:
        """The finished tree; expat has made sure that there is exactly one root."""
        assert self._done is not None  # noqa: S101 - a document without a root is an expat error
        return self._done

    def _start(self, tag: str, attributes: list[str]) -> None:
        line, column = self._place()
        self._count += 1
        if self._count > self._max_elements:
            raise TemplateError(
                "too_many_elements",
                f"The file has more than {self._max_elements} elements.",
                line=line,
                column=column,
            )
        if len(self.stack) >= self._max_depth:
            raise TemplateError(
                "too_deep",
                f"Elements are nested more than {self._max_depth} deep.",
                line=line,
                column=column,
            )
        pairs = tuple(zip(attributes[::2], attributes[1::2], strict=True))
        self.stack.append(_Open(tag, pairs, line, column))

    def _end(self, _tag: str) -> None:
        node = self.stack.pop().close()
        if self.stack:
            self.stack[-1].content.append(node)
        else:
            self._done = node

    def _characters(self, text: str) -> None:
        self.stack[-1].add_text(text)

    def _doctype(self, *_declaration: object) -> None:
        line, column = self._place()
        raise TemplateError(
            "doctype",
            "The file has a DOCTYPE declaration; a template needs none, and entities are refused.",
            line=line,
            column=column,
        )


def _explain(
    error: expat.ExpatError, parser: expat.XMLParserType, data: bytes, builder: _TreeBuilder
) -> TemplateError:
    line, column = error.lineno, error.offset + 1
    code, message = _SENTENCES.get(error.code, _UNTOLD)
    if error.code == _TAG_MISMATCH and builder.stack:
        open_element = builder.stack[-1]
        message = (
            f"This end tag does not close <{open_element.tag}>, "
            f"which was opened in line {open_element.line}."
        )
    elif (hyphens := _double_hyphen(data, parser.ErrorByteIndex)) >= 0:
        before = data[:hyphens].decode("utf-8", errors="replace")
        return TemplateError(
            "comment_double_hyphen",
            "There is a '--' inside a comment: XML forbids it, and 3CX answers "
            '"incorrect file format" when the file is uploaded.',
            line=before.count("\n") + 1,
            column=len(before) - before.rfind("\n"),
        )
    return TemplateError(code, message, line=line, column=column)


def _double_hyphen(data: bytes, index: int) -> int:
    """Where the forbidden '--' stands when the error at `index` is inside a comment; -1 if not."""
    start = data.rfind(b"<!--", 0, max(index, 0))
    if start < 0 or data.find(b"-->", start + 4, index) >= 0:
        return -1
    return data.rfind(b"--", start + 4, index + 2)
