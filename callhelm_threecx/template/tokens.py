"""The tokens of a 3CX expression; :mod:`callhelm_threecx.template.expressions` has the grammar."""

from __future__ import annotations

import re
from dataclasses import dataclass

from callhelm_threecx.template.syntax import ExpressionError

MAX_LENGTH = 1_000_000
"""Characters that one text may have; a longer one is refused, not read."""

COMPARISONS = frozenset({"==", "!=", "<", ">", "<=", ">="})


@dataclass(frozen=True)
class Token:
    """One token: ``kind`` is text, string, space, word, end, or the mark itself."""

    kind: str
    value: str
    position: int


_MARK = re.compile(r"\|\||&&|[=!<>]=|[<>\[\](),.]")
_WORD = re.compile(r"""[^\s\[\](),."'|&=!<>^]+|.""", re.DOTALL)
_SPACE = re.compile(r"\s+")
_STRING_MAY_START = frozenset({"(", ","}) | COMPARISONS
IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def tokenize(text: str, *, message: bool = False, condition: bool = False) -> list[Token]:
    """Split a text (or a condition) into tokens, the last one of kind ``end``.

    Raises :class:`ExpressionError` for a string that is not closed and for a text that is too long.
    """
    if len(text) > MAX_LENGTH:
        raise ExpressionError(f"The text is longer than {MAX_LENGTH:,} characters.", MAX_LENGTH)
    tokens: list[Token] = []
    place = depth = 0
    significant = "("  # an apostrophe opens a string only where an operand begins
    while place < len(text):
        if depth == 0 and not condition:
            token = _literal(text, place)
        else:
            token = _expression_token(text, place, significant, message=message)
        depth += {"[": 1, "]": -1}.get(token.kind, 0)
        place = end_of(token)
        if token.kind != "space":
            significant = token.kind
        tokens.append(token)
    tokens.append(Token("end", "", len(text)))
    return tokens


def _literal(text: str, place: int) -> Token:
    if text[place] == "[":
        return Token("[", "[", place)
    end = text.find("[", place)
    return Token("text", text[place : end if end >= 0 else len(text)], place)


def _expression_token(text: str, place: int, previous: str, *, message: bool) -> Token:
    space = _SPACE.match(text, place)
    if space:
        return Token("space", space.group(), place)
    mark = _MARK.match(text, place)
    if mark:
        return Token(mark.group(), mark.group(), place)
    quote = _opening_quote(text, place, previous, message=message)
    if quote:
        end = text.find(quote, place + len(quote))
        if end < 0:
            raise ExpressionError("A string is opened here and never closed.", place)
        return Token("string", text[place : end + len(quote)], place)
    word = _WORD.match(text, place)
    return Token("word", word.group() if word else text[place], place)


def _opening_quote(text: str, place: int, previous: str, *, message: bool) -> str:
    if text[place] == '"':
        return '"'
    if message and text.startswith("^^", place):
        return "^^"
    return "'" if text[place] == "'" and previous in _STRING_MAY_START else ""


def end_of(token: Token) -> int:
    """Say where the token ends: the offset of the character behind it."""
    return token.position + len(token.value)
