"""What an administrative act leaves behind: who, from where, in the event log and in our log."""

import json
import logging
from collections.abc import Callable
from typing import Any

import pytest

from callhelm_threecx.identity import Identity
from callhelm_threecx.logs import JsonFormatter
from tests.client import ADMIN_KEY, Api
from tests.http.identities import SignIn, as_user
from tests.http.wire import raw, refused

LIMITED = "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"
SETUP = b'{"organizationId": "acme"}'
CHANGE = b'{"organizationId": "acme", "enabled": true}'
MAPPING = b'{"organizationId": "acme", "extension": "101"}'

ADA = {"by": "user", "userId": "admin", "userName": "Ada Admin", "origin": "192.0.2.7"}
KEY = {"by": "admin key", "origin": "192.0.2.7"}


@pytest.fixture
def api(make_api: Callable[..., Api]) -> Api:
    return make_api(identity=SignIn())


def acts(api: Api, send: Callable[..., Any]) -> list[dict[str, Any]]:
    """Do every administrative act; the raw data of its events, oldest first."""
    for method, path, body in (
        ("POST", "/setup", SETUP),
        ("POST", "/setup", SETUP),
        ("PATCH", "/setup", CHANGE),
        ("POST", "/agents", MAPPING),
    ):
        answer = send(method, path, body)
        assert answer.status_int == 200, answer.body
    path = f"/agents/{answer.json['mapping']['id']}?organizationId=acme"
    assert send("DELETE", path, b"").status_int == 200
    events = api.get("/events?organizationId=acme&type=setup", key=ADMIN_KEY).json["events"]
    return [event["rawData"] for event in reversed(events)]


def by(raw_data: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in raw_data.items() if name in {*ADA, "origin"}}


ACTIONS = ["create", "rotate_key", "change", "map_agents", "unmap_agent"]


def test_each_act_of_a_user_names_the_user(api: Api) -> None:
    def send(method: str, path: str, body: bytes) -> Any:
        return as_user(api, "admin", method, path, body, REMOTE_ADDR="192.0.2.7")

    found = acts(api, send)
    assert [each["action"] for each in found] == ACTIONS
    assert [by(each) for each in found] == [ADA] * len(ACTIONS)


def test_each_act_with_the_admin_key_says_that(api: Api) -> None:
    def send(method: str, path: str, body: bytes) -> Any:
        sent = {"x-api-key": ADMIN_KEY}
        return raw(api, method, path, body, headers=sent, REMOTE_ADDR="192.0.2.7")

    found = acts(api, send)
    assert [each["action"] for each in found] == ACTIONS
    assert [by(each) for each in found] == [KEY] * len(ACTIONS)


def test_a_name_of_any_length_is_kept_in_part(make_api: Callable[..., Api]) -> None:
    identity = Identity("u1", "x" * 10_000 + "\x00", is_system_admin=True)
    api = make_api(identity=lambda _environ: identity)
    assert as_user(api, "", "POST", "/setup", SETUP).status_int == 200
    [event] = api.get("/events?type=setup", key=ADMIN_KEY).json["events"]
    assert event["rawData"]["userName"] == "x" * 320


def access_lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    lines = [json.loads(JsonFormatter().format(record)) for record in caplog.records]
    return [line for line in lines if line["logger"] == "callhelm_threecx.access"]


def test_a_log_line_has_the_users_id_and_never_the_name(
    api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        as_user(api, "admin", "POST", "/setup", SETUP)
        as_user(api, "agent", "GET", "/events")
        as_user(api, "unknown", "GET", "/events")
        as_user(api, "admin", "POST", "/setup", SETUP, headers={"Origin": "https://evil.example"})
    assert [line.get("user") for line in access_lines(caplog)] == ["admin", "agent", None, "admin"]
    for name in ("Ada", "Ann"):
        assert name not in caplog.text + str([vars(record) for record in caplog.records])


def test_a_cross_site_refusal_is_logged_with_what_was_expected(
    api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    sent = {"Origin": "https://evil.example" + "x" * 1000}
    answer = as_user(api, "admin", "POST", "/setup", SETUP, headers=sent)
    [line] = [json.loads(JsonFormatter().format(r)) for r in caplog.records if r.levelno == 30]
    assert line["request_id"] == answer.json["requestId"]
    assert line["expected"] == "http://localhost:80"
    assert line["origin"].startswith("https://evil.example")
    assert len(line["origin"]) == 256


def test_each_user_has_a_limit_of_their_own(make_api: Callable[..., Api]) -> None:
    api = make_api(identity=SignIn(), rate_limit="3/minute")
    for user in ("agent", "lead"):
        for remaining in (2, 1, 0):
            answer = as_user(api, user, "GET", "/events")
            assert answer.status_int == 200
            assert [int(answer.headers[name]) for name in LIMITED[:2]] == [3, remaining]
        answer = as_user(api, user, "GET", "/events")
        refused(answer, 429, "rate_limited")
        assert answer.headers["Retry-After"] == answer.headers["RateLimit-Reset"]
    assert raw(api, "GET", "/events", headers={"x-api-key": api.key()}).status_int == 200


def test_refused_requests_of_a_user_count_too(make_api: Callable[..., Api]) -> None:
    api = make_api(identity=SignIn(), rate_limit="3/minute")
    answers = [
        as_user(api, "agent", "POST", "/setup", SETUP),
        as_user(api, "agent", "POST", "/setup", SETUP, headers={}),
        as_user(api, "agent", "GET", "/events?organizationId=other"),
        as_user(api, "agent", "GET", "/events"),
    ]
    assert [answer.status_int for answer in answers] == [403, 403, 403, 429]


def test_a_user_is_not_an_organization_of_the_same_name(make_api: Callable[..., Api]) -> None:
    api = make_api(identity=SignIn(), rate_limit="1/minute")
    assert as_user(api, "agent", "GET", "/events").status_int == 200
    sent = {"x-api-key": api.key("agent")}
    assert raw(api, "GET", "/events", headers=sent).status_int == 200


def test_somebody_who_tries_keys_does_not_shut_the_users_out(make_api: Callable[..., Api]) -> None:
    api = make_api(identity=SignIn(), failed_auth_limit="1/minute")
    statuses = [raw(api, "GET", "/events", headers={"x-api-key": "x"}).status_int for _ in "12"]
    assert statuses == [401, 429]
    assert as_user(api, "agent", "GET", "/events").status_int == 200
