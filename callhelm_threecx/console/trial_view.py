"""A trial as it is shown: each step of the PBX, with what went in, what came out and why."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from callhelm_threecx.console.trial import Trial

if TYPE_CHECKING:
    from callhelm_threecx.pbx.exchange import Exchange
    from callhelm_threecx.pbx.results import Contact

MAX_SHOWN: Final = 6_000
"""Most characters of an answer that are shown."""

MAX_OUTPUT: Final = 256
"""Most characters of one output that are shown."""

_HINTS: Final[Mapping[int, str]] = {
    401: "The server does not know the key in the template. Was it made anew elsewhere?",
    403: "The integration is switched off. Switch it on, and calls are answered again.",
    429: "Too many requests came with this key. Wait a minute; if your PBX meets this too, raise"
    " THREECX_RATE_LIMIT.",
    503: "The server's database or contact store does not answer.",
}
_WORD: Final = re.compile(r"(?<=[a-z])(?=[A-Z0-9])")


@dataclass(frozen=True, slots=True)
class Found:
    """A contact among the results. ``outputs`` are (label, text), the filled ones; ``reason`` says
    why the PBX drops it, or is empty."""

    name: str
    outputs: Sequence[tuple[str, str]]
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Card:
    """What an agent's phone shows. ``link`` is empty unless a browser may open it."""

    name: str
    company: str
    number: str
    email: str
    url: str
    link: str


@dataclass(frozen=True, slots=True)
class Request:
    """A request and its answer, without keys."""

    line: str
    headers: Sequence[tuple[str, str]]
    status: int
    ok: bool
    milliseconds: float
    error: str
    hint: str
    body: str
    cut: bool


@dataclass(frozen=True, slots=True)
class Verdict:
    """The whole in one sentence: ``level`` is good, warn or bad; ``name`` is the contact's, with
    which the sentence ends."""

    level: str
    before: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class TrialView:
    """Everything that the page says. ``card`` is None when no contact is shown to the agent."""

    trial: Trial
    number: str
    searched: str
    number_words: str
    requests: Sequence[Request]
    found: Sequence[Found]
    failures: Sequence[str]
    notes: Sequence[str]
    echo: str
    card: Card | None

    @property
    def answered(self) -> bool:
        """Whether a usable answer came."""
        return not self.failures and all(request.ok for request in self.requests)

    @property
    def verdict(self) -> Verdict:
        """What came of it."""
        if self.card is not None:
            if self.trial.is_fault:
                return Verdict(
                    "bad", "Inside the server all is well: the agent would see", self.card.name
                )
            return Verdict("good", "The agent would see", self.card.name)
        if not self.answered:
            return Verdict(
                "bad", "3CX would get no usable answer. The agent would see only the number."
            )
        if self.found:
            return Verdict(
                "bad", "3CX would drop what was found. The agent would see only the number."
            )
        return Verdict("warn", "The server answers, but nobody in the contacts has this number.")

    @property
    def dropped(self) -> Sequence[Found]:
        """Contacts that the PBX passes over."""
        return [one for one in self.found if one.reason]

    @property
    def kept(self) -> Sequence[Found]:
        """Contacts that the PBX takes."""
        return [one for one in self.found if not one.reason]


def view_of(trial: Trial) -> TrialView:
    """Lay a trial out for people."""
    call = trial.call
    contact = call.contact
    return TrialView(
        trial=trial,
        number=call.number,
        searched=call.searched,
        number_words=_number_words(call.number, call.searched),
        requests=[_request(exchange) for exchange in call.exchanges],
        found=[
            *(Found(one.name, _labelled(one.outputs)) for one in call.contacts),
            *(
                Found(_name(one.outputs), _labelled(one.outputs), one.reason)
                for one in call.dropped
            ),
        ],
        failures=[each.reason for each in call.failures],
        notes=list(call.notes),
        echo=_echo(contact, call.searched) if contact else "",
        card=_card(contact, call.number) if contact else None,
    )


def _number_words(number: str, searched: str) -> str:
    """What the PBX made of the caller's number before it asked."""
    if searched == number:
        return "It asks for the number just as it came."
    if len(_digits(searched)) < len(_digits(number)):
        return f"It cuts the number to its last {len(_digits(searched))} digits and asks for those."
    return "It writes the number in its own way and asks for that."


def _digits(text: str) -> str:
    return "".join(letter for letter in text if letter in "0123456789")


def _request(exchange: Exchange) -> Request:
    body = exchange.masked(exchange.body)
    body = _indented(body)
    shown = exchange.to_dict()["headers"]
    headers = list(shown.items()) if isinstance(shown, dict) else []
    return Request(
        line=f"{exchange.method} {exchange.masked(exchange.url)}",
        headers=headers,
        status=exchange.status,
        ok=exchange.ok,
        milliseconds=exchange.seconds * 1000,
        error=exchange.error,
        hint=_HINTS.get(exchange.status, ""),
        body=body[:MAX_SHOWN],
        cut=len(body) > MAX_SHOWN,
    )


def _indented(text: str) -> str:
    """JSON as people read it; anything else as it is."""
    try:
        return json.dumps(json.loads(text), ensure_ascii=False, indent=2)
    except (ValueError, RecursionError):
        return text


def _labelled(outputs: Mapping[str, str]) -> list[tuple[str, str]]:
    """The outputs that are filled: ``PhoneMobile2`` is ``Phone mobile 2``."""
    return [(_label(kind), text[:MAX_OUTPUT]) for kind, text in outputs.items() if text]


def _label(kind: str) -> str:
    words = _WORD.sub(" ", kind).capitalize()
    return words.replace(" url", " URL").replace(" id", " ID")


def _name(outputs: Mapping[str, str]) -> str:
    person = " ".join(filter(None, (outputs.get("FirstName"), outputs.get("LastName"))))
    return person or outputs.get("CompanyName", "") or "without a name"


def _echo(contact: Contact, searched: str) -> str:
    """Where the PBX finds the number that it asked for, without which it drops a result."""
    verbatim = [kind for kind, text in contact.numbers.items() if searched in text]
    if verbatim:
        where = _WORD.sub(" ", verbatim[0]).lower()
        return f"The number that 3CX asked for is in the answer ({where}), so 3CX takes the result."
    return "The digits that 3CX asked for are in the answer, so 3CX takes the result."


def _card(contact: Contact, number: str) -> Card:
    name = contact.name
    return Card(
        name=name,
        company=contact.company if contact.company != name else "",
        number=number,
        email=contact.email,
        url=contact.url,
        link=contact.url if _may_be_opened(contact.url) else "",
    )


def _may_be_opened(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        return False
