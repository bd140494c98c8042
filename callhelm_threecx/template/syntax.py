"""The syntax tree of a 3CX expression, and the error of a text that has none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


class ExpressionError(ValueError):
    """A text or condition that does not follow the grammar.

    ``message`` is a plain sentence, ``position`` the offset of the offending character.
    """

    def __init__(self, message: str, position: int) -> None:
        super().__init__(f"{message} (at character {position + 1})")
        self.message = message
        self.position = position


@dataclass(frozen=True)
class Text:
    """Literal characters: outside brackets, or a bare word inside an expression."""

    position: int
    value: str


@dataclass(frozen=True)
class String:
    """A quoted string; ``value`` is without its quotes."""

    position: int
    value: str


@dataclass(frozen=True)
class Variable:
    """A variable named in brackets, such as ``Number`` or ``Contact::Email``."""

    position: int
    name: str


@dataclass(frozen=True)
class Bracket:
    """``[…]`` from ``position`` up to, not including, ``end``."""

    position: int
    end: int
    expression: Node


@dataclass(frozen=True)
class Call:
    """A function such as ``IIf(a,b,c)``."""

    position: int
    name: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True)
class Member:
    """A .NET member of ``target``: a method when it has ``arguments``, otherwise a property."""

    position: int
    target: Node
    name: str
    arguments: tuple[Node, ...] | None


@dataclass(frozen=True)
class Comparison:
    """Two operands and ``== != < > <= >=`` between them."""

    position: int
    operator: str
    left: Node
    right: Node


@dataclass(frozen=True)
class Logic:
    """Two or more operands with ``||`` or ``&&`` between them, in the order of the text."""

    position: int
    operator: str
    operands: tuple[Node, ...]


@dataclass(frozen=True)
class Join:
    """Several pieces one after the other, joined as text."""

    position: int
    parts: tuple[Node, ...]


@dataclass(frozen=True)
class Template:
    """A whole text: literals (:class:`Text`) and brackets, with the source they were read from."""

    position: int
    source: str
    parts: tuple[Node, ...]


@dataclass(frozen=True)
class Condition:
    """A whole condition with the source it was read from."""

    position: int
    source: str
    expression: Node


Node = (
    Text
    | String
    | Variable
    | Bracket
    | Call
    | Member
    | Comparison
    | Logic
    | Join
    | Template
    | Condition
)


def walk(node: Node) -> Iterator[Node]:
    """Yield ``node`` and everything below it, outermost first."""
    pending = [node]
    while pending:
        current = pending.pop()
        yield current
        pending.extend(reversed(_children(current)))


def variables(node: Node) -> set[str]:
    """Name every variable that a text or condition refers to, ``Contact::`` prefix included."""
    return {found.name for found in walk(node) if isinstance(found, Variable)}


def _children(node: Node) -> tuple[Node, ...]:
    match node:
        case Template(parts=below) | Join(parts=below) | Logic(operands=below):
            return below
        case Call(arguments=below):
            return below
        case Bracket(expression=inside) | Condition(expression=inside):
            return (inside,)
        case Comparison(left=left, right=right):
            return (left, right)
        case Member(target=target, arguments=arguments):
            return (target, *(arguments or ()))
        case _:
            return ()
