"""Weeks of a log that cannot be brought in over the API, which logs what happens now."""

import random
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from sqlalchemy import update
from sqlmodel import Session, col, select

from callhelm_threecx.db import Database
from callhelm_threecx.models import EventRow
from callhelm_threecx.services.event_kinds import EventStatus, EventType
from callhelm_threecx.services.reports import CallType

RINGS = {CallType.INBOUND.value, CallType.MISSED.value}
STRANGER = "+4930231259{:02}"
AN_INSTANT = timedelta(milliseconds=400)


def remember(database: Database, organization: str, since: datetime, now: datetime) -> None:
    """Put each reported call's events where the call was, and a lookup before each that rang."""
    chance = random.Random(5)
    with Session(database.engine) as session:
        reports = session.exec(
            select(EventRow)
            .where(col(EventRow.organization_id) == organization)
            .where(col(EventRow.event_type) == EventType.JOURNAL.value)
            .where(col(EventRow.call_start_time).is_not(None))
            .order_by(col(EventRow.call_start_time))
        ).all()
        for report in reports:
            ended = report.call_end_time or report.call_start_time
            assert ended
            report.created_at = min(ended + AN_INSTANT, now)
        session.add_all(_lookups(chance, reports))
        beginnings = (EventType.CREATE_CONTACT.value, EventType.SETUP.value)
        session.exec(
            update(EventRow)
            .where(col(EventRow.organization_id) == organization)
            .where(col(EventRow.event_type).in_(beginnings))
            .values(created_at=since)
        )
        session.commit()


def _lookups(chance: random.Random, reports: Sequence[EventRow]) -> Iterator[EventRow]:
    """What the PBX asked when these calls rang, and now and then a caller whom nobody knows."""
    for place, report in enumerate(reports):
        if report.call_type not in RINGS:
            continue
        assert report.call_start_time
        unknown = place % 6 == 0
        number = STRANGER.format(place % 100) if unknown else report.phone_number
        yield EventRow(
            organization_id=report.organization_id,
            event_type=EventType.LOOKUP.value,
            status=(EventStatus.NO_MATCH if unknown else EventStatus.OK).value,
            phone_number=number,
            contact_id=None if unknown else report.contact_id,
            latency_ms=round(chance.lognormvariate(0.9, 0.4), 2),
            raw_data={"number": number, "found": 0 if unknown else 1},
            created_at=report.call_start_time - 8 * AN_INSTANT,
        )
