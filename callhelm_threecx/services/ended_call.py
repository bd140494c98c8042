"""An ended call as it was reported: what of it is recorded, before anything is looked up."""

from collections.abc import Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Final

from callhelm_threecx import phone
from callhelm_threecx.services.events import Event, EventType
from callhelm_threecx.services.integrations import Integration
from callhelm_threecx.services.reports import CallReport, Report, call_report
from callhelm_threecx.stores.base import Organization

_REPEATABLE: Final = ("Transcription", "Summary", "ChatMessages")
"""Long texts that the call or chat itself keeps: the event does not keep them twice."""


@dataclass(frozen=True, slots=True)
class EndedCall:
    """A report, the columns of its call's row but for contact and agent, and its event."""

    integration: Integration
    report: CallReport
    columns: dict[str, Any]
    event: Event
    started: float

    @classmethod
    def read(
        cls, integration: Integration, body: Mapping[str, Any], *, keeps_texts: bool
    ) -> "EndedCall":
        """What was reported; the long texts too where the row ``keeps_texts``. Raises
        `BadInputError` for a report that cannot be read."""
        started = perf_counter()
        report = call_report(body)
        organization = integration.organization
        columns = {
            "fingerprint": report.fingerprint(organization.id, organization.region),
            "call_type": report.call_type.value,
            "direction": report.direction.value,
            "sentiment": report.sentiment,
            **common_columns(report, organization),
        }
        if keeps_texts:
            columns["recording_url"] = report.recording_url
            columns["transcription"] = report.transcription
            columns["summary"] = report.summary
        event = reported_event(organization, EventType.JOURNAL, report)
        event.call_direction = report.direction.value
        event.call_type = report.call_type.value
        return cls(integration, report, columns, event, started)

    @property
    def may_be_a_stranger(self) -> bool:
        """Whether, without a contact by id or by its whole number, this is a stranger's: there is
        no other way to find one, and none is to be created."""
        party = self.report.party
        if party.email or creates_contact(self.integration, None):
            return False
        region = self.integration.organization.region
        wanted = phone.candidates(party.number, region) if party.number else None
        return wanted is None or not wanted.suffix


def creates_contact(integration: Integration, contact_id: str | None) -> bool:
    """Whether a contact is to be created for an unknown party, if it has a number."""
    return contact_id is None and integration.allows("auto_create_contacts")


def common_columns(report: Report, organization: Organization) -> dict[str, Any]:
    """The columns that a call and a chat have both."""
    return {
        "number": report.party.canonical_number(organization.region),
        "name": report.party.name,
        "agent_extension": report.agent.extension,
        "agent_email": report.agent.email,
        "agent_name": report.agent.name,
        "queue_extension": report.queue_extension,
        "started_at": report.started_at,
        "ended_at": report.ended_at,
        "duration_seconds": report.duration_seconds,
        "subject": report.subject,
    }


def reported_event(organization: Organization, kind: EventType, report: Report) -> Event:
    """The event of a report, but for what was found."""
    return Event(
        organization.id,
        kind,
        phone_number=report.party.canonical_number(organization.region),
        agent_extension=report.agent.extension,
        duration_seconds=report.duration_seconds,
        call_start_time=report.started_at,
        call_end_time=report.ended_at,
        raw_data={name: text for name, text in report.raw.items() if name not in _REPEATABLE},
    )
