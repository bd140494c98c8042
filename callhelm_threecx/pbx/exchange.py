"""One request and its answer, kept as they were and shown with everything secret masked."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import quote, quote_plus

from callhelm_threecx.pbx.outgoing import Outgoing

MASK = "•••"

SECRET_NAME = re.compile(
    r"pass(word|wd)?|secret|token|api-?_?key|authorization|cookie|credential|bearer|session-?_?id",
    re.IGNORECASE,
)
"""Names of headers, query parameters and fields whose values are not for showing."""

_JSON_FIELD = re.compile(r'("(?P<name>[^"\\]{1,64})"\s*:\s*")(?P<value>(?:[^"\\]|\\.)*)(?=")')
_PAIR = re.compile(r"(?P<name>[^=&?#\s\"{}]{1,64})=(?P<value>[^&#\s\"{}]+)")
_SHORTEST_SECRET = 4


@dataclass(frozen=True)
class Exchange:
    """What one scenario sent, and what came back.

    ``seconds`` is the time from sending to the last byte, ``queued`` the time before that in which
    the request waited for its turn (MaxConcurrentRequests). ``status`` is 0 when no answer came,
    and then ``error`` says why. The fields are as they were on the wire; :meth:`show` and the
    ``repr`` mask keys.
    """

    scenario: str
    request: Outgoing = field(repr=False)
    status: int = 0
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    body: str = field(default="", repr=False)
    seconds: float = 0.0
    queued: float = 0.0
    error: str = ""
    secrets: frozenset[str] = field(default=frozenset(), repr=False, compare=False)

    @property
    def method(self) -> str:
        """The HTTP method."""
        return self.request.method

    @property
    def url(self) -> str:
        """The address that was asked, with whatever keys it carries."""
        return self.request.url

    @property
    def ok(self) -> bool:
        """Whether an answer came and its status says success."""
        return 200 <= self.status < 300 and not self.error

    @property
    def sent(self) -> str:
        """The body that was sent, as text."""
        return self.request.body.decode("utf-8", "replace")

    def show(self) -> str:
        """Lay the exchange out for people: request, answer, time; keys masked."""
        name = self.scenario or "lookup by number"
        lines = [f"# {name}", f"{self.method} {self.masked(self.url)}"]
        lines += [self._header(*pair) for pair in self.request.headers]
        lines += ["", self.masked(self.sent)] if self.sent else []
        outcome = str(self.status) if self.status else "no answer"
        lines += ["", f"-> {outcome} in {self.seconds * 1000:.0f} ms"]
        lines += [f"   {self.error}"] if self.error else []
        lines += [self._header(*pair) for pair in self.headers if pair[0].lower() in _TELLING]
        lines += ["", self.masked(self.body)] if self.body else []
        return "\n".join(lines)

    def to_dict(self) -> dict[str, object]:
        """Give the exchange as JSON-ready data, keys masked."""
        return {
            "scenario": self.scenario,
            "method": self.method,
            "url": self.masked(self.url),
            "headers": {name: self._value(name, value) for name, value in self.request.headers},
            "body": self.masked(self.sent),
            "status": self.status,
            "answer": self.masked(self.body),
            "milliseconds": round(self.seconds * 1000, 1),
            "error": self.error,
        }

    def masked(self, text: str) -> str:
        """Hide secrets by value, and the values of fields and parameters with a secret's name."""
        for secret in sorted(self.secrets, key=len, reverse=True):
            if len(secret) >= _SHORTEST_SECRET:
                for form in {secret, quote(secret, safe=""), quote_plus(secret)}:
                    text = text.replace(form, MASK)
        text = _JSON_FIELD.sub(lambda found: _hidden(found, found.group(1)), text)
        return _PAIR.sub(lambda found: _hidden(found, found.group("name") + "="), text)

    def _header(self, name: str, value: str) -> str:
        return f"{name}: {self._value(name, value)}"

    def _value(self, name: str, value: str) -> str:
        return MASK if SECRET_NAME.search(name) else self.masked(value)


_TELLING = frozenset({"content-type", "x-request-id", "retry-after", "location"})


def _hidden(found: re.Match[str], before: str) -> str:
    if found.group("value") and SECRET_NAME.search(found.group("name")):
        return before + MASK
    return found.group()
