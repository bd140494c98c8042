"""Answers as documents: JSON or XML, walked by dot-separated paths.

A path is absolute from the root and goes *through* arrays without an index (reported from live
PBXs): for ``{"contacts": [{"id": 1}, {"id": 2}]}`` the path is ``contacts.id`` and has two ends.
Where a path goes through an array, the element taken is remembered in a *place*, so that other
paths through the same array stay within the same record.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from typing import Any
from xml.parsers.expat import ExpatError

import xmltodict

from callhelm_threecx.pbx.dotnet_numbers import format_number
from callhelm_threecx.pbx.errors import ExchangeError

Document = Any
"""What ``json.loads`` gives: dictionaries, lists, texts, numbers, booleans, None."""

Place = dict[tuple[tuple[str, ...], int], Document]
"""The element taken of each array on the way, by the path to the array and its nesting."""

MAX_RECORDS = 1_000
"""Records read from one answer; authors ask for 20 at the most."""

_MAX_NESTED_ARRAYS = 16


def parse_document(body: str, kind: str | None) -> Document:
    """Read an answer of ``ResponseType`` Json (the default) or Xml; a blank one is None.

    Raises :class:`ExchangeError` when it cannot be read. XML entities are not expanded.
    """
    if not body.strip():
        return None
    try:
        return _parse_xml(body) if kind == "Xml" else json.loads(body)
    except (ValueError, RecursionError, ExpatError):
        name = "XML" if kind == "Xml" else "JSON"
        raise ExchangeError(f"The answer is not {name} that can be read.") from None


def _parse_xml(body: str) -> Document:
    """Read XML so that paths may name its root element or leave it out; attributes are fields."""
    ((root, content),) = xmltodict.parse(body, disable_entities=True, attr_prefix="").items()
    return {**content, root: content} if isinstance(content, dict) else {root: content}


def text_of(leaf: Document) -> str:
    """Print what a path ends at: booleans as .NET words, null as nothing, a branch as JSON.

    Raises :class:`ExchangeError` for a branch that is nested beyond all reason.
    """
    if leaf is None:
        return ""
    if isinstance(leaf, (str, bool)):
        return str(leaf)
    if isinstance(leaf, int):
        return str(leaf)
    if isinstance(leaf, float):
        return format_number(leaf)
    if isinstance(leaf, dict) and isinstance(leaf.get("#text"), str):
        return str(leaf["#text"])
    try:
        return json.dumps(leaf, ensure_ascii=False, separators=(",", ":")) if leaf else ""
    except RecursionError:
        raise ExchangeError("The answer is nested too deep.") from None


def walk_path(
    document: Document, path: str, place: Place, *, empty_arrays: bool = False
) -> list[tuple[Place, Document]]:
    """Follow a path; give each of its ends with the place in which it was found.

    A missing end is None. ``empty_arrays`` lets a path that ends at an empty array have one end.
    """
    steps = tuple(path.split("."))
    found = _walk(document, steps, 0, place, empty=empty_arrays)
    return list(islice(found, MAX_RECORDS))


def _walk(
    node: Document,
    steps: tuple[str, ...],
    index: int,
    place: Place,
    *,
    nested: int = 0,
    empty: bool,
) -> Iterator[tuple[Place, Document]]:
    while not isinstance(node, list):
        if index == len(steps):
            yield place, node
            return
        node = node.get(steps[index]) if isinstance(node, dict) else None
        index, nested = index + 1, 0
    key = (steps[:index], nested)
    deeper = nested + 1
    if key in place:
        yield from _walk(place[key], steps, index, place, nested=deeper, empty=empty)
    elif nested < _MAX_NESTED_ARRAYS:
        for element in node:
            inside = {**place, key: element}
            yield from _walk(element, steps, index, inside, nested=deeper, empty=empty)
        if empty and not node and index == len(steps):
            yield {**place, key: None}, "[]"
