"""The twin: the same contract as a capable developer writes it in an afternoon.

FastAPI, SQLModel, uvicorn; synchronous endpoints in its thread pool, a session for each request.
The key is looked up in the database, a lookup is an OR over the columns that may hold the number,
each of them indexed, and every request inserts its event.
"""

import hashlib
import os
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any

import phonenumbers
from fastapi import Depends, FastAPI, Header, HTTPException
from pydantic import BaseModel
from sqlmodel import Session, create_engine, or_, select
from twin_models import TwinCall, TwinContact, TwinEvent, TwinIntegration


class Report(BaseModel):
    """What is journaled, by the names of 3CX."""

    CallType: str
    Number: str
    CallDirection: str = ""
    Name: str = ""
    Agent: str = ""
    Duration: str = ""
    CallStartTimeUTC: datetime
    Subject: str = ""


engine = create_engine(
    os.environ["BENCH_DATABASE_URL"].replace("postgresql://", "postgresql+psycopg://"),
    pool_size=20,
)
app = FastAPI()


def get_session() -> Iterator[Session]:
    with Session(engine) as session:
        yield session


SessionDep = Annotated[Session, Depends(get_session)]


def get_integration(session: SessionDep, x_api_key: Annotated[str, Header()]) -> TwinIntegration:
    key_hash = hashlib.sha256(x_api_key.encode()).hexdigest()
    found = session.exec(
        select(TwinIntegration).where(TwinIntegration.key_hash == key_hash)
    ).first()
    if found is None:
        raise HTTPException(401, "Unknown key.")
    if not found.enabled:
        raise HTTPException(403, "The integration is off.")
    return found


IntegrationDep = Annotated[TwinIntegration, Depends(get_integration)]


def normalized(number: str) -> str:
    try:
        parsed = phonenumbers.parse(number, "DE")
    except phonenumbers.NumberParseException:
        return number
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def contacts_of(session: Session, organization_id: str, number: str) -> list[TwinContact]:
    statement = (
        select(TwinContact)
        .where(
            TwinContact.organization_id == organization_id,
            or_(
                TwinContact.phone_business == number,
                TwinContact.phone_business2 == number,
                TwinContact.phone_mobile == number,
                TwinContact.phone_mobile2 == number,
                TwinContact.phone_home == number,
                TwinContact.phone_other == number,
                TwinContact.fax_business == number,
            ),
        )
        .limit(10)
    )
    return list(session.exec(statement).all())


@app.get("/api/3cx/contacts/lookup")
def lookup(number: str, session: SessionDep, integration: IntegrationDep) -> dict[str, Any]:
    organization_id = integration.organization_id
    found = contacts_of(session, organization_id, normalized(number))
    answer = {"success": True, "contacts": [answer_of(contact) for contact in found]}
    session.add(
        TwinEvent(
            organization_id=organization_id,
            event_type="lookup",
            number=number,
            contact_id=found[0].id if found else None,
        )
    )
    session.commit()
    return answer


@app.post("/api/3cx/calls/journal", status_code=201)
def journal(report: Report, session: SessionDep, integration: IntegrationDep) -> dict[str, Any]:
    organization_id = integration.organization_id
    number = normalized(report.Number)
    parts = (organization_id, number, report.CallType, report.Agent, report.CallStartTimeUTC)
    fingerprint = hashlib.sha256("|".join(map(str, parts)).encode()).hexdigest()
    known = session.exec(select(TwinCall).where(TwinCall.fingerprint == fingerprint)).first()
    if known is not None:
        return {"success": True, "callId": str(known.id), "duplicate": True}
    found = contacts_of(session, organization_id, number)
    contact_id = found[0].id if found else None
    call = TwinCall(
        organization_id=organization_id,
        fingerprint=fingerprint,
        contact_id=contact_id,
        call_type=report.CallType,
        direction=report.CallDirection,
        number=number,
        name=report.Name,
        agent=report.Agent,
        duration=report.Duration,
        started_at=report.CallStartTimeUTC,
        subject=report.Subject,
    )
    answer = {"success": True, "callId": str(call.id), "duplicate": False}
    session.add(call)
    session.add(
        TwinEvent(
            organization_id=organization_id,
            event_type="journal",
            number=number,
            contact_id=contact_id,
        )
    )
    session.commit()
    return answer


def answer_of(contact: TwinContact) -> dict[str, str]:
    return {
        "id": str(contact.id),
        "firstName": contact.first_name,
        "lastName": contact.last_name,
        "company": contact.company,
        "email": contact.email,
        "phoneBusiness": contact.phone_business or "",
        "phoneBusiness2": contact.phone_business2 or "",
        "phoneMobile": contact.phone_mobile or "",
        "phoneMobile2": contact.phone_mobile2 or "",
        "phoneHome": contact.phone_home or "",
        "phoneOther": contact.phone_other or "",
        "faxBusiness": contact.fax_business or "",
        "contactUrl": f"https://crm.example.com/contacts/{contact.id}",
        "entityType": "Contact",
    }
