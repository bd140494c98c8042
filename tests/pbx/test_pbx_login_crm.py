"""A CRM with OAuth, a login behind it, lookups in a row and a journal of three requests."""

from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from callhelm_threecx.pbx import Pbx
from tests.pbx.crm import Asked, Crm, Reply

TEMPLATE = Path(__file__).parent / "templates" / "login-crm.xml"
AT = datetime(2026, 3, 5, 7, 8, 9, tzinfo=timezone.utc)

RECORDS = {
    "People": [{"First": "Eva", "Tel": "00420111222", "Guid": "p1"}],
    "Firms": [{"Firm": "Acme", "Tel": "00420333444", "Guid": "f1"}],
    "Leads": [{"Lead": "Novák", "Tel": "00420555666", "Guid": "l1"}],
}


def login_crm(asked: Asked) -> Any:
    name = asked.path.rpartition("/")[2]
    if name == "token":
        return {"access_token": "access-1", "refresh_token": "refresh-2"}
    if asked.headers.get("authorization") != "Bearer access-1":
        return Reply({}, "401 Unauthorized")
    if name == "Login":
        return {"LoginKey": "key-1"}
    if asked.json["login"] != "key-1":
        return Reply({}, "403 Forbidden")
    if name in RECORDS:
        wanted = asked.json["match"]["Tel"]
        return {"Data": [each for each in RECORDS[name] if each["Tel"] == wanted]}
    found = {"Users": [{"Guid": "u1"}], "Kinds": [{"Guid": "k1"}]}
    return {"Data": found.get(name, [])}


@pytest.fixture
def login() -> tuple[Crm, Pbx]:
    crm = Crm(login_crm)
    pbx = Pbx(TEMPLATE, {"User": "eva", "Refresh": "refresh-1"}, app=crm, extension="101")
    return crm, pbx


SIGN_IN = ["POST http://crm.example.com/token", "POST http://crm.example.com/rpc/Login"]


def test_login_crm_refreshes_logs_in_and_searches(login: tuple[Crm, Pbx]) -> None:
    crm, pbx = login
    call = pbx.ring("+420111222")
    assert crm.lines == [*SIGN_IN, "POST http://crm.example.com/rpc/People"]
    assert crm.asked[0].form == {"refresh_token": "refresh-1", "grant_type": "refresh_token"}
    assert crm.asked[0].headers["content-type"] == "application/x-www-form-urlencoded"
    assert crm.asked[1].body == '{ "user": "eva" }'
    assert crm.asked[2].body == '{ "login": "key-1", "match": { "Tel": "00420111222" } }'
    assert crm.asked[2].headers["content-type"] == "application/json"
    assert call.screen_pop == "https://crm.example.com/open?type=People&id=p1"
    assert call.contact is not None
    assert call.contact.name == "Eva"


def test_login_crm_goes_on_to_firms_when_no_person_was_found(login: tuple[Crm, Pbx]) -> None:
    crm, pbx = login
    call = pbx.ring("00420333444")
    searched = [line.rpartition("/")[2] for line in crm.lines[2:]]
    assert searched == ["People", "Firms"]
    assert [contact.company for contact in call.contacts] == ["Acme"]
    assert any("was skipped" in note for note in call.notes)


def test_login_crm_asks_everywhere_for_a_stranger(login: tuple[Crm, Pbx]) -> None:
    crm, pbx = login
    call = pbx.ring("+420999")
    assert [line.rpartition("/")[2] for line in crm.lines[2:]] == ["People", "Firms", "Leads"]
    assert not call.contacts
    assert not call.failures


def test_login_crm_journals_through_a_chain(login: tuple[Crm, Pbx]) -> None:
    crm, pbx = login
    call = pbx.ring("+420111222", at=AT)
    crm.forget()
    journal = pbx.hang_up(call, talk=60, ringing=5)
    assert journal.ok
    assert [line.rpartition("/")[2] for line in crm.lines[2:]] == ["Users", "Kinds", "Save"]
    assert crm.asked[2].body == '{ "login": "key-1", "tel": "101" }'
    assert crm.asked[3].body == '{ "login": "key-1", "name": "Call" }'
    assert crm.asked[4].json == {
        "login": "key-1",
        "from": "2026-03-05 07:08:09Z",
        "to": "2026-03-05 07:09:14Z",
        "title": "Inbound call",
        "owner": "u1",
        "kind": "k1",
        "whom": "p1",
    }


def test_login_crm_journals_nothing_when_it_is_switched_off() -> None:
    crm = Crm(login_crm)
    pbx = Pbx(TEMPLATE, {"Refresh": "refresh-1", "Journal": False}, app=crm)
    call = pbx.ring("+420111222")
    crm.forget()
    journal = pbx.hang_up(call)
    assert [line.rpartition("/")[2] for line in crm.lines] == ["token", "Login"]
    assert journal.ok


def test_login_crm_shows_no_key_in_a_trace(login: tuple[Crm, Pbx]) -> None:
    _, pbx = login
    shown = pbx.ring("+420111222").show()
    assert "POST https://crm.example.com/rpc/People" in shown
    assert not any(secret in shown for secret in ("refresh-1", "access-1", "refresh-2"))


def test_login_crm_grants_the_refresh_token_by_oauth() -> None:
    crm = Crm(login_crm)
    pbx = Pbx(TEMPLATE, app=crm)
    address = pbx.engine.authorization_url("Refresh", "https://pbx.example.com/back", "s1")
    assert address == (
        "https://crm.example.com/authorize"
        "?client=3cx&redirect_uri=https://pbx.example.com/back&state=s1"
    )
    granted = pbx.engine.authorize("Refresh", "code-1", "https://pbx.example.com/back", "s1")
    assert granted.ok
    assert crm.asked[0].form == {"code": "code-1", "redirect_uri": "https://pbx.example.com/back"}
    crm.forget()
    pbx.ring("+420111222")
    assert crm.asked[0].form["refresh_token"] == "refresh-2"


def test_an_oauth_code_that_is_refused_grants_nothing() -> None:
    pbx = Pbx(TEMPLATE, app=Crm(lambda _asked: {"error": "invalid_grant"}))
    granted = pbx.engine.authorize("Refresh", "code-0", "https://pbx.example.com/back", "s1")
    assert not granted.outcomes
    assert "# Grant" in granted.show()
