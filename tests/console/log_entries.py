"""What pages about the log are tried with: entries, written as the product writes them."""

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

from webtest import TestResponse

from callhelm_threecx.services.events import Event, EventStatus, EventType
from tests.console.conftest import Browser
from tests.core.statements import recorded

NOW = datetime(2026, 11, 22, 12, tzinfo=timezone.utc)
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "javascript:alert(1)",
    "\u202egnp.exe",
    "a\x07b\x1b[31m",
    "👩‍👩‍👧‍👦" * 30,
    "x" * 10_000,
    "' OR 1=1 --",
)


def log(browser: Browser, *events: Event) -> None:
    """Write events."""
    writer = browser.api.app.services.writer
    for event in events:
        writer.emit(event)
    assert writer.flush(10)


def lookup(number: int | str = 1, *, minutes: float = 0, **fields: Any) -> Event:
    """A lookup, so many minutes before `NOW`."""
    text = number if isinstance(number, str) else f"+49301234{number:03}"
    values: dict[str, Any] = {
        "organization_id": "acme",
        "type": EventType.LOOKUP,
        "status": EventStatus.NO_MATCH,
        "phone_number": text,
        "latency_ms": 1.25,
        "raw_data": {"number": text, "found": 0},
        "created_at": NOW - timedelta(minutes=minutes),
    }
    return Event(**{**values, **fields})


def journal(browser: Browser, organization: str = "acme", **fields: str) -> str:
    """Report a call; its id."""
    body = {
        "CallType": "Inbound",
        "Number": "+49301234001",
        "Name": "Ann Caller",
        "Agent": "101",
        "AgentFirstName": "Mia",
        "AgentLastName": "Winter",
        "Duration": "00:03:25",
        "CallStartTimeUTC": "2026-11-22T08:35:00Z",
        **fields,
    }
    answer = browser.api.post("/calls/journal", body, key=browser.api.key(organization))
    return str(answer.json["callId"])


def chat(browser: Browser, **fields: str) -> str:
    """Report a chat; its id."""
    body = {
        "ChatMessages": "Jana: Are you open today?\nMia: Until six.",
        "Number": "+49301234001",
        "Agent": "101",
        "ChatStartTimeUTC": "2026-11-22T08:35:00Z",
        **fields,
    }
    return str(browser.api.post("/chats/journal", body, key=browser.api.key()).json["chatId"])


def reads_of(browser: Browser, ask: Callable[[], object]) -> int:
    """How many questions to the database an answer costs."""
    services = browser.api.app.services
    assert services.writer.flush(10)  # it must not be at work when its connection is replaced
    with recorded(services.database) as statements:
        ask()
    return sum(one.lstrip().upper().startswith("SELECT") for one in statements)


def rows(page: TestResponse) -> list[str]:
    """The rows of the table of a page, as text."""
    return [" ".join(row.get_text(" ").split()) for row in page.html.select("tbody tr")]


def numbers(page: TestResponse) -> list[str]:
    """The numbers in the rows of a page."""
    return [cell.get_text().strip() for cell in page.html.select('td[data-label="Number"]')]


def facts(page: TestResponse) -> dict[str, str]:
    """What a page states of one thing: every term and its description."""
    return {
        term.get_text().strip(): " ".join(term.find_next_sibling("dd").get_text(" ").split())
        for term in page.html.select("dl.facts dt")
    }
