"""Writing a plain tree as XML text, through `xmltodict.unparse`.

Three things need care. xmltodict takes a dictionary, which would group siblings of one name: here
every child has a key of its own, and a preprocessor turns the key back into the tag. It writes the
text of an element behind its children, and pretty-printing puts white space around them: text
beside elements travels as an element of its own, whose tags are removed again. And XML readers turn
a carriage return into a line feed, and some drop text that is only white space: line ends and tabs
in a text are written as numeric references.
"""

from __future__ import annotations

import re
from typing import Any, Final

import xmltodict

from callhelm_threecx.template.elements import RawNode
from callhelm_threecx.template.errors import TemplateError
from callhelm_threecx.template.xmlread import DEPTH_CEILING

_FORBIDDEN: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NAME: Final = re.compile(r"[^\W\d][\w.\-\u00b7]*(?::[^\W\d][\w.\-\u00b7]*)?\Z")

# U+0000 cannot occur in what is written, so nothing in a template can be taken for it.
_TEXT_TAG: Final = "\x00"
_TEXT: Final = re.compile(r"\s*<\x00(?:/>|>(.*?)</\x00>)\s*", re.DOTALL)
# In text, "\r" is followed by a letter that says what stood there; pretty-printing never writes it.
_LINE_ENDS: Final = (("\r", "\rR"), ("\n", "\rN"), ("\t", "\rT"))
_REFERENCES: Final = (("\rT", "&#9;"), ("\rN", "&#10;"), ("\rR", "&#13;"))


def write_tree(root: RawNode) -> str:
    """Write a document with an XML declaration, two spaces to a level, the same on every run.

    Raises:
        TemplateError: `forbidden_character` for a character that XML 1.0 cannot hold, `bad_name`
            for what cannot be the name of an element or attribute, `duplicate_attribute`,
            `too_deep`.
    """
    text: str = xmltodict.unparse(
        {f"0 {root.tag}": _to_dict(root, f"<{root.tag}>", 1)},
        pretty=True,
        indent="  ",
        newl="\n",
        short_empty_elements=True,
        preprocessor=_tag_of_key,
    )
    text = _TEXT.sub(lambda found: found.group(1) or "", text)
    for mark, reference in _REFERENCES:
        text = text.replace(mark, reference)
    return text + "\n"


def _tag_of_key(key: str, value: Any) -> tuple[str, Any]:
    return key.partition(" ")[2], value


def _to_dict(node: RawNode, where: str, depth: int) -> dict[str, Any]:
    if depth > DEPTH_CEILING:
        raise TemplateError("too_deep", f"Elements are nested more than {DEPTH_CEILING} deep.")
    _check_name(node.tag, where)
    result: dict[str, Any] = {}
    for name, value in node.attributes:
        _check_name(name, where)
        if f"@{name}" in result:
            raise TemplateError("duplicate_attribute", f"{where} has the attribute {name} twice.")
        result[f"@{name}"] = checked_text(value, f"The attribute {name} of {where}")
    if node.children:
        _add_content(node, where, depth, result)
    elif node.text:
        result["#text"] = _escaped(node.text, where)
    return result


def _add_content(node: RawNode, where: str, depth: int, result: dict[str, Any]) -> None:
    mixed = bool(node.text.strip())
    for index, part in enumerate(node.content):
        if not isinstance(part, str):
            inner = f"{where.rstrip('>')}/{part.tag}>"
            result[f"{index} {part.tag}"] = _to_dict(part, inner, depth + 1)
            if mixed:
                result[f"{index}a {_TEXT_TAG}"] = ""
        elif mixed:
            result[f"{index} {_TEXT_TAG}"] = _escaped(part, where)


def _escaped(text: str, where: str) -> str:
    text = checked_text(text, f"The text of {where}")
    for character, mark in _LINE_ENDS:
        text = text.replace(character, mark)
    return text


def checked_text(text: str, what: str) -> str:
    """Give `text` back when XML can hold it; `what` names it in the error.

    Raises:
        TemplateError: `forbidden_character`.
    """
    found = _FORBIDDEN.search(text)
    if found:
        raise TemplateError(
            "forbidden_character",
            f"{what} holds the character U+{ord(found.group()):04X}, which XML cannot contain.",
        )
    return text


def _check_name(name: str, where: str) -> None:
    if not _NAME.match(name):
        raise TemplateError(
            "bad_name", f"{where} holds {name!r}, which cannot be the name of an XML element."
        )
