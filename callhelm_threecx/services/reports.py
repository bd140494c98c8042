"""What a PBX reports when a call or a chat is over, read from its JSON fields.

Keys are named as 3CX names the variables of a template (3CX documentation). Everything is text;
what a PBX version does not know arrives as its own placeholder and counts as absent.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from functools import cache
from typing import Any, Final

from callhelm_threecx import phone
from callhelm_threecx.errors import FieldError, collecting
from callhelm_threecx.services import values

MAX_SHORT: Final = 320
"""Longest name, address, number or id in characters; transcripts and messages may be longer."""

MAX_EXTENSION: Final = 64

_hashed: Final = json.JSONEncoder(sort_keys=True).encode


class CallType(str, Enum):
    """How a call ended (3CX documentation): answered or not, incoming or outgoing."""

    INBOUND = "Inbound"
    MISSED = "Missed"
    OUTBOUND = "Outbound"
    NOTANSWERED = "Notanswered"

    @property
    def direction(self) -> "Direction":
        """The direction that follows from the type."""
        incoming = self in {CallType.INBOUND, CallType.MISSED}
        return Direction.INBOUND if incoming else Direction.OUTBOUND


class Direction(str, Enum):
    """Who called whom, seen from the PBX."""

    INBOUND = "Inbound"
    OUTBOUND = "Outbound"


@dataclass(frozen=True, slots=True)
class Agent:
    """The person at the PBX's end, as the PBX names them."""

    extension: str = ""
    email: str = ""
    first_name: str = ""
    last_name: str = ""

    @property
    def name(self) -> str:
        """First and last name."""
        return f"{self.first_name} {self.last_name}".strip()


@dataclass(frozen=True, slots=True)
class Party:
    """The person at the other end, and the contact that a lookup had named, if any."""

    number: str = ""
    name: str = ""
    email: str = ""
    entity_id: str = ""
    entity_type: str = ""

    def canonical_number(self, region: str) -> str:
        """The number as it is kept: E.164 where it parses, else its digits, else as it came."""
        parsed = phone.parse(self.number, region)
        return parsed.canonical if parsed else self.number


@dataclass(frozen=True, slots=True)
class Report:
    """What calls and chats have in common. Instants are UTC, the duration is in seconds."""

    party: Party
    agent: Agent
    queue_extension: str
    subject: str
    started_at: datetime | None
    ended_at: datetime | None
    duration_seconds: int | None
    raw: dict[str, str] = field(repr=False)

    def _fingerprint(self, organization_id: str, region: str, kind: str) -> str:
        """A hash over organization, number (or contact), agent, kind and start in whole seconds.

        There is no call id (reported from live PBXs), so this is what makes one. A report without
        a start is the same only if everything else in it is.
        """
        who = self.party.canonical_number(region) or self.party.email or self.party.entity_id
        start: Any = self.raw
        if self.started_at is not None:
            start = int(self.started_at.timestamp())
        agent = self.agent.extension or self.agent.email.casefold() or self.agent.name
        parts = [organization_id, who, agent, kind, start]
        return hashlib.sha256(_hashed(parts).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class CallReport(Report):
    """One ended call."""

    call_type: CallType
    direction: Direction
    recording_url: str
    transcription: str
    summary: str
    sentiment: str

    def fingerprint(self, organization_id: str, region: str) -> str:
        """What makes two reports the same call."""
        return self._fingerprint(organization_id, region, self.call_type.value)


@dataclass(frozen=True, slots=True)
class ChatReport(Report):
    """One ended chat."""

    messages: str

    def fingerprint(self, organization_id: str, region: str) -> str:
        """What makes two reports the same chat; without a start, the messages count too."""
        return self._fingerprint(organization_id, region, "chat")


class _Fields:
    """The fields of one body: text by name, with every fault collected."""

    def __init__(self, body: Mapping[str, Any], errors: list[FieldError]) -> None:
        self.errors = errors
        self.raw: dict[str, str] = {}
        for name, value in body.items():
            if value is None:
                continue
            if isinstance(value, (dict, list)):
                errors.append(FieldError(values.clean(name)[:64], "must be text"))
                continue
            self.raw[values.clean(name)] = values.clean(value if type(value) is str else str(value))

    def text(self, name: str, most: int | None = MAX_SHORT) -> str:
        text = self.raw.get(name)
        if not text:
            return ""
        if text.startswith("["):
            text = values.present(text)
        if most is not None and len(text) > most:
            self.errors.append(FieldError(name, f"is longer than {most} characters"))
            return ""
        return text

    def instant(self, name: str) -> datetime | None:
        text = self.text(name)
        try:
            return values.instant(text) if text else None
        except ValueError as ex:
            self.errors.append(FieldError(name, str(ex)))
            return None

    def duration(self, name: str) -> int | None:
        text = self.text(name)
        try:
            return values.duration(text) if text else None
        except ValueError as ex:
            self.errors.append(FieldError(name, str(ex)))
            return None

    def choice(self, name: str, kind: type[Enum]) -> Any:
        text = self.text(name)
        if not text:
            return None
        member = _members(kind).get(text.casefold())
        if member is not None:
            return member
        known = ", ".join(str(member.value) for member in kind)
        self.errors.append(FieldError(name, f"must be one of {known}"))
        return None

    def common(self, moment: str) -> dict[str, Any]:
        started_at = self.instant(f"{moment}StartTimeUTC")
        ended_at = self.instant(f"{moment}EndTimeUTC")
        seconds = self.duration("Duration")
        if seconds is None and started_at and ended_at and ended_at >= started_at:
            seconds = min(int((ended_at - started_at).total_seconds()), values.MAX_DURATION_S)
        return {
            "party": Party(
                number=self.text("Number"),
                name=self.text("Name"),
                email=self.text("Email"),
                entity_id=self.text("EntityId"),
                entity_type=self.text("EntityType"),
            ),
            "agent": Agent(
                extension=self.text("Agent", MAX_EXTENSION),
                email=self.text("AgentEmail"),
                first_name=self.text("AgentFirstName"),
                last_name=self.text("AgentLastName"),
            ),
            "queue_extension": self.text("QueueExtension", MAX_EXTENSION),
            "subject": self.text("Subject", None),
            "started_at": started_at,
            "ended_at": ended_at,
            "duration_seconds": seconds,
            "raw": self.raw,
        }


@cache
def _members(kind: type[Enum]) -> Mapping[str, Enum]:
    return {str(member.value).casefold(): member for member in kind}


def call_report(body: Mapping[str, Any]) -> CallReport:
    """Read the body of ``POST /calls/journal``.

    Raises `BadInputError` that names every field at fault.
    """
    with collecting("The call report cannot be read.") as errors:
        fields = _Fields(body, errors)
        call_type = fields.choice("CallType", CallType)
        if call_type is None and not any(error.field == "CallType" for error in errors):
            errors.append(FieldError("CallType", "is required"))
        direction = fields.choice("CallDirection", Direction)
        common = fields.common("Call")
        if not common["party"].number and not common["party"].entity_id and not errors:
            errors.append(FieldError("Number", "is required, or EntityId"))
        report = CallReport(
            **common,
            call_type=call_type or CallType.INBOUND,
            direction=direction or (call_type or CallType.INBOUND).direction,
            recording_url=fields.text("RecordingUrl", None),
            transcription=fields.text("Transcription", None),
            summary=fields.text("Summary", None),
            sentiment=fields.text("Sentiment"),
        )
    return report


def chat_report(body: Mapping[str, Any]) -> ChatReport:
    """Read the body of ``POST /chats/journal``.

    Raises `BadInputError` that names every field at fault.
    """
    with collecting("The chat report cannot be read.") as errors:
        fields = _Fields(body, errors)
        messages = fields.text("ChatMessages", None)
        if not messages:
            errors.append(FieldError("ChatMessages", "is required"))
        common = fields.common("Chat")
        party = common["party"]
        if not (party.number or party.email or party.entity_id) and not errors:
            errors.append(FieldError("Number", "is required, or Email, or EntityId"))
        report = ChatReport(**common, messages=messages)
    return report


def text_fields(body: Mapping[str, Any], names: Mapping[str, int]) -> dict[str, str]:
    """Read named text fields, each with the number of characters that it may have.

    Raises `BadInputError` that names every field at fault.
    """
    with collecting("The body cannot be read.") as errors:
        fields = _Fields({name: body.get(name) for name in names}, errors)
        texts = {name: fields.text(name, most) for name, most in names.items()}
    return texts
