"""The expressions inside a 3CX template: how they are read. Nothing is evaluated here.

Two kinds of text exist. A *text* (a Url, a header, a value to post) is literal except for what
stands in square brackets; a *condition* (``SkipIf``, ``If``) is an expression from its first
character on. Both share one grammar, in which white space around an operand does not count::

    text       = { literal | bracket }                    literal: anything up to the next "["
    condition  = disjunction
    bracket    = "[" "]"                                  the two characters themselves
               | "[" name "]"                             a variable; name: bare text, "Contact::X"
               | "[" disjunction "]"
    disjunction = conjunction { "||" conjunction }
    conjunction = comparison { "&&" comparison }
    comparison  = operand [ ( "==" | "!=" | "<" | ">" | "<=" | ">=" ) operand ]
    operand     = "(" disjunction ")" | piece { piece }   several pieces are joined as text
    piece       = ( bracket | string | call ) { member } | bare | "(" { piece } ")"
    call        = identifier "(" [ argument { "," argument } ] ")"
    member      = "." identifier [ "(" [ argument { "," argument } ] ")" ]
    argument    = disjunction                             the first of IIf: a condition
                | { piece }                               any other: operators are plain text
    string      = '"' … '"' | "'" … "'" | "^^" … "^^"     the last one in a Message only
    bare        = any other run of characters

A backslash inside a string is an ordinary character, as .NET format strings need it (``hh\\:mm``).
Method calls need a second pair of brackets (3CX documentation): ``[[Number].Trim()]``; outside
brackets ``[Number].Trim()`` is the number followed by the characters ``.Trim()``.

Inside a ``Message`` the literal sequences ``{{``, ``}}`` and ``^^`` stand for ``[``, ``]`` and
``"`` (3CX documentation). :func:`unescape` turns them; who evaluates several times does it last.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby

from callhelm_threecx.template.syntax import (
    Bracket,
    Call,
    Comparison,
    Condition,
    ExpressionError,
    Join,
    Logic,
    Member,
    Node,
    String,
    Template,
    Text,
    Variable,
    variables,
    walk,
)
from callhelm_threecx.template.tokens import (
    COMPARISONS,
    IDENTIFIER,
    MAX_LENGTH,
    Token,
    end_of,
    tokenize,
)

__all__ = [
    "MAX_DEPTH",
    "MAX_LENGTH",
    "Bracket",
    "Call",
    "Comparison",
    "Condition",
    "ExpressionError",
    "Join",
    "Logic",
    "Member",
    "Node",
    "String",
    "Template",
    "Text",
    "Variable",
    "parse",
    "parse_condition",
    "unescape",
    "variables",
    "walk",
]

MAX_DEPTH = 40
"""How deep brackets, parentheses and calls may nest."""


def parse(text: str, *, message: bool = False) -> Template:
    """Read a text with variables in it. ``message`` says that it is a ``Message`` attribute.

    Raises :class:`ExpressionError`.
    """
    return _Parser(tokenize(text, message=message)).template(text)


def parse_condition(text: str) -> Condition:
    """Read a ``SkipIf`` or ``If``; a blank one is the empty text.

    Raises :class:`ExpressionError`.
    """
    return _Parser(tokenize(text, condition=True)).condition(text)


def unescape(literal: str) -> str:
    """Turn the escapes of a ``Message`` literal into the characters that they stand for."""
    return literal.replace("{{", "[").replace("}}", "]").replace("^^", '"')


_ENDS_OPERAND = frozenset({"end", "]", ")", ",", "||", "&&"}) | COMPARISONS
_ENDS_VALUE = frozenset({"end", "]", ")", ","})
_ENDS_GROUP = frozenset({"end", "]", ")"})


class _Parser:
    """Recursive descent over the tokens; every loop consumes one, so the time is linear."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._index = 0
        self._depth = 0

    # -- whole texts

    def template(self, source: str) -> Template:
        parts: list[Node] = []
        while self._kind != "end":
            if self._kind == "[":
                parts.append(self._bracket())
            else:
                token = self._take()
                parts.append(Text(token.position, token.value))
        return Template(0, source, tuple(parts))

    def condition(self, source: str) -> Condition:
        self._skip_space()
        if self._kind == "end":
            return Condition(0, source, Text(0, ""))
        expression = self._disjunction()
        if self._kind != "end":
            raise ExpressionError(f'"{self._token.value}" is not expected here.', self._position)
        return Condition(0, source, expression)

    # -- expressions

    def _bracket(self) -> Node:
        opened = self._take("[")
        if self._kind == "]":
            self._take()
            return Text(opened.position, "[]")
        self._enter()
        expression = None if self._kind == "end" else self._disjunction()
        if expression is None or self._kind == "end":
            raise ExpressionError("A bracket is opened here and never closed.", opened.position)
        closed = self._take("]")
        self._depth -= 1
        if isinstance(expression, Text):
            expression = Variable(expression.position, expression.value)
        return Bracket(opened.position, end_of(closed), expression)

    def _disjunction(self) -> Node:
        return self._logic("||", self._conjunction)

    def _conjunction(self) -> Node:
        return self._logic("&&", self._comparison)

    def _logic(self, operator: str, operand: Callable[[], Node]) -> Node:
        operands = [operand()]
        position = self._position
        while self._kind == operator:
            self._take()
            operands.append(operand())
        return operands[0] if len(operands) == 1 else Logic(position, operator, tuple(operands))

    def _comparison(self) -> Node:
        left = self._operand()
        if self._kind not in COMPARISONS:
            return left
        token = self._take()
        return Comparison(token.position, token.kind, left, self._operand())

    def _operand(self) -> Node:
        self._skip_space()
        if self._kind == "(":
            return self._group()
        start = self._position
        parts = self._pieces(_ENDS_OPERAND)
        if not parts:
            raise ExpressionError("A value is missing here.", start)
        return _joined(start, parts)

    def _group(self) -> Node:
        self._take("(")
        self._enter()
        inside = self._disjunction()
        self._take(")")
        self._depth -= 1
        members = self._members(inside)
        self._skip_space()
        return members

    def _value(self) -> Node:
        self._skip_space()
        start = self._position
        return _joined(start, self._pieces(_ENDS_VALUE))

    def _pieces(self, ends: frozenset[str]) -> list[Node]:
        pieces: list[Node] = []
        while self._kind not in ends:
            pieces.extend(self._piece())
        return pieces

    def _piece(self) -> list[Node]:
        if self._kind == "[":
            return [self._members(self._bracket())]
        if self._kind == "(":
            return self._parenthesis()
        token = self._take()
        if token.kind == "string":
            quote = 2 if token.value.startswith("^^") else 1
            return [self._members(String(token.position, token.value[quote:-quote]))]
        if self._kind == "(" and token.kind == "word" and IDENTIFIER.fullmatch(token.value):
            arguments = self._arguments(condition_first=token.value.lower() == "iif")
            return [self._members(Call(token.position, token.value, arguments))]
        return [Text(token.position, token.value)]

    def _parenthesis(self) -> list[Node]:
        """Read a parenthesis in running text: it and the commas in it are part of the text."""
        opened = self._take("(")
        self._enter()
        inside = self._pieces(_ENDS_GROUP)
        closed = self._take(")")
        self._depth -= 1
        return [Text(opened.position, "("), *inside, Text(closed.position, ")")]

    def _members(self, target: Node) -> Node:
        """Read the ``.Name(…)`` behind a value. Each one is a level deeper in the tree."""
        depth = self._depth
        while self._kind == "." and IDENTIFIER.fullmatch(self._tokens[self._index + 1].value):
            self._enter()
            self._take(".")
            name = self._take("word")
            arguments = self._arguments() if self._kind == "(" else None
            target = Member(name.position, target, name.value, arguments)
        self._depth = depth
        return target

    def _arguments(self, *, condition_first: bool = False) -> tuple[Node, ...]:
        self._take("(")
        self._enter()
        self._skip_space()
        arguments: list[Node] = []
        if self._kind != ")":
            arguments.append(self._disjunction() if condition_first else self._value())
        while self._kind == ",":
            self._take()
            arguments.append(self._value())
        self._take(")")
        self._depth -= 1
        return tuple(arguments)

    # -- tokens

    @property
    def _token(self) -> Token:
        return self._tokens[self._index]

    @property
    def _kind(self) -> str:
        return self._token.kind

    @property
    def _position(self) -> int:
        return self._token.position

    def _take(self, kind: str = "") -> Token:
        token = self._token
        if kind and token.kind != kind:
            found = f'"{token.value}"' if token.value else "the end of the text"
            raise ExpressionError(f'"{kind}" is expected, {found} was found.', token.position)
        self._index += 1
        return token

    def _skip_space(self) -> None:
        while self._kind == "space":
            self._index += 1

    def _enter(self) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise ExpressionError(f"Nested more than {MAX_DEPTH} levels deep.", self._position)


def _joined(start: int, parts: list[Node]) -> Node:
    """Merge neighbouring literals, drop white space behind the last, unwrap a single piece."""
    merged: list[Node] = []
    for literal, group in groupby(parts, key=lambda part: isinstance(part, Text)):
        pieces = list(group)
        if literal:
            text = "".join(piece.value for piece in pieces if isinstance(piece, Text))
            merged.append(Text(pieces[0].position, text))
        else:
            merged.extend(pieces)
    if merged and isinstance(last := merged[-1], Text):
        tail = last.value.rstrip()
        merged[-1:] = [Text(last.position, tail)] if tail else []
    if not merged:
        return Text(start, "")
    return merged[0] if len(merged) == 1 else Join(start, tuple(merged))
