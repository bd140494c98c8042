"""What comes out of the engine: contacts, what was dropped and why, and every exchange."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from callhelm_threecx.pbx.documents import Document, text_of, walk_path
from callhelm_threecx.pbx.exchange import Exchange
from callhelm_threecx.pbx.values import Value
from callhelm_threecx.template.predefined import PHONE_OUTPUTS

NAME_OUTPUTS = ("FirstName", "LastName", "CompanyName")


@dataclass(frozen=True)
class Outcome:
    """The end of one chain of scenarios: the last scenario's outputs and all variables."""

    scenario: str
    outputs: Mapping[str, str]
    variables: Mapping[str, Value] = field(repr=False)

    @property
    def found(self) -> bool:
        """Whether any output holds something."""
        return any(self.outputs.values())


@dataclass(frozen=True)
class Contact:
    """A contact as the PBX shows it; ``outputs`` has every output by its Type."""

    outputs: Mapping[str, str]
    scenario: str = ""

    def __getitem__(self, output: str) -> str:
        return self.outputs.get(output, "")

    @property
    def url(self) -> str:
        """The address of the screen pop."""
        return self["ContactUrl"]

    @property
    def first_name(self) -> str:
        """The first name, or nothing."""
        return self["FirstName"]

    @property
    def last_name(self) -> str:
        """The last name, or nothing."""
        return self["LastName"]

    @property
    def company(self) -> str:
        """The company, or nothing."""
        return self["CompanyName"]

    @property
    def email(self) -> str:
        """The e-mail address, or nothing."""
        return self["Email"]

    @property
    def entity_id(self) -> str:
        """What the CRM calls the contact; a journal carries it back as ``[EntityId]``."""
        return self["EntityId"]

    @property
    def entity_type(self) -> str:
        """What kind of record the CRM says it is."""
        return self["EntityType"]

    @property
    def name(self) -> str:
        """The name on the phone's display."""
        person = " ".join(filter(None, (self.first_name, self.last_name)))
        return person or self["FullName"] or self.company

    @property
    def numbers(self) -> dict[str, str]:
        """The numbers that are filled in, by output type."""
        return {kind: self[kind] for kind in PHONE_OUTPUTS if self[kind]}


@dataclass(frozen=True)
class Dropped:
    """A result that a PBX passes over without a word, and why."""

    scenario: str
    reason: str
    outputs: Mapping[str, str] = field(repr=False, default_factory=dict)

    def __str__(self) -> str:
        return self.reason


@dataclass(frozen=True)
class Failure:
    """A scenario that came to no end, and why."""

    scenario: str
    reason: str

    def __str__(self) -> str:
        return f"{self.scenario or 'lookup by number'}: {self.reason}"


@dataclass(frozen=True)
class Answer:
    """All that one action of the PBX led to.

    ``notes`` has a sentence for everything else that a PBX swallows: unknown variables, rules
    that cannot pass, scenarios that were skipped.
    """

    contacts: tuple[Contact, ...] = ()
    dropped: tuple[Dropped, ...] = ()
    failures: tuple[Failure, ...] = ()
    notes: tuple[str, ...] = ()
    exchanges: tuple[Exchange, ...] = field(default=(), repr=False)
    outcomes: tuple[Outcome, ...] = field(default=(), repr=False)
    document: Document = field(default=None, repr=False)

    @property
    def ok(self) -> bool:
        """Whether every scenario came to its end and no result was dropped."""
        return not self.failures and not self.dropped

    @property
    def contact(self) -> Contact | None:
        """The first contact, which the PBX shows."""
        return self.contacts[0] if self.contacts else None

    @property
    def screen_pop(self) -> str | None:
        """The address that opens on the agent's screen, or None."""
        return self.contacts[0].url or None if self.contacts else None

    @property
    def status(self) -> int:
        """The HTTP status of the last answer; 0 when there was none."""
        return self.exchanges[-1].status if self.exchanges else 0

    @property
    def body(self) -> str:
        """The text of the last answer, as a call flow is handed it."""
        return self.exchanges[-1].body if self.exchanges else ""

    def find(self, path: str) -> list[str]:
        """Read the last answer by a path with dots, such as ``contacts.id``."""
        ends = walk_path(self.document, path, {})
        return [text_of(leaf) for _, leaf in ends if leaf is not None]

    def show(self) -> str:
        """Lay every exchange out for people, keys masked."""
        return "\n\n".join(exchange.show() for exchange in self.exchanges)

    def to_dict(self) -> dict[str, Any]:
        """Give the answer as JSON-ready data, keys masked."""
        return {
            "contacts": [dict(contact.outputs) for contact in self.contacts],
            "dropped": [
                {"scenario": each.scenario, "reason": each.reason} for each in self.dropped
            ],
            "failures": [
                {"scenario": each.scenario, "reason": each.reason} for each in self.failures
            ],
            "notes": list(self.notes),
            "exchanges": [exchange.to_dict() for exchange in self.exchanges],
        }
