"""An organization as it is after some busy weeks, for pages that show something."""

import random
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

import httpx

from callhelm_threecx.db import Database
from callhelm_threecx.demo.people import contacts
from callhelm_threecx.stores.base import NewContact
from tests.browser import history
from tests.client import ADMIN_KEY
from tests.http.gunicorns import Gunicorn

ORGANIZATION, NAME = "nordlicht", "Nordlicht Solar"
AGENTS = (("101", "Mia", "Winter"), ("102", "Leo", "Sommer"), ("103", "Ida", "Herbst"))
UNMAPPED = ("107", "Tom", "Frühling")
KINDS = ("Inbound", "Inbound", "Inbound", "Missed", "Outbound", "Notanswered")
TRANSCRIPT = """Anna: Good morning, Anna Müller speaking.
Mia: Good morning! What can I do for you?
Anna: The inverter of our plant shows a red light since yesterday.
Mia: I see it here. A technician can be with you on Thursday at nine.
Anna: That suits us well, thank you.
Mia: You are welcome. You will get a message with the details."""
SUMMARY = "The inverter shows a fault since yesterday. A technician comes on Thursday at nine."


WEEKS = 3
CALLS_OF_A_DAY = (7, 9, 8, 9, 7, 4, 3)
"""About so many from Monday to Sunday."""


def settle(server: Gunicorn, database: Database) -> None:
    """Bring it all in as a PBX and an administrator do, over the API; then make it history."""
    now = datetime.now(timezone.utc)
    key = server.set_up(ORGANIZATION)
    with server.client(ADMIN_KEY) as admin:
        _ok(admin.patch("/setup", json=_settings()))
        for extension, first, last in AGENTS:
            mapping = {"extension": extension, "agentFirstName": first, "agentLastName": last}
            mapping |= {"agentEmail": f"{first.lower()}@call-helm.example"}
            _ok(admin.post("/agents", json={"organizationId": ORGANIZATION, **mapping}))
        for name in ("alpenblick", "thistle"):
            _ok(admin.post("/setup", json={"organizationId": name}))
        disabled = {"organizationId": "thistle", "enabled": False}
        _ok(admin.patch("/setup", json=disabled))
    people = list(contacts())[:60]
    with server.client(key) as pbx:
        _ok(pbx.get("/template"))
        for person in people:
            _ok(pbx.post("/contacts/create", json=_fields(person)))
        for path, body in _working_weeks(people, now):
            _ok(pbx.post(path, json=body) if body else pbx.get(path))
        pbx.post("/calls/journal", json={"CallType": "Inbound", "Number": "1", "Duration": "soon"})
    with server.client("3cx_" + "x" * 43) as stranger:
        stranger.get("/contacts/lookup?number=1")
    history.remember(database, ORGANIZATION, now - timedelta(weeks=WEEKS), now)


def _ok(answer: httpx.Response) -> None:
    answer.raise_for_status()


def _settings() -> dict[str, Any]:
    return {
        "organizationId": ORGANIZATION,
        "organizationName": NAME,
        "threeCxServerUrl": "https://pbx.nordlicht.example:5001",
        "settings": {"auto_create_contacts": True},
    }


def _fields(person: NewContact) -> dict[str, str]:
    return {
        "FirstName": person.first_name,
        "LastName": person.last_name,
        "Company": person.company,
        "Email": person.email,
        "Number": person.phones[0].number,
    }


def _working_weeks(
    people: list[NewContact], now: datetime
) -> Iterator[tuple[str, Mapping[str, str] | None]]:
    """The calls of some weeks; chats; and what was asked just now."""
    chance = random.Random(3)
    for start in _starts(chance, now):
        yield "/calls/journal", _call(chance, people, start)
    for person in people[:4]:
        phone = person.phones[0].number.replace("+", "%2B")
        yield f"/contacts/lookup?number={phone}", None
    for stranger in ("%2B493023125999", "anonymous"):
        yield f"/contacts/lookup?number={stranger}", None
    yield "/contacts/search?query=anna%20nordlicht", None
    for number, person in enumerate(people[:4]):
        yield "/chats/journal", _chat(person, now - timedelta(hours=30 - number))


def _starts(chance: random.Random, now: datetime) -> Iterator[datetime]:
    """When calls began: on working days mostly, in office hours, the latest some minutes ago."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    for back in range(7 * WEEKS, 0, -1):
        day = midnight - timedelta(days=back)
        usual = CALLS_OF_A_DAY[day.weekday()]
        for _ in range(chance.randint(usual, usual + usual // 2)):
            yield day + timedelta(minutes=chance.randint(8 * 60, 18 * 60))
    for minutes in (215, 170, 131, 95, 61, 40, 22):
        yield now - timedelta(minutes=minutes)


def _call(chance: random.Random, people: list[NewContact], start: datetime) -> dict[str, str]:
    person, kind = chance.choice(people), chance.choice(KINDS)
    extension, first, last = chance.choice([*AGENTS, AGENTS[0], UNMAPPED])
    talk = kind in {"Inbound", "Outbound"}
    end = start + timedelta(seconds=chance.randint(30, 600) if talk else 0)
    said = {"Transcription": TRANSCRIPT, "Summary": SUMMARY, "Sentiment": "4"} if talk else {}
    recording = f"https://pbx.nordlicht.example/recordings/{start:%Y%m%d%H}.wav"
    return {
        "CallType": kind,
        "Number": person.phones[0].number,
        "Agent": extension,
        "AgentFirstName": first,
        "AgentLastName": last,
        "CallStartTimeUTC": f"{start:%Y-%m-%dT%H:%M:%SZ}",
        "CallEndTimeUTC": f"{end:%Y-%m-%dT%H:%M:%SZ}",
        **({"RecordingUrl": recording, "Subject": "Service", **said} if talk else {}),
    }


def _chat(person: NewContact, start: datetime) -> dict[str, str]:
    name = f"{person.first_name} {person.last_name}"
    return {
        "ChatMessages": f"{name}: Is my order on its way?\nMia Winter: It left us this morning.",
        "Number": person.phones[0].number,
        "Name": name,
        "Agent": "101",
        "AgentFirstName": "Mia",
        "AgentLastName": "Winter",
        "ChatStartTimeUTC": f"{start:%Y-%m-%dT%H:%M:%SZ}",
    }
