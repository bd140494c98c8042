"""A ticket desk that hears of a call before anyone is looked up, and tells calls by time."""

from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from callhelm_threecx.pbx import Pbx
from tests.pbx.crm import Asked, Crm, Reply

TEMPLATE = Path(__file__).parent / "templates" / "ticket-desk.xml"
AT = datetime(2026, 3, 5, 7, 8, 9, tzinfo=timezone.utc)
DESK = {"cti": "http://desk/cti/abc", "desk": "http://desk", "apiToken": "token-1"}


def ticket_desk(asked: Asked) -> Any:
    if asked.host == "clock.example.com":
        return {"now": "2026-03-05T07:08Z"}
    if asked.path == "/api/users/search":
        known = {"id": 3, "firstname": "Nina", "lastname": "K", "mobile": "4930111"}
        return [known] if asked.args["query"] == "mobile:4930111" else []
    if asked.path == "/api/users":
        return Reply({"id": 9, **asked.json}, "201 Created")
    return {}


def test_ticket_desk_announces_the_call_and_then_finds_the_caller() -> None:
    crm = Crm(ticket_desk)
    call = Pbx(TEMPLATE, DESK, app=crm).ring("+4930111")
    assert crm.lines == [
        "GET http://clock.example.com/now",
        "POST http://desk/cti/abc",
        "GET http://desk/api/users/search?query=mobile:4930111&limit=1",
    ]
    assert crm.asked[1].body == (
        "event=newCall&callId=49301112026-03-05T07%3A08Z&to=Service+desk&from=4930111"
    )
    assert crm.asked[2].headers["authorization"] == "Token token=token-1"
    assert call.screen_pop == "http://desk/#user/3"
    assert [contact["FullName"] for contact in call.contacts] == ["Nina K"]


def test_ticket_desk_creates_a_caller_whom_nobody_knows() -> None:
    crm = Crm(ticket_desk)
    call = Pbx(TEMPLATE, DESK, app=crm).ring("0049555")
    assert crm.lines[-1] == "POST http://desk/api/users"
    assert crm.asked[-1].json == {"firstname": "49555", "lastname": "by phone", "mobile": "49555"}
    assert call.screen_pop == "http://desk/#user/9"
    assert call.created is not None


@pytest.mark.parametrize(
    ("direction", "answered", "call_type", "flow", "cause"),
    [
        ("ring", True, "Inbound", "in", "normalClearing"),
        ("ring", False, "Missed", "in", "noAnswer"),
        ("dial", True, "Outbound", "out", "normalClearing"),
        ("dial", False, "Notanswered", "out", "noAnswer"),
    ],
)
def test_ticket_desk_is_told_how_a_call_ended(
    direction: str, answered: bool, call_type: str, flow: str, cause: str
) -> None:
    crm = Crm(ticket_desk)
    pbx = Pbx(TEMPLATE, DESK, app=crm, culture="en-US")
    call = getattr(pbx, direction)("+4930111", at=AT)
    journal = pbx.hang_up(call, answered=answered, talk=125)
    assert journal.call_type == call_type
    assert crm.asked[-1].form == {
        "event": "hangup",
        "callId": "49301112026-03-05T07:08Z",
        "epoch": "1772694489000",
        "direction": flow,
        "cause": cause,
        "minutes": "2" if answered else "0",
        "when": "3/5/2026 7:08:09 AM",
        "duration": "00:02:05" if answered else "00:00:00",
    }
