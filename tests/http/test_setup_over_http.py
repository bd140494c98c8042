"""Setting an organization up, changing it, and giving it a new key."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import update

from callhelm_threecx.keys import is_well_formed
from callhelm_threecx.models import IntegrationRow, utc_now
from tests.client import ADMIN_KEY, Api
from tests.http.wire import faulty_fields, raw, refused, setup

STATE = {
    "success",
    "enabled",
    "configured",
    "organizationId",
    "organizationName",
    "crmUrl",
    "downloadUrl",
    "threeCxServerUrl",
    "defaultRegion",
    "settings",
    "keyHint",
    "keyCreatedAt",
    "previousKeyExpiresAt",
    "createdAt",
    "updatedAt",
}


def create(api: Api, organization: str = "acme", **more: Any) -> dict[str, Any]:
    body = {"organizationId": organization, **more}
    answer: dict[str, Any] = api.post("/setup", body, key=ADMIN_KEY, status=200).json
    api.org_keys[organization] = answer["apiKey"]
    return answer


def state(api: Api, organization: str = "acme") -> dict[str, Any]:
    answer = api.get(f"/setup?organizationId={organization}", key=ADMIN_KEY)
    found: dict[str, Any] = answer.json
    return found


def opens(api: Api, key: str) -> int:
    return raw(api, "GET", "/contacts/lookup?number=1", headers={"x-api-key": key}).status_int


def test_a_new_integration_shows_its_key_once_and_is_enabled(api: Api) -> None:
    made = create(api)
    assert set(made) == {"success", "apiKey", "crmUrl", "downloadUrl", "keyHint"}
    assert is_well_formed(made["apiKey"])
    assert made["crmUrl"] == "http://localhost:80"
    assert opens(api, made["apiKey"]) == 200
    kept = state(api)
    assert set(kept) == STATE
    assert (kept["enabled"], kept["configured"]) == (True, True)
    assert kept["keyHint"] == made["keyHint"] == f"3cx_…{made['apiKey'][-4:]}"
    assert made["apiKey"] not in str(kept)


def test_the_download_url_downloads_the_template(api: Api) -> None:
    made = create(api)
    url = urlsplit(made["downloadUrl"])
    assert parse_qs(url.query) == {"apiKey": [made["apiKey"]]}
    path = f"{url.path.removeprefix(api.prefix)}?{url.query}"
    assert made["apiKey"] in raw(api, "GET", path).text


def test_an_organization_never_set_up_is_neither_enabled_nor_configured(api: Api) -> None:
    assert state(api, "nobody") == {"enabled": False, "configured": False}
    body = {"organizationId": "nobody", "enabled": True}
    refused(api.call("PATCH", "/setup", body, key=ADMIN_KEY, status="*"), 404, "not_found")
    assert state(api, "nobody") == {"enabled": False, "configured": False}


@pytest.mark.parametrize(
    "organization", ["a", "A" * 64, "acme.eu", "a_b-c:d", "0", "...", "01a2-_:"]
)
def test_an_organization_id_of_the_allowed_characters_is_taken(api: Api, organization: str) -> None:
    create(api, organization)
    assert state(api, organization)["organizationId"] == organization


BAD_IDS = [
    "",
    " ",
    "a b",
    "a/b",
    "ä",
    "a" * 65,
    "a\n",
    "a\u0000",
    "*",
    "%",
    "'",
    None,
    7,
    True,
    ["a"],
    {},
]


@pytest.mark.parametrize("organization", BAD_IDS)
def test_another_organization_id_is_400(api: Api, organization: object) -> None:
    body = {"organizationId": organization, "extension": "1"}
    for method, path in (("POST", "/setup"), ("PATCH", "/setup"), ("POST", "/agents")):
        answer = api.call(method, path, body, key=ADMIN_KEY, status="*")
        assert faulty_fields(answer) == ["organizationId"]


@pytest.mark.parametrize(
    "query", ["", "?organizationId=", "?organizationId=a%20b", "?organizationId=a&organizationId=b"]
)
@pytest.mark.parametrize("path", ["/setup", "/agents"])
def test_a_query_without_one_sane_organization_is_400(api: Api, path: str, query: str) -> None:
    assert faulty_fields(api.get(path + query, key=ADMIN_KEY, status="*")) == ["organizationId"]


def test_a_change_merges_and_leaves_the_rest(api: Api) -> None:
    create(api, organizationName="Acme & Sons")
    setup(api, threeCxServerUrl="https://pbx.example.com:5001", defaultRegion="gb")
    setup(api, settings={"auto_create_contacts": True, "host_setting": "x"})
    setup(api, settings={"call_journaling_enabled": False})
    kept = state(api)
    assert kept["organizationName"] == "Acme & Sons"
    assert kept["threeCxServerUrl"] == "https://pbx.example.com:5001"
    assert kept["defaultRegion"] == "GB"
    assert kept["settings"] == {
        "call_journaling_enabled": False,
        "chat_journaling_enabled": True,
        "contact_creation_enabled": True,
        "auto_create_contacts": True,
        "contact_url": "",
        "host_setting": "x",
    }


def test_null_and_blank_clear_what_may_be_empty(api: Api) -> None:
    create(api, organizationName="Acme")
    setup(api, threeCxServerUrl="https://pbx.example.com", defaultRegion="GB")
    answer = setup(api, threeCxServerUrl=None, defaultRegion="", organizationName=None).json
    assert answer["threeCxServerUrl"] is None
    assert answer["organizationName"] == ""
    assert answer["defaultRegion"] == "DE"  # the product's own setting again


def test_a_change_answers_with_the_new_state(api: Api) -> None:
    create(api)
    answer = setup(api, enabled=False)
    assert answer.status_int == 200
    assert set(answer.json) == STATE
    assert answer.json == state(api)
    assert datetime.fromisoformat(answer.json["updatedAt"]).tzinfo is not None


BAD_CHANGES = [
    ({"enabled": "yes"}, "enabled"),
    ({"enabled": 1}, "enabled"),
    ({"threeCxServerUrl": "pbx.example.com"}, "threeCxServerUrl"),
    ({"threeCxServerUrl": "javascript:alert(1)"}, "threeCxServerUrl"),
    ({"threeCxServerUrl": "https://"}, "threeCxServerUrl"),
    ({"threeCxServerUrl": "https://[::1"}, "threeCxServerUrl"),
    ({"threeCxServerUrl": "https://a:99999"}, "threeCxServerUrl"),
    ({"threeCxServerUrl": "https://a b"}, "threeCxServerUrl"),
    ({"threeCxServerUrl": "https://a\u0001"}, "threeCxServerUrl"),
    ({"threeCxServerUrl": "https://" + "a" * 256}, "threeCxServerUrl"),
    ({"threeCxServerUrl": ["https://a"]}, "threeCxServerUrl"),
    ({"defaultRegion": "Germany"}, "defaultRegion"),
    ({"defaultRegion": "XX"}, "defaultRegion"),
    ({"defaultRegion": 49}, "defaultRegion"),
    ({"organizationName": "x" * 321}, "organizationName"),
    ({"organizationName": {}}, "organizationName"),
    ({"settings": []}, "settings"),
    ({"settings": "on"}, "settings"),
    ({"settings": {"auto_create_contacts": "true"}}, "settings.auto_create_contacts"),
    ({"settings": {"call_journaling_enabled": None}}, "settings.call_journaling_enabled"),
    ({"settings": {"contact_url": "https://crm.example.com/c"}}, "settings.contact_url"),
    ({"settings": {"contact_url": "javascript:alert({id})"}}, "settings.contact_url"),
    ({"settings": {"contact_url": "https://{id}:x/"}}, "settings.contact_url"),
    ({"settings": {"contact_url": "/c/ {id}"}}, "settings.contact_url"),
    ({"settings": {"contact_url": True}}, "settings.contact_url"),
    ({"settings": {"a b": 1}}, "settings"),
    ({"settings": {"x": {}}}, "settings.x"),
    ({"settings": {"x": []}}, "settings.x"),
    ({"settings": {"x": "y" * 1025}}, "settings.x"),
    ({"settings": {"x": 10**400}}, "settings.x"),
]


@pytest.mark.parametrize(("change", "field"), BAD_CHANGES)
def test_a_change_that_cannot_be_made_names_the_field_and_changes_nothing(
    api: Api, change: dict[str, object], field: str
) -> None:
    create(api)
    before = state(api)
    answer = setup(api, **{"enabled": False, **change})
    assert faulty_fields(answer) == [field]
    assert state(api) == before


@pytest.mark.parametrize(
    "value", [b"1e999", b"-1e999", b'"\\u0000"', b'"\\ud800"', b"0.5", b"null"]
)
def test_a_setting_that_no_database_keeps_is_refused_or_cleaned(api: Api, value: bytes) -> None:
    create(api)
    body = b'{"organizationId": "acme", "settings": {"x": ' + value + b"}}"
    answer = raw(api, "PATCH", "/setup", body, headers={"x-api-key": ADMIN_KEY})
    assert answer.status_int in {200, 400}
    assert api.events("type=setup")
    assert state(api)["settings"].get("x") in {None, "", 0.5}


def test_a_new_key_replaces_the_old_one_at_once(api: Api) -> None:
    old = create(api)["apiKey"]
    assert opens(api, old) == 200
    new = create(api)["apiKey"]
    assert (opens(api, old), opens(api, new)) == (401, 200)


def test_an_old_key_lives_on_beside_the_new_one_when_that_was_asked_for(api: Api) -> None:
    old = create(api)["apiKey"]
    new = create(api, graceMinutes=5)["apiKey"]
    assert (opens(api, old), opens(api, new)) == (200, 200)
    until = datetime.fromisoformat(state(api)["previousKeyExpiresAt"])
    assert timedelta(minutes=4) < until - datetime.now(timezone.utc) <= timedelta(minutes=5)
    newest = create(api)["apiKey"]
    assert [opens(api, key) for key in (old, new, newest)] == [401, 401, 200]


def test_an_old_key_does_not_open_the_template_with_the_new_key_in_it(api: Api) -> None:
    old = create(api)["apiKey"]
    new = create(api, graceMinutes=5)["apiKey"]
    answer = raw(api, "GET", "/template", headers={"x-api-key": old})
    refused(answer, 403, "key_replaced")
    assert new not in answer.text
    assert new in raw(api, "GET", "/template", headers={"x-api-key": new}).text


def test_an_old_key_ends_with_its_grace_period(make_api: Callable[..., Api]) -> None:
    api = make_api()
    old = create(api)["apiKey"]
    create(api, graceMinutes=5)
    with api.app.services.database.write("acme") as session:
        session.execute(
            update(IntegrationRow).values(previous_key_expires_at=utc_now() - timedelta(seconds=1))
        )
    assert opens(api, old) == 401


@pytest.mark.parametrize("minutes", [-1, 7 * 24 * 60 + 1, "5", 1.5, True, None, [], 10**30])
def test_a_grace_period_out_of_bounds_is_400_and_keeps_the_key(api: Api, minutes: object) -> None:
    key = create(api)["apiKey"]
    body = {"organizationId": "acme", "graceMinutes": minutes}
    assert faulty_fields(api.post("/setup", body, key=ADMIN_KEY, status="*")) == ["graceMinutes"]
    assert opens(api, key) == 200


def test_another_process_honours_changes_within_five_seconds(
    make_api: Callable[..., Api],
) -> None:
    here, there = make_api(), make_api()
    old = create(here)["apiKey"]
    assert opens(there, old) == 200  # and is known there now
    new = create(here)["apiKey"]
    started = utc_now()
    while opens(there, old) == 200:
        assert utc_now() - started < timedelta(seconds=5)
        threading.Event().wait(0.1)
    assert opens(there, new) == 200


def test_two_set_ups_at_once_leave_one_integration_and_one_key(api: Api) -> None:
    start = threading.Barrier(4)
    made: list[tuple[int, str]] = []

    def set_up() -> None:
        start.wait()
        answer = api.post("/setup", {"organizationId": "acme"}, key=ADMIN_KEY, status="*")
        made.append((answer.status_int, answer.json.get("apiKey", "")))

    threads = [threading.Thread(target=set_up) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [status for status, _ in made] == [200] * 4
    assert sorted(opens(api, key) for _, key in made) == [200, 401, 401, 401]


def test_setting_up_is_in_the_event_log_without_the_key(api: Api) -> None:
    made = create(api)
    setup(api, settings={"host_password": "hunter2"})
    events = api.events("type=setup")
    assert [event["rawData"]["action"] for event in events] == ["change", "create"]
    assert made["apiKey"] not in str(events)
    assert "hunter2" not in str(events)
