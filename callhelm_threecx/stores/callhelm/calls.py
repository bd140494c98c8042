"""A journaled call as a row of the host's ``calls``."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from callhelm_threecx.confinement import insert_host_rows
from callhelm_threecx.models import utc_now
from callhelm_threecx.stores.base import JournaledCall, Organization
from callhelm_threecx.stores.callhelm.ids import uuid_text
from callhelm_threecx.stores.callhelm.schema import HostTable, HostTables

# 3CX's four words: who called, and whether it was answered (3CX documentation).
STATUSES: Final[Mapping[str, str]] = {
    "Inbound": "answered",
    "Outbound": "answered",
    "Missed": "missed",
    "Notanswered": "missed",
}
DIRECTIONS: Final[Mapping[str, str]] = {"Inbound": "inbound", "Outbound": "outbound"}

_FOREIGN_KEY_VIOLATION: Final = "23503"

# What has a column of its own need not stand in the metadata as well.
_COLUMN_OF: Final[Mapping[str, str]] = {
    "Transcription": "transcription",
    "Summary": "ai_summary",
    "RecordingUrl": "recording_url",
}


def insert_call(
    session: Session, tables: HostTables, organization: Organization, call: JournaledCall
) -> None:
    """Insert a call, under its id, in the session's transaction.

    A contact or member that is deleted at this very moment is left out: the call is kept.
    """
    values = tables.calls.values(_values(tables.calls, organization, call))
    try:
        with session.begin_nested():
            insert_host_rows(session, tables.calls.row, [values])
    except IntegrityError as ex:
        if getattr(ex.orig, "sqlstate", None) != _FOREIGN_KEY_VIOLATION:
            raise
        for name in ("member_id", "contact_id"):
            values.pop(name, None)
        insert_host_rows(session, tables.calls.row, [values])


def _values(table: HostTable, organization: Organization, call: JournaledCall) -> dict[str, Any]:
    started_at = _start_of(call)
    caller, called = _numbers(call)
    return {
        "id": str(call.id),
        "organization_id": organization.id,
        "member_id": uuid_text(call.member_id or ""),
        "contact_id": uuid_text(call.contact_id or ""),
        "direction": DIRECTIONS[call.direction],
        "caller_number": caller,
        "called_number": called,
        "start_time": started_at,
        "end_time": call.ended_at or _end_of(call, started_at),
        "duration": call.duration_seconds,
        "status": STATUSES[call.call_type],
        "recording_url": call.recording_url,
        "transcription": call.transcription,
        "ai_summary": call.summary,
        "ai_sentiment": call.sentiment,
        "notes": call.subject,
        "metadata": _metadata(table, call),
        "created_at": utc_now(),
        "updated_at": utc_now(),
    }


def _start_of(call: JournaledCall) -> datetime:
    """When the call began: as reported, else reckoned from its end and duration."""
    if call.started_at is not None:
        return call.started_at
    return (call.ended_at or utc_now()) - timedelta(seconds=call.duration_seconds or 0)


def _end_of(call: JournaledCall, started_at: datetime) -> datetime | None:
    if call.duration_seconds is None:
        return None
    return started_at + timedelta(seconds=call.duration_seconds)


def _numbers(call: JournaledCall) -> tuple[str, str]:
    """Who called whom: on our side stands the agent's extension, else the queue's."""
    ours = call.agent_extension or call.queue_extension
    return (ours, call.number) if call.direction == "Outbound" else (call.number, ours)


def _metadata(table: HostTable, call: JournaledCall) -> dict[str, Any]:
    """What the host has no column for: everything that 3CX said, in its own words."""
    kept = {name for name, column in _COLUMN_OF.items() if table.has(column)}
    return {
        "source": "3cx",
        "threecx": {
            "callType": call.call_type,
            "queueExtension": call.queue_extension,
            "name": call.name,
            "agent": {
                "extension": call.agent_extension,
                "email": call.agent_email,
                "name": call.agent_name,
                "attributedBy": call.attributed_by,
            },
            "report": {name: text for name, text in call.report.items() if name not in kept},
        },
    }
