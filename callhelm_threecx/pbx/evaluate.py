"""Expressions put into effect: variables filled in, conditions decided, .NET members called.

Two modes. *Faithful* does what a PBX does, silently: an unknown variable stays as its own
placeholder, a text that does not follow the grammar stays as it is. *Strict* raises
:class:`StrictError` on each of these. What throws on a PBX raises :class:`EvaluationError` in both.

No Python is ever evaluated. The time is linear in the length of what is read and written, and
bounded: by the parser's depth, by :data:`MAX_PASSES`, by the size of the result.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache

from callhelm_threecx.pbx.culture import INVARIANT, Culture
from callhelm_threecx.pbx.dotnet_arguments import MAX_TEXT, show
from callhelm_threecx.pbx.dotnet_members import call_method, read_property
from callhelm_threecx.pbx.errors import EvaluationError, StrictError
from callhelm_threecx.pbx.values import DateTime, TimeSpan, Value, type_name
from callhelm_threecx.template.expressions import (
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
    parse,
    parse_condition,
    unescape,
)

MAX_PASSES = 10
"""How often one text is evaluated at the most; four is the most that templates ask for."""


class Reader:
    """Parses texts, and remembers those of the template; one serves a whole engine."""

    def __init__(self, remembered: int = 2048) -> None:
        self._parse = lru_cache(remembered)(parse)
        self.condition = lru_cache(remembered)(parse_condition)

    def template(self, source: str, *, message: bool, remember: bool) -> Template:
        """Parse a text; a text that a variable's value went into is not worth remembering."""
        return self._parse(source, message=message) if remember else parse(source, message=message)


class Evaluator:
    """Evaluates texts and conditions over one set of variables.

    ``variables`` maps names to .NET values; ``notes`` collects a sentence for everything that a
    PBX would have swallowed.
    """

    def __init__(
        self,
        variables: Mapping[str, Value],
        *,
        strict: bool = False,
        culture: Culture = INVARIANT,
        reader: Reader | None = None,
        notes: list[str] | None = None,
    ) -> None:
        self._variables = variables
        self._strict = strict
        self._culture = culture
        self._reader = reader or Reader()
        self._notes = notes if notes is not None else []

    def text(self, source: str, passes: int = 1, *, message: bool = False) -> str:
        """Fill in a text; ``passes`` of 0 and 1 both mean once (seen in shipping templates).

        Raises :class:`EvaluationError`, and :class:`StrictError` in strict mode.
        """
        if passes > MAX_PASSES:
            self._swallow(f"{passes} passes were asked for, {MAX_PASSES} are made.")
        last = min(max(passes, 1), MAX_PASSES)
        current = source
        for number in range(1, last + 1):
            filled = self._pass(current, message=message, first=number == 1, last=number == last)
            if filled is None:
                break
            current = filled
        return current

    def condition(self, source: str) -> bool:
        """Decide a ``SkipIf`` or ``If``. A blank one is False, and so is one that says nothing."""
        if not source.strip():
            return False
        try:
            parsed = self._reader.condition(source)
        except ExpressionError as error:
            self._swallow(f'The condition "{source}" is not understood: {error}')
            return False
        return self._truth(self._value(parsed, source), source)

    def value(self, source: str) -> Value:
        """Evaluate a text that is one bracket to its .NET value, any other to its characters."""
        try:
            parsed = self._reader.template(source, message=False, remember=True)
        except ExpressionError as error:
            self._swallow(f'"{source}" is not understood: {error}')
            return source
        if len(parsed.parts) == 1:
            return self._value(parsed.parts[0], source)
        return self._value(parsed, source)

    # -- texts

    def _pass(self, source: str, *, message: bool, first: bool, last: bool) -> str | None:
        """Evaluate once; None when the text is not understood and stays as it is."""
        try:
            parsed = self._reader.template(source, message=message, remember=first)
        except ExpressionError as error:
            self._swallow(f'"{_short(source)}" is not understood and stays as it is: {error}')
            return None
        escapes = message and last
        return self._join(parsed.parts, source, unescape if escapes else str)

    def _join(self, parts: tuple[Node, ...], source: str, literal: Callable[[str], str]) -> str:
        filled: list[str] = []
        length = 0
        for part in parts:
            if isinstance(part, Text):
                piece = literal(part.value)
            else:
                piece = show(self._value(part, source), self._culture)
            length += len(piece)
            if length > MAX_TEXT:
                raise EvaluationError(f"The text is longer than {MAX_TEXT:,} characters.")
            filled.append(piece)
        return "".join(filled)

    # -- values

    def _value(self, node: Node, source: str) -> Value:
        match node:
            case Text(value=value) | String(value=value):
                return value
            case Bracket():
                return self._bracket(node, source)
            case Join(parts=parts) | Template(parts=parts):
                return self._join(parts, source, str)
            case Condition(expression=expression):
                return self._value(expression, source)
            case Call():
                return self._call(node, source)
            case _:
                return self._operation(node, source)

    def _operation(self, node: Node, source: str) -> Value:
        match node:
            case Member():
                return self._member(node, source)
            case Comparison(operator=operator, left=left, right=right):
                return self._compare(
                    operator, self._value(left, source), self._value(right, source)
                )
            case Logic(operator=operator, operands=operands):
                verdicts = (self._truth(self._value(each, source), source) for each in operands)
                return any(verdicts) if operator == "||" else all(verdicts)
            case _:
                raise EvaluationError("A variable stands outside its brackets.")

    def _bracket(self, node: Bracket, source: str) -> Value:
        if not isinstance(node.expression, Variable):
            return self._value(node.expression, source)
        name = node.expression.name
        if name in self._variables:
            return self._variables[name]
        self._swallow(f"Nothing provides the variable [{name}]; it stays as it is.")
        return source[node.position : node.end]

    def _call(self, node: Call, source: str) -> Value:
        if node.name.lower() != "iif":
            raise EvaluationError(f"There is no function {node.name}; there is IIf.")
        if len(node.arguments) != 3:
            raise EvaluationError(f"IIf takes three arguments, not {len(node.arguments)}.")
        condition, then, otherwise = node.arguments
        chosen = then if self._truth(self._value(condition, source), source) else otherwise
        return self._value(chosen, source)

    def _member(self, node: Member, source: str) -> Value:
        target = self._value(node.target, source)
        if node.arguments is None:
            return read_property(target, node.name)
        arguments = tuple(self._value(each, source) for each in node.arguments)
        return call_method(target, node.name, arguments, self._culture)

    # -- truth

    def _truth(self, value: Value, source: str) -> bool:
        if isinstance(value, bool):
            return value
        word = show(value, self._culture).strip().lower()
        if word not in ("true", "false", ""):
            self._swallow(f'"{_short(source)}" is neither True nor False; it counts as False.')
        return word == "true"

    def _compare(self, operator: str, left: Value, right: Value) -> bool:
        order = self._order(operator, left, right)
        return {
            "==": order == 0,
            "!=": order != 0,
            "<": order < 0,
            ">": order > 0,
            "<=": order <= 0,
            ">=": order >= 0,
        }[operator]

    def _order(self, operator: str, left: Value, right: Value) -> int:
        """Give a negative number, 0 or a positive one, as the left side is less, equal or more."""
        if isinstance(left, (DateTime, TimeSpan)) and type(left) is type(right):
            return _sign(left.ticks, right.ticks)
        equality = operator in ("==", "!=")
        if not equality or _is_number(left) or _is_number(right):
            numbers = _number(left), _number(right)
            if numbers[0] is not None and numbers[1] is not None:
                return _sign(numbers[0], numbers[1])
        if not equality:
            names = f"{type_name(left)} and {type_name(right)}"
            self._swallow(f"{names} are compared by {operator} as texts, not as numbers.")
        texts = show(left, self._culture), show(right, self._culture)
        return (texts[0] > texts[1]) - (texts[0] < texts[1])

    def _swallow(self, sentence: str) -> None:
        if self._strict:
            raise StrictError(sentence)
        self._notes.append(sentence)


def _sign(left: float, right: float) -> int:
    return (left > right) - (left < right)


def _is_number(value: Value) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _number(value: Value) -> float | None:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return value
    try:
        return float(value) if isinstance(value, str) and len(value) < 400 else None
    except ValueError:
        return None


def _short(text: str) -> str:
    return text if len(text) <= 80 else text[:77] + "…"
