"""What every element of a template is made of: its place, what it holds, and what nobody knows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar


@dataclass(frozen=True)
class RawNode:
    """An element that the format does not know, exactly as it stood in the file."""

    tag: str
    attributes: tuple[tuple[str, str], ...] = ()
    content: tuple[str | RawNode, ...] = ()
    line: int = field(default=0, compare=False, repr=False)
    column: int = field(default=0, compare=False, repr=False)

    @property
    def text(self) -> str:
        """The element's own text, without that of elements inside."""
        return "".join(part for part in self.content if isinstance(part, str))

    @property
    def children(self) -> tuple[RawNode, ...]:
        """The elements inside, in their order."""
        return tuple(part for part in self.content if not isinstance(part, str))

    def attribute(self, name: str) -> str | None:
        """The value of an attribute, or None when the element does not have it."""
        return dict(self.attributes).get(name)


@dataclass(frozen=True)
class Extra:
    """What an element holds beyond the format: kept, written again, and reported by the lint."""

    attributes: tuple[tuple[str, str], ...] = ()
    children: tuple[RawNode, ...] = ()
    text: str = ""

    def __bool__(self) -> bool:
        return bool(self.attributes or self.children or self.text)


@dataclass(frozen=True, kw_only=True)
class Element:
    """What every element has: its place in the file, and what the format does not know of it."""

    line: int = field(default=0, compare=False, repr=False)
    column: int = field(default=0, compare=False, repr=False)
    extra: Extra = field(default=Extra(), repr=False)


T_co = TypeVar("T_co", bound=Element, covariant=True)


@dataclass(frozen=True, kw_only=True)
class Section(Element, Generic[T_co]):
    """A wrapper such as `<Rules>` and the elements in it; iterate it for those.

    `present` tells an empty wrapper from one that is not in the file.
    """

    items: tuple[T_co, ...] = ()
    present: bool = False

    def __post_init__(self) -> None:
        if (self.items or self.extra) and not self.present:
            object.__setattr__(self, "present", True)

    def attribute(self, name: str) -> str | None:
        """An attribute of the wrapper itself: `<PostValues Key="" If="" SkipIf="">` ships."""
        return dict(self.extra.attributes).get(name)

    def __iter__(self) -> Iterator[T_co]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> T_co:
        return self.items[index]

    def __bool__(self) -> bool:
        return bool(self.items)
