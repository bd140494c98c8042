"""Finds keys in running text: thousands of keys, hundreds of thousands of texts, one pass."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Final
from urllib.parse import quote

SHORTEST_SOUGHT: Final = 8
"""Shorter texts, and mere digits, stand in a log for other reasons too; they are not sought."""

_LONG: Final = 24
_HINTED: Final = 16


def hint_of(api_key: str) -> str:
    """What may be shown of a key of any shape: its last characters if it has enough of them."""
    if len(api_key) < _HINTED:
        return "…"
    return f"{'3cx_' if api_key.startswith('3cx_') else ''}…{api_key[-4:]}"


def is_distinctive(api_key: str) -> bool:
    """Whether a key can be told from other text in which its characters happen to stand."""
    return len(api_key) >= SHORTEST_SOUGHT and any(letter.isalpha() for letter in api_key)


class KeySearch:
    """Replaces every known key in a text by its hint, in clear, percent-encoded or in JSON.

    An occurrence of any key covers one of the positions that are looked at: each group of keys has
    a width, and of all stretches of that width in a key those that a text is tried for come at
    regular steps. A text costs one dictionary access a step, however many keys there are.
    """

    def __init__(self, api_keys: Iterable[str]) -> None:
        hints: dict[str, str] = {}
        for key in filter(is_distinctive, api_keys):
            for written in (key, quote(key, safe="")):
                hints[written] = hint_of(key)
        in_json = {_in_json(key): _in_json(hint) for key, hint in hints.items()}
        self._text = _Needles(hints)
        self._json = _Needles(in_json)

    def in_text(self, text: str) -> str:
        """The text without keys."""
        return self._text.replace(text)

    def in_json(self, document: str) -> str:
        """A JSON document without keys; it stays one, as a key stands in its strings only."""
        return self._json.replace(document)

    def finds(self, text: str) -> bool:
        """Whether there may be a key in a text or JSON document."""
        return self._text.finds(text) or self._json.finds(text)


class _Needles:
    def __init__(self, replacements: Mapping[str, str]) -> None:
        self._replacements = replacements
        sizes = ([n for n in replacements if (len(n) < _LONG) is short] for short in (True, False))
        self._groups = [_Group(needles) for needles in sizes if needles]

    def finds(self, text: str) -> bool:
        return any(needle in text for group in self._groups for needle in group.candidates(text))

    def replace(self, text: str) -> str:
        found = {
            needle for group in self._groups for needle in group.candidates(text) if needle in text
        }
        for needle in sorted(found, key=len, reverse=True):
            text = text.replace(needle, self._replacements[needle])
        return text


class _Group:
    def __init__(self, needles: list[str]) -> None:
        shortest = min(map(len, needles))
        self._width = (shortest + 1) // 2
        self._step = shortest - self._width + 1
        self._stretches: dict[str, list[str]] = {}
        for needle in needles:
            for start in range(self._step):
                stretch = needle[start : start + self._width]
                self._stretches.setdefault(stretch, []).append(needle)

    def candidates(self, text: str) -> Iterator[str]:
        """Needles that share a stretch with the text, some of them several times."""
        for start in range(0, len(text) - self._width + 1, self._step):
            yield from self._stretches.get(text[start : start + self._width], ())


def _in_json(text: str) -> str:
    """A text as it stands between the quotes of a JSON string."""
    return json.dumps(text, ensure_ascii=False)[1:-1]
