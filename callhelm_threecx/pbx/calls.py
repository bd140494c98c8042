"""Calls and chats as the PBX remembers them, and the variables that their reports carry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo

from callhelm_threecx.pbx.culture import Culture
from callhelm_threecx.pbx.dotnet_dates import format_datetime
from callhelm_threecx.pbx.dotnet_timespans import format_timespan
from callhelm_threecx.pbx.exchange import Exchange
from callhelm_threecx.pbx.results import Answer, Contact, Dropped, Failure
from callhelm_threecx.pbx.values import TICKS_PER_SECOND, DateTime, TimeSpan, Value
from callhelm_threecx.template.predefined import PHONE_OUTPUTS

INBOUND = "Inbound"
OUTBOUND = "Outbound"

OUTPUT_TYPES = (
    "ContactUrl",
    "FirstName",
    "LastName",
    "FullName",
    "CompanyName",
    "Email",
    *PHONE_OUTPUTS,
    "EntityId",
    "EntityType",
    "ContactID",
    "CustomValue",
    "PhotoUrl",
)
"""The outputs of a contact (3CX documentation), which a report reads as ``[Contact::Email]``."""

_CALL_TYPES = {
    (INBOUND, True): "Inbound",
    (INBOUND, False): "Missed",
    (OUTBOUND, True): "Outbound",
    (OUTBOUND, False): "Notanswered",
}


@dataclass(frozen=True)
class Agent:
    """The person at an extension."""

    extension: str = "100"
    first_name: str = ""
    last_name: str = ""
    email: str = ""


@dataclass(frozen=True)
class Call:
    """A call with an outside party, as the lookup at its beginning left it.

    ``number`` is the party's number as the network gave it, ``searched`` as the template wants it.
    ``created`` is the answer of the automatic creation, for an unknown party.
    """

    number: str
    searched: str
    direction: str
    agent: Agent
    queue: str
    started: datetime
    answer: Answer = field(repr=False)
    created: Answer | None = field(default=None, repr=False)

    @property
    def contacts(self) -> tuple[Contact, ...]:
        """The contacts that the PBX shows, the one it takes first; a created one counts."""
        return self.answer.contacts or (self.created.contacts if self.created else ())

    @property
    def contact(self) -> Contact | None:
        """The contact that the PBX takes the party for."""
        return self.contacts[0] if self.contacts else None

    @property
    def screen_pop(self) -> str | None:
        """The address that opens on the agent's screen, or None."""
        return self.contact.url or None if self.contact else None

    @property
    def dropped(self) -> tuple[Dropped, ...]:
        """Results that the PBX passed over, with the reasons."""
        return self.answer.dropped + (self.created.dropped if self.created else ())

    @property
    def failures(self) -> tuple[Failure, ...]:
        """Scenarios that came to no end, with the reasons."""
        return self.answer.failures + (self.created.failures if self.created else ())

    @property
    def notes(self) -> tuple[str, ...]:
        """What else the PBX swallowed."""
        return self.answer.notes + (self.created.notes if self.created else ())

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """Every request that was made, in order."""
        return self.answer.exchanges + (self.created.exchanges if self.created else ())

    def show(self) -> str:
        """Lay every exchange out for people, keys masked."""
        return "\n\n".join(exchange.show() for exchange in self.exchanges)


@dataclass(frozen=True)
class Journal:
    """The report of an ended call or chat, and what the server said to it."""

    call_type: str
    variables: Mapping[str, Value] = field(repr=False)
    answer: Answer

    @property
    def ok(self) -> bool:
        """Whether the server took every request of the report."""
        return self.answer.ok

    @property
    def status(self) -> int:
        """The HTTP status of the last answer; 0 when there was none."""
        return self.answer.status

    @property
    def failures(self) -> tuple[Failure, ...]:
        """Scenarios that came to no end, with the reasons."""
        return self.answer.failures

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """Every request that was made, in order."""
        return self.answer.exchanges

    def find(self, path: str) -> list[str]:
        """Read the last answer by a path with dots, such as ``callId``."""
        return self.answer.find(path)


@dataclass(frozen=True)
class Setting:
    """Where the PBX stands: its zone, its culture, its version."""

    zone: tzinfo
    culture: Culture
    version: int = 20


def call_type(direction: str, *, answered: bool) -> str:
    """Say how 3CX calls it: Inbound, Missed, Outbound or Notanswered."""
    return _CALL_TYPES[direction, answered]


def call_variables(
    call: Call,
    *,
    answered: bool,
    ringing: timedelta,
    talk: timedelta,
    intelligence: Mapping[str, str],
    setting: Setting,
) -> dict[str, Value]:
    """Make the variables of ``ReportCall``.

    The established time of a call that was not answered is null (reported from live PBXs), and
    its duration zero. ``intelligence`` has the recording and what version 20 makes of it.
    """
    established = call.started + ringing
    ended = established + (talk if answered else timedelta())
    return {
        "CallType": call_type(call.direction, answered=answered),
        "CallDirection": call.direction,
        "Number": call.searched,
        **_party(call.contact),
        **_agent(call.agent, call.queue),
        **_length(call.started, talk if answered else timedelta(), setting),
        **_moments("CallStartTime", call.started, setting),
        **_moments("CallEstablishedTime", established if answered else None, setting),
        **_moments("CallEndTime", ended, setting),
        **(intelligence if setting.version >= 20 else {}),
    }


def chat_variables(
    messages: str,
    *,
    number: str,
    email: str,
    name: str,
    contact: Contact | None,
    agent: Agent,
    queue: str,
    started: datetime,
    length: timedelta,
    setting: Setting,
) -> dict[str, Value]:
    """Make the variables of ``ReportChat``."""
    party = _party(contact)
    return {
        **party,
        "ChatMessages": messages,
        "Number": number,
        "Email": email or (contact.email if contact else ""),
        "Name": name or party["Name"],
        **_agent(agent, queue),
        **_length(started, length, setting),
        **_moments("ChatStartTime", started, setting),
        **_moments("ChatEndTime", started + length, setting),
    }


def _party(contact: Contact | None) -> dict[str, Value]:
    outputs = dict.fromkeys(OUTPUT_TYPES, "") | (dict(contact.outputs) if contact else {})
    return {
        "Name": contact.name if contact else "",
        "Email": outputs["Email"],
        "EntityId": outputs["EntityId"],
        "EntityType": outputs["EntityType"],
        **{f"Contact::{kind}": text for kind, text in outputs.items()},
    }


def _agent(agent: Agent, queue: str) -> dict[str, Value]:
    return {
        "Agent": agent.extension,
        "AgentFirstName": agent.first_name,
        "AgentLastName": agent.last_name,
        "AgentEmail": agent.email,
        "QueueExtension": queue,
    }


def _length(started: datetime, length: timedelta, setting: Setting) -> dict[str, Value]:
    span = TimeSpan.of(length)
    whole = TimeSpan(span.ticks // TICKS_PER_SECOND * TICKS_PER_SECOND)
    local = DateTime.local(started, setting.zone)
    return {
        "Duration": format_timespan(whole),
        "DurationTimespan": span,
        "DateTime": format_datetime(local, "", setting.culture),
    }


def _moments(name: str, moment: datetime | None, setting: Setting) -> dict[str, Value]:
    if moment is None:
        return {f"{name}{each}": None for each in ("UTC", "Local", "UTCMillis", "LocalMillis")}
    utc = DateTime.utc(moment, setting.zone)
    local = DateTime.local(moment, setting.zone)
    return {
        f"{name}UTC": utc,
        f"{name}Local": local,
        f"{name}UTCMillis": utc.unix_milliseconds,
        f"{name}LocalMillis": utc.unix_milliseconds + int(local.offset.total_seconds()) * 1000,
    }
