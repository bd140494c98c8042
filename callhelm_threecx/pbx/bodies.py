"""The body of a request: PostValues as JSON or as a form, or a Message."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from urllib.parse import quote_plus

from callhelm_threecx.pbx.errors import EvaluationError
from callhelm_threecx.pbx.evaluate import Evaluator
from callhelm_threecx.template.model import PostArray, PostItem, PostObject, Value

Json = str | int | float | bool | None | dict[str, "Json"] | list["Json"]

_WHOLE = frozenset({"Integer", "Int", "Long", "Number"})
_FRACTIONAL = frozenset({"Double", "Decimal", "Float", "Number"})


def passes_of(text: str | None) -> int:
    """Read a ``Passes`` attribute; absent, empty or unreadable means once."""
    try:
        return int(text or "0")
    except ValueError:
        return 0


def is_wanted(item: PostItem, evaluator: Evaluator) -> bool:
    """Say whether ``If`` and ``SkipIf`` let a value take part."""
    if item.if_ and item.if_.strip() and not evaluator.condition(item.if_):
        return False
    return not (item.skip_if and evaluator.condition(item.skip_if))


class BodyWriter:
    """Writes the PostValues of one request."""

    def __init__(self, evaluator: Evaluator, swallow: Callable[[str], None]) -> None:
        self._evaluator = evaluator
        self._swallow = swallow

    def json(self, items: Iterable[PostItem]) -> str:
        """Write a JSON object; every text is escaped, whatever characters it has."""
        return json.dumps(self._members(items), ensure_ascii=False, separators=(",", ":"))

    def form(self, items: Iterable[PostItem]) -> str:
        """Write ``application/x-www-form-urlencoded``; a nested item becomes JSON text."""
        fields: list[str] = []
        for item in items:
            if not is_wanted(item, self._evaluator):
                continue
            if isinstance(item, Value):
                text = self._text(item)
            else:
                self._swallow(f'"{item.key}" is nested, which a form cannot be.')
                text = json.dumps(self._branch(item), ensure_ascii=False, separators=(",", ":"))
            fields.append(f"{quote_plus(item.key or '')}={quote_plus(text)}")
        return "&".join(fields)

    def _members(self, items: Iterable[PostItem]) -> dict[str, Json]:
        return {
            item.key or "": self._branch(item) for item in items if is_wanted(item, self._evaluator)
        }

    def _branch(self, item: PostItem) -> Json:
        if isinstance(item, PostObject):
            return self._members(item.items)
        if isinstance(item, PostArray):
            return [self._branch(each) for each in item.items if is_wanted(each, self._evaluator)]
        return self._typed(item)

    def _text(self, item: Value) -> str:
        return self._evaluator.text(item.text or "", passes_of(item.passes))

    def _typed(self, item: Value) -> Json:
        text = self._text(item)
        kind = item.type or "String"
        if kind == "Boolean":
            word = text.strip().lower()
            if word not in ("true", "false"):
                raise EvaluationError(f'"{item.key}" is a Boolean, "{text[:40]}" is none.')
            return word == "true"
        if kind in _WHOLE or kind in _FRACTIONAL:
            return self._number(item, text, kind)
        return text

    def _number(self, item: Value, text: str, kind: str) -> Json:
        for read in ((int,) if kind in _WHOLE else ()) + ((float,) if kind in _FRACTIONAL else ()):
            try:
                number = read(text)
            except ValueError:
                continue
            if number - number == 0:
                return number
        raise EvaluationError(f'"{item.key}" is of Type {kind}, "{text[:40]}" is not.')
