"""How a dataclass field says which part of an XML element it holds.

Each class of `model` is its own schema: `attribute`, `content`, `child`, `children` and `section`
attach the XML name to a field, and `schema_of` gives all of them for a class. The codec reads and
writes by it, and the lint uses it to tell a known name from a misspelt one.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

_KEY: Final = "threecx"

Of = Callable[[], type[Any]]


@dataclass(frozen=True)
class Binding:
    """One field and the XML it stands for.

    `kind` is `attribute`, `content` (the text of the element), `child` (at most one element),
    `children` (repeated elements, directly inside) or `section` (repeated elements inside a
    wrapper). `types` maps each element name that may occur to a function giving its class;
    `wrapper` is the wrapper's element name.
    """

    kind: str
    name: str
    types: dict[str, Of]
    field: str = ""


@dataclass(frozen=True)
class Schema:
    """All bindings of one class, in the order in which they are written."""

    attributes: dict[str, str]
    content: str | None
    parts: tuple[Binding, ...]

    @property
    def elements(self) -> tuple[str, ...]:
        """The names of the child elements that this element may have."""
        names: list[str] = []
        for part in self.parts:
            names += [part.name] if part.kind == "section" else list(part.types)
        return tuple(names)


def attribute(name: str) -> Any:
    """Declare a text attribute: None when it is absent, "" when it is there and empty."""
    return field(default=None, metadata={_KEY: Binding("attribute", name, {})})


def content() -> Any:
    """Declare the element's own text: None when there is none."""
    return field(default=None, metadata={_KEY: Binding("content", "", {})})


def child(name: str, of: Of) -> dict[str, Binding]:
    """The metadata of a field for an element that may occur once."""
    return {_KEY: Binding("child", name, {name: of})}


def children(types: dict[str, Of]) -> dict[str, Binding]:
    """The metadata of a field for elements directly inside, in any number and order."""
    return {_KEY: Binding("children", "", types)}


def section(name: str, types: dict[str, Of]) -> dict[str, Binding]:
    """The metadata of a field for elements in a wrapper of their own."""
    return {_KEY: Binding("section", name, types)}


def schema_of(cls: type[Any]) -> Schema:
    """What the fields of a model class say about its XML."""
    key: Any = cls  # mypy does not take a class for hashable when its instances compare by value
    return _collect(key)


@lru_cache(maxsize=64)
def _collect(cls: Any) -> Schema:
    attributes: dict[str, str] = {}
    text: str | None = None
    parts: list[Binding] = []
    for item in dataclasses.fields(cls):
        binding: Binding | None = item.metadata.get(_KEY)
        if binding is None:
            continue
        if binding.kind == "attribute":
            attributes[binding.name] = item.name
        elif binding.kind == "content":
            text = item.name
        else:
            parts.append(dataclasses.replace(binding, field=item.name))
    return Schema(attributes, text, tuple(parts))
